"""Several people's decisions about an item made into one verdict, as the paper does it (3.3.2).

1. If second-stage reviewers spoke, what more than half of them say stands.
2. If they have no majority, or did not speak, the first stage decides in the same way.
3. If that gives none either, the item is undecided, and an admin settles it.

It is the rule of `flex.labels`, which merges the error labels (`labels_of` calls it), here for
accept, edit and reject. Where most want an edit, the text that most of them share is taken; between
texts with equally many, the one that was last given.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from flex.graph import Occurrence
from flex.labels import decide as decide_labels
from flex.votes import Stage as VoteStage
from flex.votes import Vote
from qa_gen.dialogue import ReviewState
from review.records import Decision, Stage

NUMBER_OF: dict[Stage, VoteStage] = {"first": 1, "second": 2}


@dataclass(frozen=True)
class Verdict:
    """What stands for an item.

    Attributes:
        state: unreviewed also if people spoke and are split; `undecided` says so.
        text: the evaluation that stands, where it is not the generated one.
        stage: which stage decided; `None` if neither did.
        reviewers: who spoke, in order.
        reasons: why those who rejected it did.
    """

    state: ReviewState
    text: str | None
    stage: Stage | None
    undecided: bool
    reviewers: tuple[str, ...]
    reasons: tuple[str, ...]


def verdict(decisions: Sequence[Decision]) -> Verdict:
    """Return the verdict of the standing decisions about one version of one item."""
    ordered = sorted(decisions, key=lambda decision: decision.id)
    settled = [decision for decision in ordered if decision.settles][-1:]
    second = [d for d in ordered if d.stage == "second" and not d.settles]
    first = [d for d in ordered if d.stage == "first"]
    state: ReviewState | None = None
    deciding: list[Decision] = []
    for group in (settled, second, first):
        state = _majority(group)
        if state is not None:
            deciding = group
            break
    return Verdict(
        state=state or "unreviewed",
        text=_text(deciding) if state == "edited" else None,
        stage=deciding[0].stage if deciding else None,
        undecided=bool(ordered) and state is None,
        reviewers=tuple(dict.fromkeys(decision.person for decision in ordered)),
        reasons=tuple(d.reason for d in ordered if d.action == "reject" and d.reason),
    )


def labels_of(decisions: Sequence[Decision]) -> tuple[frozenset[Occurrence], frozenset[Occurrence]]:
    """Return the errors that stand by the votes on one clip, and those on which they are even."""
    return decide_labels([vote for vote in map(vote_of, decisions) if vote is not None])


def vote_of(decision: Decision) -> Vote | None:
    """Return a decision as an annotator's vote; `None` if it does not say what was seen."""
    if decision.occurrences is None:
        return None
    return Vote.model_validate(
        {
            "clip": decision.clip,
            "annotator": decision.person,
            "stage": NUMBER_OF[decision.stage],
            "errors": decision.occurrences,
        }
    )


def disagreement(decisions: Sequence[Decision]) -> float:
    """Return the share of pairs of people who differ in verdict or in the errors seen, 0 to 1."""
    pairs = list(combinations(decisions, 2))
    return sum(_differ(one, other) for one, other in pairs) / len(pairs) if pairs else 0.0


def _majority(group: Sequence[Decision]) -> ReviewState | None:
    counts = Counter(decision.state for decision in group)
    for state, count in counts.items():
        if 2 * count > len(group):
            return state
    return None


def _text(deciding: Sequence[Decision]) -> str | None:
    texts = [decision.text for decision in deciding if decision.state == "edited"]
    counts = Counter(texts)
    most = max(counts.values())
    return next(text for text in reversed(texts) if counts[text] == most)


def _differ(one: Decision, other: Decision) -> bool:
    if one.state != other.state:
        return True
    return None not in (one.seen, other.seen) and one.seen != other.seen
