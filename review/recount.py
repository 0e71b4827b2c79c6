"""Works out what an item's standing decisions mean: its state, its voices, and who is asked next.

Called within the transaction that changed something, so the queue and the decisions never part.
"""

import sqlite3
from collections.abc import Iterable

from review.records import DECISION_COLUMNS, Decision, decision_of
from review.rules import Rules, find_rules
from review.store import Store
from review.verdicts import disagreement, verdict

_STANDING = f"""
SELECT {DECISION_COLUMNS} FROM voices v
JOIN decisions d ON d.id = v.decision
JOIN items i ON i.id = v.item AND i.version = v.version
"""


def standing(db: sqlite3.Connection, item: int) -> list[Decision]:
    """Return the decisions that count for an item: not undone, and about its present version."""
    rows = db.execute(f"{_STANDING} WHERE v.item = ? ORDER BY d.id", (item,))
    return [decision_of(row) for row in rows]


def all_standing(db: sqlite3.Connection) -> list[Decision]:
    """Return the decisions that count for all present items, in the order they were made."""
    rows = db.execute(f"{_STANDING} WHERE i.present = 1 ORDER BY d.id")
    return [decision_of(row) for row in rows]


def standing_decisions(store: Store) -> list[Decision]:
    """Return the decisions that count for all present items, in the order they were made."""
    with store.read() as db:
        return all_standing(db)


def stale(store: Store) -> list[Decision]:
    """Return the decisions that do not count: about an earlier text, or from an earlier round."""
    query = f"""
    SELECT {DECISION_COLUMNS} FROM voices v
    JOIN decisions d ON d.id = v.decision
    JOIN items i ON i.id = v.item AND i.version <> v.version ORDER BY d.id
    """
    with store.read() as db:
        rows = db.execute(query).fetchall()
    return [decision_of(row) for row in rows]


def recount(
    db: sqlite3.Connection, items: Iterable[tuple[int, bool, bool, float]], rules: Rules
) -> None:
    """Bring items up to date; each is (id, present, gold, doubt)."""
    for item, present, gold, doubt in items:
        decisions = standing(db, item)
        voting = [decision for decision in decisions if not decision.settles]
        first = sum(decision.stage == "first" for decision in voting)
        second = len(voting) - first
        found = verdict(decisions)
        queued = present and not gold
        heard_first = first >= rules.voices
        heard_all = heard_first and second >= rules.voices
        db.execute(
            "UPDATE items SET first_voices = ?, second_voices = ?, state = ?, uncertainty = ?,"
            " open_first = ?, open_second = ?, open_settle = ? WHERE id = ?",
            (
                first,
                second,
                found.state,
                max(doubt, disagreement(voting)),
                queued and not heard_first,
                queued and heard_first and not heard_all,
                queued and heard_all and found.undecided,
                item,
            ),
        )


def recount_one(db: sqlite3.Connection, item: int) -> None:
    """Bring one item up to date."""
    _recount_where(db, "WHERE id = ?", (item,))


def recount_all(db: sqlite3.Connection) -> None:
    """Bring all items up to date, as after other rules."""
    _recount_where(db, "", ())


def _recount_where(db: sqlite3.Connection, where: str, values: tuple[int, ...]) -> None:
    query = f"SELECT id, present, gold IS NOT NULL AS gold, doubt FROM items {where}"
    rows = [tuple(row) for row in db.execute(query, values)]
    recount(db, rows, find_rules(db))
