"""Takes what users of the chat said of its answers: a clip with a wrong answer is looked at first.

    import_feedback(store, Path("runs/coach/feedback.jsonl"))

One JSON object a line: `clip`, `verdict` (helpful or wrong), and if there are any `note`, `turn`,
`answer` and `time`. Other fields are passed over. A line counts once, however often it is imported.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from flex.files import hash_text
from flex.records import read_records
from review.store import Store


class FeedbackLine(BaseModel):
    """What a user said of one answer about a clip."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    clip: Annotated[str, Field(min_length=1)]
    verdict: Literal["helpful", "wrong"]
    note: str | None = None
    turn: Annotated[str | None, Field(validation_alias=AliasChoices("turn", "stage"))] = None
    answer: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class FeedbackImport:
    """What was imported: new lines, lines known before, and lines about clips not in the review."""

    new: int
    known: int
    elsewhere: int


def import_feedback(store: Store, path: Path) -> FeedbackImport:
    """Import a file of feedback; items that somebody called wrong become flagged.

    Raises:
        InputError: every line that is no feedback; nothing is imported then.
    """
    lines = read_records(path, FeedbackLine)
    new = known = 0
    with store.write() as db:
        ids = {row["clip"]: row["id"] for row in db.execute("SELECT id, clip FROM items")}
        for line in lines:
            if line.clip not in ids:
                continue
            added = db.execute(
                "INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    hash_text(line.model_dump_json()),
                    ids[line.clip],
                    line.verdict,
                    line.note,
                    line.turn,
                    line.answer,
                    line.time,
                ),
            ).rowcount
            new += added
            known += not added
        db.execute(
            "UPDATE items SET wrong = (SELECT count(*) FROM feedback f"
            " WHERE f.item = items.id AND f.verdict = 'wrong')"
        )
        db.execute("UPDATE items SET flagged = failed OR wrong > 0")
    return FeedbackImport(new, known, len(lines) - new - known)


def feedback_on(store: Store, item: int) -> list[FeedbackLine]:
    """Return what users of the chat said about an item's clip, oldest first."""
    query = "SELECT f.*, i.clip FROM feedback f JOIN items i ON i.id = f.item WHERE f.item = ?"
    with store.read() as db:
        rows = db.execute(f"{query} ORDER BY f.time", (item,)).fetchall()
    return [FeedbackLine.model_validate(dict(row)) for row in rows]
