"""What reviewers read, from `prompts/review/words.yaml`: reasons, and names of states."""

import functools
import shlex
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from flex.graph import Graph, Occurrence
from flex.templates import environment, wording
from review.feedback import FeedbackLine
from review.queue import Assignment
from review.records import Item
from review.rounds import round_of


class Words(BaseModel):
    """Names for people.

    Attributes:
        reasons: key to press → a usual reason for a reject.
        split: note on an item on which people have no majority.
        reopened: note on an item that is asked about again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasons: dict[str, str]
    actions: dict[str, str]
    stages: dict[str, str]
    states: dict[str, str]
    split: str
    reopened: str


@functools.cache
def words() -> Words:
    """Return the names."""
    return Words.model_validate(wording("review/words.yaml"))


def described_labels(graph: Graph, item: Item) -> list[str]:
    """Return each labelled error in words: id, what it is, where, weight, and its times."""
    lines = []
    for error in item.dialogue.facts.errors:
        kind, step = graph.error_types[error.error_type], graph.key_steps[error.key_step]
        place = Occurrence(error.key_step, error.error_type)
        when = "" if error.start_s is None else f", {error.start_s:g}–{error.end_s:g} s"
        lines.append(f"{place} {kind.name}, {step.name} (weight {kind.weight}{when})")
    return lines


def in_terminal(graph: Graph, assignment: Assignment, feedback: Sequence[FeedbackLine] = ()) -> str:
    """Return an item as text for a terminal, with the commands that decide it."""
    return (
        environment()
        .get_template("review/item.j2")
        .render(
            assignment=assignment,
            feedback=feedback,
            reopened=round_of(assignment.item.version) > 1,
            graph=graph,
            labels=described_labels(graph, assignment.item),
            who=shlex.quote(assignment.person.name),
            clip=shlex.quote(assignment.item.clip),
            words=words(),
        )
    )
