"""Takes what users of the chat said of its answers: a clip with a wrong answer is looked at first.

    import_feedback(store, Path("runs/coach/feedback.jsonl"), Recordings(media).clips_of)

One JSON object a line: `clip`, `verdict` (helpful or wrong), and if there are any `sha`, `note`,
`stage` or `turn`, `answer` and `time`. Other fields are passed over. A line counts once, however
often it is imported. If the review was through with an item, a new "wrong" reopens it.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from flex.files import hash_text
from flex.records import read_records
from review.rounds import reopen
from review.store import Store

Find = Callable[[frozenset[str]], Mapping[str, str]]


class FeedbackLine(BaseModel):
    """What a user said of one answer about a clip.

    Attributes:
        clip: the clip's id, or what the user called the file.
        sha: SHA-256 of the recording; it finds the clip where `clip` is no id.
        turn: what was asked; `None` for a free question.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    clip: Annotated[str, Field(min_length=1)]
    verdict: Literal["helpful", "wrong"]
    sha: str | None = None
    note: str | None = None
    turn: Annotated[str | None, Field(validation_alias=AliasChoices("turn", "stage"))] = None
    answer: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class FeedbackImport:
    """What was imported.

    Attributes:
        new: lines that were added.
        known: lines known before.
        elsewhere: lines about clips that the review does not have.
        reopened: items that had all their votes and are asked about again.
    """

    new: int
    known: int
    elsewhere: int
    reopened: int


def _nowhere(_: frozenset[str]) -> Mapping[str, str]:
    return {}


def import_feedback(store: Store, path: Path, find: Find = _nowhere) -> FeedbackImport:
    """Import a file of feedback; items that somebody called wrong come first from now on.

    Args:
        store: the review.
        path: what the chat wrote.
        find: given the hashes of recordings, returns hash → clip for those that it knows. It is
            asked only about lines whose clip is no id of an item.

    Raises:
        InputError: every line that is no feedback; nothing is imported then.
    """
    lines = read_records(path, FeedbackLine)
    with store.read() as db:
        known_clips = _ids(db).keys()
    lost = {line.sha for line in lines if line.clip not in known_clips and line.sha is not None}
    found = find(frozenset(lost)) if lost else {}
    with store.write() as db:
        return _keep(db, lines, found)


def _keep(
    db: sqlite3.Connection, lines: Sequence[FeedbackLine], found: Mapping[str, str]
) -> FeedbackImport:
    ids = _ids(db)
    new = known = 0
    wrong: set[int] = set()
    for line in lines:
        item = ids.get(line.clip) or ids.get(found.get(line.sha or "", ""))
        if item is None:
            continue
        added = _add(db, item, line)
        new += added
        known += not added
        if added and line.verdict == "wrong":
            wrong.add(item)
    db.execute(
        "UPDATE items SET wrong = (SELECT count(*) FROM feedback f"
        " WHERE f.item = items.id AND f.verdict = 'wrong')"
    )
    db.execute("UPDATE items SET flagged = CASE WHEN wrong > 0 THEN 2 ELSE failed END")
    reopened = sum(reopen(db, item) for item in sorted(wrong))
    return FeedbackImport(new, known, len(lines) - new - known, reopened)


def _ids(db: sqlite3.Connection) -> dict[str | None, int]:
    return {row["clip"]: row["id"] for row in db.execute("SELECT id, clip FROM items")}


def _add(db: sqlite3.Connection, item: int, line: FeedbackLine) -> int:
    return db.execute(
        "INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            # As it was hashed before `sha` was read, so that old imports are still known.
            hash_text(line.model_dump_json(exclude={"sha"})),
            item,
            line.verdict,
            line.note,
            line.turn,
            line.answer,
            line.time,
        ),
    ).rowcount


def feedback_on(store: Store, item: int) -> list[FeedbackLine]:
    """Return what users of the chat said about an item's clip, oldest first."""
    query = "SELECT f.*, i.clip FROM feedback f JOIN items i ON i.id = f.item WHERE f.item = ?"
    with store.read() as db:
        rows = db.execute(f"{query} ORDER BY f.time", (item,)).fetchall()
    return [FeedbackLine.model_validate(dict(row)) for row in rows]
