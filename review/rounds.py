"""Reopening an item: all votes are asked for again, and those before are kept but do not count.

    reopen(db, item.id)                # version 3a9f2c… becomes 3a9f2c….2

A decision is about one version. The version of an item that was reopened is the hash of its text
and labels with the number of the round behind it, so that earlier votes are about another one. The
number only grows, also when a later run brings another text: votes of an earlier round never come
back by themselves.
"""

import sqlite3

from review.recount import recount_one

_MARK = "."


def round_of(version: str) -> int:
    """Return how often an item of this version was opened; 1 for one that never was again."""
    return int(version.partition(_MARK)[2] or 1)


def in_round(version: str, number: int) -> str:
    """Return a version, of whatever round, in a round."""
    text = version.partition(_MARK)[0]
    return text if number == 1 else f"{text}{_MARK}{number}"


def reopen(db: sqlite3.Connection, item: int) -> bool:
    """Ask for all votes on an item again, within a transaction, if the review is through with it.

    Where votes are still asked for, nothing changes: those who come next see the item anyway.
    Items that were set aside and gold items stay as they are.
    """
    row = db.execute(
        "SELECT version FROM items WHERE id = ? AND present = 1 AND gold IS NULL"
        " AND open_first = 0 AND open_second = 0 AND open_settle = 0",
        (item,),
    ).fetchone()
    if row is None:
        return False
    version = in_round(row["version"], round_of(row["version"]) + 1)
    db.execute("UPDATE items SET version = ? WHERE id = ?", (version, item))
    recount_one(db, item)
    return True
