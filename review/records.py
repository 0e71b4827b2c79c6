"""What the store holds, as plain values: an item to review, a decision, a person."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Literal

from flex.graph import Occurrence
from flex.problems import InputError, Problem
from qa_gen.dialogue import Dialogue, ReviewState
from review.store import Store

Role = Literal["first", "second", "admin"]
ROLES: tuple[Role, ...] = ("first", "second", "admin")
Stage = Literal["first", "second"]
STAGES: tuple[Stage, ...] = ("first", "second")
Action = Literal["accept", "edit", "reject"]
ACTIONS: tuple[Action, ...] = ("accept", "edit", "reject")


@dataclass(frozen=True)
class Person:
    """A reviewer; an admin settles what the reviewers are split on."""

    name: str
    role: Role

    @property
    def stage(self) -> Stage:
        """The stage that the person's decisions belong to."""
        return "first" if self.role == "first" else "second"


@dataclass(frozen=True)
class Item:
    """A dialogue to review.

    Attributes:
        version: changes with the text or the labels; a decision is about one version.
        labels: the errors that the labels hold, in phase order.
        scope: the errors that were looked for.
        flagged: it failed the fact check, or a user of the chat called an answer wrong.
        gold: the right answer, where it is known; never shown to a reviewer.
    """

    id: int
    clip: str
    version: str
    dialogue: Dialogue
    labels: tuple[str, ...]
    scope: tuple[str, ...]
    flagged: bool
    state: ReviewState
    first_voices: int
    second_voices: int
    present: bool
    gold: str | None

    @property
    def evaluation(self) -> str:
        """The evaluation as it was generated."""
        return self.dialogue.turn("evaluate").answer


@dataclass(frozen=True)
class Decision:
    """What one person said of one version of an item.

    Attributes:
        settles: by an admin; it outweighs the votes.
        text: the evaluation that the person stands for, where it is not the generated one.
        occurrences: the errors that the person saw in the clip; `None`: did not say.
        time_s: seconds since 1970, UTC.
        duration_ms: how long the person looked.
    """

    id: int
    item: int
    clip: str
    person: str
    stage: Stage
    action: Action
    settles: bool
    text: str | None
    reason: str | None
    occurrences: tuple[str, ...] | None
    version: str
    time_s: float
    duration_ms: int | None

    @property
    def state(self) -> ReviewState:
        """What the item is if this decision stands."""
        if self.action == "reject":
            return "rejected"
        return "accepted" if self.text is None else "edited"

    @property
    def seen(self) -> frozenset[Occurrence] | None:
        """The occurrences as (key step, error type) pairs."""
        if self.occurrences is None:
            return None
        return frozenset(map(Occurrence.parse, self.occurrences))


DECISION_COLUMNS = "d.*, i.clip"


def item_of(row: sqlite3.Row) -> Item:
    """Return the item of a row of `items`."""
    return Item(
        id=row["id"],
        clip=row["clip"],
        version=row["version"],
        dialogue=Dialogue.model_validate_json(row["dialogue"]),
        labels=tuple(json.loads(row["labels"])),
        scope=tuple(json.loads(row["scope"])),
        flagged=bool(row["flagged"]),
        state=row["state"],
        first_voices=row["first_voices"],
        second_voices=row["second_voices"],
        present=bool(row["present"]),
        gold=row["gold"],
    )


def decision_of(row: sqlite3.Row) -> Decision:
    """Return the decision of a row with `DECISION_COLUMNS`."""
    seen = row["occurrences"]
    return Decision(
        id=row["id"],
        item=row["item"],
        clip=row["clip"],
        person=row["person"],
        stage=row["stage"],
        action=row["action"],
        settles=bool(row["settles"]),
        text=row["text"],
        reason=row["reason"],
        occurrences=None if seen is None else tuple(json.loads(seen)),
        version=row["version"],
        time_s=row["time_s"],
        duration_ms=row["duration_ms"],
    )


def get_item(store: Store, clip: str) -> Item:
    """Return the item of a clip.

    Raises:
        InputError: there is none.
    """
    with store.read() as db:
        return find_item(db, clip)


def find_item(db: sqlite3.Connection, clip: str) -> Item:
    """Return the item of a clip, within a transaction; raises `InputError` if there is none."""
    row = db.execute("SELECT * FROM items WHERE clip = ?", (clip,)).fetchone()
    if row is None:
        raise InputError([Problem(clip, "no such clip in this review")])
    return item_of(row)
