"""Deciding and undoing: every change is a new event with its author and time.

    decision = decide(store, "ana", "A01/001", "accept", version=item.version)
    undo(store, "ana")                           # the last one of ana's that still counts

Nobody can overwrite what another person said: each has an own voice on an item, and all events are
kept. Whoever decides says which version they saw; if the dialogue has changed meanwhile,
`ConflictError` is raised and nothing is written.
"""

import json
import sqlite3
import time
from collections.abc import Iterable

from flex.problems import InputError, Problem
from review.people import find_person
from review.records import (
    ACTIONS,
    DECISION_COLUMNS,
    Action,
    Decision,
    Item,
    decision_of,
    find_item,
)
from review.recount import recount_one
from review.rules import find_rules
from review.store import Store

LONGEST_TEXT = 20_000


class ConflictError(InputError):
    """The dialogue is not any more what the person saw; look at it again."""


def decide(
    store: Store,
    person: str,
    clip: str,
    action: Action,
    *,
    version: str,
    text: str | None = None,
    reason: str | None = None,
    occurrences: Iterable[str] | None = None,
    duration_ms: int | None = None,
    origin: str | None = None,
    now: float | None = None,
) -> Decision:
    """Keep what a person says of an item, in place of what the same person said before.

    Args:
        store: the review.
        person: who decides.
        clip: the item's clip.
        action: accept, edit or reject.
        version: `Item.version` as the person saw it.
        text: the evaluation that the person edited or, in the second stage, accepted; `None` or
            the generated text: the generated one.
        reason: why it was rejected; needed for that.
        occurrences: the errors that the person saw in the clip, such as `AK04:ET015`. Without it,
            who accepts or edits agrees with the labels, and who rejects says nothing of them.
        duration_ms: how long the person looked, in milliseconds.
        origin: an id of the request; the second call with the same one changes nothing.
        now: seconds since 1970, for tests and imports.

    Raises:
        ConflictError: the dialogue has changed since the person saw it, or was set aside.
        InputError: nobody of that name, no such clip, an edit without change, a reject without
            reason, errors that were not looked for.
    """
    with store.write() as db:
        if origin is not None and (known := _by_origin(db, origin)):
            return known
        who, item = find_person(db, person), find_item(db, clip)
        if item.version != version:
            message = (
                "the dialogue has changed, or was reopened, since you saw it; look at it again"
            )
            raise ConflictError([Problem(clip, message)])
        if not item.present:
            message = "the clip is not in the run that was loaded last"
            raise ConflictError([Problem(clip, message)])
        kept = None if text is None or text.strip() == item.evaluation.strip() else text.strip()
        seen = None if occurrences is None else tuple(dict.fromkeys(occurrences))
        problems = list(_problems(item, action, kept, reason, seen))
        if problems:
            raise InputError(Problem(clip, message) for message in problems)
        if seen is None and action != "reject":
            seen = item.labels
        decision = db.execute(
            "INSERT INTO decisions (item, person, stage, settles, action, text, reason,"
            " occurrences, version, time_s, duration_ms, origin)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item.id,
                who.name,
                who.stage,
                who.role == "admin",
                action,
                None if action == "reject" else kept,
                reason.strip() if reason and reason.strip() else None,
                None if seen is None else json.dumps(seen),
                version,
                time.time() if now is None else now,
                duration_ms,
                origin,
            ),
        ).lastrowid
        db.execute(
            "INSERT OR REPLACE INTO voices VALUES (?, ?, ?, ?)",
            (item.id, who.name, version, decision),
        )
        db.execute("DELETE FROM leases WHERE item = ? AND person = ?", (item.id, who.name))
        recount_one(db, item.id)
        return _decision(db, decision)


