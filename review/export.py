"""Writes reviewed dialogues back, in the form of a run, with what everybody saw.

    export_review(store, Path("runs/review/export"), graph)

    dialogues.jsonl   what may be used; `review` is filled, edited text is in place
    flagged.jsonl     what fails the fact check, edited or not; it is never exported
    run.json          so that `python -m qa_gen export` reads the folder
    votes.jsonl       what each person saw, for `python -m flex data agreement` and `merge`

An edit loses the writer's ids and is checked again. A flagged dialogue whose edit passes moves to
`dialogues.jsonl`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flex.files import atomic_write, write_jsonl, write_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from qa_gen.dialogue import Dialogue, Review, ReviewState
from qa_gen.runs import DIALOGUES, FLAGGED, RUN, RunRecord
from review.edits import check_whole, with_evaluation
from review.load import RUN as RUN_SETTING
from review.records import Decision, Item, item_of
from review.recount import all_standing
from review.rules import rules_of
from review.store import Store
from review.verdicts import verdict, vote_of
from review.words import words

VOTES = "votes.jsonl"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        flagged: those that fail the fact check.
        edits_failed: edited ones among them.
        few_voices: decided, and the second stage has not all its voices yet.
    """

    dialogues: int
    flagged: int
    edits_failed: int
    few_voices: int
    votes: int
    states: dict[ReviewState, int]


def export_review(
    store: Store, out: Path, graph: Graph, *, progress: Callable[[], None] = lambda: None
) -> Exported:
    """Write the reviewed dialogues and the votes to a folder of their own.

    Raises:
        InputError: nothing was loaded, or the folder holds a run that is no export of a review:
            written over, its edits would pass for the writer's own text.
    """
    value = store.setting(RUN_SETTING)
    if value is None:
        raise InputError([Problem(str(store.path), "nothing was loaded into this review")])
    if (out / RUN).exists() and not (out / VOTES).exists():
        message = "holds a run that is no export of a review; give a folder of its own"
        raise InputError([Problem(str(out), message)])
    counts: dict[ReviewState, int] = defaultdict(int)
    flagged = failed = few = 0
    voices = rules_of(store).voices
    with (
        store.read() as db,
        atomic_write(out / DIALOGUES) as good,
        atomic_write(out / FLAGGED) as bad,
    ):
        decisions: dict[int, list[Decision]] = defaultdict(list)
        for decision in all_standing(db):
            decisions[decision.item].append(decision)
        for row in db.execute("SELECT * FROM items WHERE present = 1 ORDER BY id"):
            item = item_of(row)
            dialogue = reviewed(item, decisions[item.id], graph)
            stream = bad if dialogue.findings else good
            stream.write(dialogue.model_dump_json(exclude_defaults=True) + "\n")
            counts[dialogue.review.state] += 1
            few += dialogue.review.state != "unreviewed" and item.second_voices < voices
            flagged += bool(dialogue.findings)
            failed += bool(dialogue.findings) and dialogue.review.state == "edited"
            progress()
    votes = [vote_of(d) for members in decisions.values() for d in members]
    written = write_jsonl(out / VOTES, (vote for vote in votes if vote is not None))
    kept = sum(counts.values()) - flagged
    record = RunRecord.model_validate_json(value)
    update = {"dialogues": kept, "flagged": flagged}
    write_text(out / RUN, record.model_copy(update=update).model_dump_json(indent=1) + "\n")
    return Exported(kept, flagged, failed, few, written, dict(counts))


def reviewed(item: Item, decisions: list[Decision], graph: Graph) -> Dialogue:
    """Return the dialogue with its review, and the edited text that stands, checked again."""
    found = verdict(decisions)
    dialogue = item.dialogue
    if found.text is not None:
        dialogue = with_evaluation(dialogue, found.text)
        findings = tuple(check_whole(graph, dialogue))
        dialogue = dialogue.model_copy(update={"findings": findings})
    note = words().split if found.undecided else "; ".join(dict.fromkeys(found.reasons)) or None
    review = Review(state=found.state, reviewers=found.reviewers, note=note)
    return dialogue.model_copy(update={"review": review})
