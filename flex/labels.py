"""One label out of several annotators' votes, as the paper merges them (section 3.3.2).

    merged = merge(records, votes, graph)
    merged.records         # with the merged errors and their score
    merged.undecided       # what a person should still look at

1. If reviewers (stage 2) voted on a clip, they decide: an error stands if more than half of them
   saw it. The paper has three of them.
2. If they are evenly split on an error, or there are none, the annotators (stage 1) decide in the
   same way.
3. If that is even too, the error is left out and the clip is listed as undecided.

However many voters a clip has, the share decides; a clip with fewer than three voters in the stage
that decides is listed too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flex.annotation_checks import score_of
from flex.graph import Graph, Occurrence
from flex.problems import InputError, Problem
from flex.sample import Annotation, ErrorLabel
from flex.votes import Vote

VOTERS = 3


class Undecided(NamedTuple):
    """An error on which the voters of a clip are evenly split."""

    clip: str
    occurrence: Occurrence


@dataclass(frozen=True)
class Merged:
    """Merged labels, and what a person should know about them.

    Attributes:
        records: one per given record, in their order.
        undecided: errors that were left out because the votes are even.
        unreviewed: clips without a vote of stage 2.
        few_voters: clips with fewer than three voters in the stage that decides.
    """

    records: tuple[Annotation, ...]
    undecided: tuple[Undecided, ...]
    unreviewed: tuple[str, ...]
    few_voters: tuple[str, ...]


def merge(records: Sequence[Annotation], votes: Iterable[Vote], graph: Graph) -> Merged:
    """Return the records with their errors decided by the votes, and scored.

    Intervals and notes that a record holds for an error are kept if the error stands.

    Raises:
        InputError: records without a vote, or votes for a clip without a record; all are named.
    """
    by_clip: dict[str, list[Vote]] = {}
    for vote in votes:
        by_clip.setdefault(vote.clip, []).append(vote)
    known = {record.clip for record in records}
    problems = [Problem(clip, "has votes and no record") for clip in by_clip if clip not in known]
    problems += [
        Problem(clip, "has no vote: nobody says whether it shows an error")
        for clip in sorted(known - set(by_clip))
    ]
    if problems:
        raise InputError(problems)
    merged, undecided = [], []
    for record in records:
        errors, even = decide(by_clip[record.clip])
        merged.append(_relabelled(record, graph.in_order(record.action, errors), graph))
        undecided += [Undecided(record.clip, item) for item in sorted(even)]
    stages = {clip: [_sets(votes, 1), _sets(votes, 2)] for clip, votes in by_clip.items()}
    return Merged(
        records=tuple(merged),
        undecided=tuple(undecided),
        unreviewed=tuple(clip for clip, (_, second) in stages.items() if not second),
        few_voters=tuple(
            clip for clip, (first, second) in stages.items() if len(second or first) < VOTERS
        ),
    )


def decide(votes: Sequence[Vote]) -> tuple[frozenset[Occurrence], frozenset[Occurrence]]:
    """Return the errors that stand, and those on which the votes of one clip are even."""
    annotators, reviewers = _sets(votes, 1), _sets(votes, 2)
    stands, even = set(), set()
    for item in frozenset().union(*annotators, *reviewers):
        share = _share(item, reviewers)
        if share == 0.5:
            share = _share(item, annotators)
        if share > 0.5:
            stands.add(item)
        elif share == 0.5:
            even.add(item)
    return frozenset(stands), frozenset(even)


def _sets(votes: Iterable[Vote], stage: int) -> list[frozenset[Occurrence]]:
    return [vote.occurrences for vote in votes if vote.stage == stage]


def _share(item: Occurrence, sets: list[frozenset[Occurrence]]) -> float:
    """Return the share of voters who saw it; nobody having voted is as undecided as a tie."""
    return sum(item in found for found in sets) / len(sets) if sets else 0.5


def _relabelled(record: Annotation, errors: Iterable[Occurrence], graph: Graph) -> Annotation:
    before = {label.occurrence: label for label in record.errors}
    labels = tuple(
        before.get(item) or ErrorLabel(key_step=item.key_step, error_type=item.error_type)
        for item in errors
    )
    record = record.model_copy(update={"errors": labels})
    return record.model_copy(update={"score": score_of(record, graph)})