def undo(
    store: Store, person: str, clip: str | None = None, *, now: float | None = None
) -> Decision | None:
    """Take back a person's last decision (on `clip`, if given) and return it; `None` if none.

    What the person said of the item before counts again. The item is handed to the person next.

    Raises:
        InputError: nobody of that name, no such clip.
    """
    at = time.time() if now is None else now
    with store.write() as db:
        who = find_person(db, person)
        where = "" if clip is None else " AND v.item = ?"
        values = (who.name,) if clip is None else (who.name, find_item(db, clip).id)
        row = db.execute(
            f"SELECT {DECISION_COLUMNS} FROM voices v JOIN decisions d ON d.id = v.decision"
            f" JOIN items i ON i.id = v.item WHERE v.person = ?{where}"
            " ORDER BY v.decision DESC LIMIT 1",
            values,
        ).fetchone()
        if row is None:
            return None
        undone = decision_of(row)
        db.execute(
            "INSERT INTO decisions (item, person, stage, settles, action, undoes, version, time_s)"
            " VALUES (?, ?, ?, ?, 'undo', ?, ?, ?)",
            (
                undone.item,
                who.name,
                undone.stage,
                undone.settles,
                undone.id,
                undone.version,
                at,
            ),
        )
        _restore(db, undone.item, who.name)
        db.execute("DELETE FROM leases WHERE person = ? AND NOT skipped", (who.name,))
        db.execute(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, 0, ?)",
            (undone.item, who.name, who.stage, at + find_rules(db).lease_s),
        )
        recount_one(db, undone.item)
        return undone


def recent(store: Store, person: str, limit: int = 20) -> list[Decision]:
    """Return a person's last decisions that were not undone, the latest first."""
    with store.read() as db:
        rows = db.execute(
            f"SELECT {DECISION_COLUMNS} FROM voices v JOIN decisions d ON d.id = v.decision"
            " JOIN items i ON i.id = v.item WHERE v.person = ? ORDER BY v.decision DESC LIMIT ?",
            (person, limit),
        ).fetchall()
    return [decision_of(row) for row in rows]


def history(store: Store, clip: str) -> list[sqlite3.Row]:
    """Return every event about a clip, undone ones and undos too, oldest first.

    Raises:
        InputError: no such clip.
    """
    with store.read() as db:
        item = find_item(db, clip)
        return db.execute(
            "SELECT * FROM decisions WHERE item = ? ORDER BY id", (item.id,)
        ).fetchall()


def _problems(
    item: Item, action: str, text: str | None, reason: str | None, seen: tuple[str, ...] | None
) -> Iterable[str]:
    if action not in ACTIONS:
        yield f"action: expected one of {', '.join(ACTIONS)}, found {action!r}"
    if action == "edit" and not text:
        yield "text: an edit needs a text that differs from the generated one; else accept it"
    if text is not None and len(text) > LONGEST_TEXT:
        yield f"text: {len(text):,} characters, at most {LONGEST_TEXT:,} are expected"
    if action == "reject" and not (reason and reason.strip()):
        yield "reason: say what is wrong with it"
    outside = [found for found in seen or () if found not in item.scope]
    if outside:
        yield f"occurrences: {', '.join(outside)} was not looked for in this clip"
    elif action == "accept" and seen is not None and set(seen) != set(item.labels):
        yield "occurrences: whoever accepts agrees with the labels; edit or reject it instead"


def _by_origin(db: sqlite3.Connection, origin: str) -> Decision | None:
    query = f"SELECT {DECISION_COLUMNS} FROM decisions d JOIN items i ON i.id = d.item"
    row = db.execute(f"{query} WHERE d.origin = ?", (origin,)).fetchone()
    return None if row is None else decision_of(row)


def _decision(db: sqlite3.Connection, decision: int | None) -> Decision:
    query = f"SELECT {DECISION_COLUMNS} FROM decisions d JOIN items i ON i.id = d.item"
    return decision_of(db.execute(f"{query} WHERE d.id = ?", (decision,)).fetchone())


def _restore(db: sqlite3.Connection, item: int, person: str) -> None:
    """Let the person's latest decision on the item that was not undone count; else none."""
    row = db.execute(
        "SELECT id, version FROM decisions d WHERE item = ? AND person = ? AND action <> 'undo'"
        " AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.item = d.item AND u.undoes = d.id)"
        " ORDER BY id DESC LIMIT 1",
        (item, person),
    ).fetchone()
    if row is None:
        db.execute("DELETE FROM voices WHERE item = ? AND person = ?", (item, person))
    else:
        db.execute(
            "UPDATE voices SET decision = ?, version = ? WHERE item = ? AND person = ?",
            (row["id"], row["version"], item, person),
        )
