"""From Label Studio's JSON export: its annotations become decisions.

    read_annotations(store, Path("label-studio-export.json"), {"1": "ana"})

An annotation is of whoever changed it last: the user who imports our tasks made none of them. It
may be imported again: what is known, or older than what the person has said or undone since,
is passed over. So are annotations of a text or of labels that have changed since.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from flex.problems import InputError, Problem
from review.decisions import decide
from review.label_studio import VERSION, said_hash
from review.label_studio_read import Said, read_tasks, said_in
from review.people import find_person
from review.records import Item, item_of
from review.store import Store

Kind = Literal["new", "known", "stale", "elsewhere"]


@dataclass(frozen=True)
class LabelStudioImport:
    """What was imported.

    Attributes:
        new: decisions that were added.
        known: annotations that say nothing new.
        stale: annotations of a text or of labels that have changed since.
        elsewhere: annotations of clips that the review does not have.
    """

    new: int
    known: int
    stale: int
    elsewhere: int


class _Read(NamedTuple):
    """The annotations of a task; `item` is `None` if the review does not have its clip."""

    item: Item | None
    present: bool
    said: list[Said]


class _Before(NamedTuple):
    """When a person last said or undid something about an item, and a hash of what stands."""

    last_s: float
    standing: str | None


def read_annotations(
    store: Store,
    path: Path,
    names: Mapping[str, str],
    *,
    progress: Callable[[], None] = lambda: None,
) -> LabelStudioImport:
    """Import the annotations of a JSON export.

    Args:
        store: the review.
        path: what Label Studio's export as "JSON" wrote.
        names: a Label Studio user's id or e-mail address → our name.
        progress: called after each task.

    Raises:
        InputError: no such export, a user without a name, people who are not known here, an
            annotation without verdict; all are named, and nothing is imported.
    """
    with store.read() as db:
        read = _read(db, path, names)
        before = _said_before(db)
    counts: dict[Kind, int] = {"new": 0, "known": 0, "stale": 0, "elsewhere": 0}
    for item, present, said in read:
        for one in said:
            if item is None:
                counts["elsewhere"] += 1
            elif not present:
                counts["stale"] += 1
            elif _is_news(one, before.get((item.id, one.person))):
                _decide(store, item, one)
                counts["new"] += 1
            else:
                counts["known"] += 1
        progress()
    return LabelStudioImport(**counts)


def _read(db: sqlite3.Connection, path: Path, names: Mapping[str, str]) -> list[_Read]:
    rows = db.execute("SELECT * FROM items WHERE present = 1")
    items = {row["clip"]: item_of(row) for row in rows}
    problems: list[Problem] = []
    read = []
    for number, task in enumerate(read_tasks(path), 1):
        item = items.get(str(task.data.get("clip")))
        place = f"{path}, task {number} ({task.data.get('clip', 'no clip')})"
        said = said_in(task.annotations, names, item, place, problems)
        read.append(_Read(item, item is not None and _is_present(task.data, item), said))
    problems += _unknown_people(
        db, {one.person for task in read for one in task.said if one.person}
    )
    if problems:
        raise InputError(problems)
    return read


def _unknown_people(db: sqlite3.Connection, names: Iterable[str]) -> list[Problem]:
    problems: list[Problem] = []
    for name in sorted(names):
        try:
            find_person(db, name)
        except InputError as error:
            problems += error.problems
    return problems


def _said_before(db: sqlite3.Connection) -> dict[tuple[int, str], _Before]:
    standing = {
        (row["item"], row["person"]): said_hash(row["action"], row["text"], row["reason"])
        for row in db.execute(
            "SELECT d.* FROM voices v JOIN decisions d ON d.id = v.decision"
            " JOIN items i ON i.id = v.item AND i.version = v.version"
        )
    }
    query = "SELECT item, person, max(time_s) AS last_s FROM decisions GROUP BY item, person"
    found = {}
    for row in db.execute(query):
        key = (row["item"], row["person"])
        found[key] = _Before(row["last_s"], standing.get(key))
    return found


def _is_present(data: Mapping[str, Any], item: Item) -> bool:
    """Say whether a task shows the item's present text and labels."""
    if VERSION in data:
        return bool(data[VERSION] == item.version)
    texts = [text for turn in item.dialogue.turns for text in (turn.question, turn.answer)]
    shown = [line.get("text") for line in data.get("dialogue", []) if isinstance(line, dict)]
    return shown == texts and data.get("facts_hash") == item.dialogue.provenance.facts


def _is_news(one: Said, before: _Before | None) -> bool:
    if before is None:
        return True
    if before.standing == said_hash(one.action, one.text, one.reason):
        return False
    return one.time_s is None or one.time_s > before.last_s


def _decide(store: Store, item: Item, one: Said) -> None:
    decide(
        store,
        one.person,
        item.clip,
        one.action,
        version=item.version,
        text=one.text,
        reason=one.reason,
        occurrences=one.occurrences,
        duration_ms=one.duration_ms,
        now=one.time_s,
    )
