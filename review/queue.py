"""Which item a person looks at next.

    assignment = next_item(store, "ana")

Most hand-outs go by priority: flagged items first, then those on which earlier reviewers differ or
the writer had to be asked again, then those with the rarest error types. A share is drawn at random
instead, so that what looks harmless is audited too, and a share is gold: items with a known
answer, which everybody gets. Nobody gets an item twice, or one that has its voices; an item that is
with as many people as it needs is kept for them until their lease ends.
"""

import sqlite3
import time
from dataclasses import dataclass

from flex.files import hash_text
from review.people import find_person
from review.records import Decision, Item, Person, Role, Stage, find_item, item_of
from review.recount import standing
from review.rules import Rules, find_rules
from review.store import Store
from review.verdicts import verdict

_NONE = 0  # no item has this id
_PRIORITY = "flagged DESC, uncertainty DESC, rarity DESC, audit"
_OPEN: dict[Role, str] = {"first": "open_first", "second": "open_second", "admin": "open_settle"}
_INDEX: dict[Role, str] = {
    "first": "first_queue",
    "second": "second_queue",
    "admin": "settle_queue",
}
_MINE = """
NOT EXISTS (SELECT 1 FROM voices v
  WHERE v.item = i.id AND v.person = :person AND v.version = i.version)
AND NOT EXISTS (SELECT 1 FROM leases l
  WHERE l.item = i.id AND l.person = :person AND l.skipped AND l.until_s > :now)
AND i.id <> :after
"""
_FREE = """
i.{stage}_voices + (SELECT count(*) FROM leases l WHERE l.item = i.id AND l.stage = :stage
  AND NOT l.skipped AND l.until_s > :now) < :voices
"""


@dataclass(frozen=True)
class Assignment:
    """An item handed to a person.

    Attributes:
        text: the evaluation to judge: in the second stage the one that the first stage's majority
            edited, else the generated one.
        earlier: what the first stage said, for a second-stage reviewer; first-stage reviewers
            work blind, and for gold it is empty.
        until_s: until when the item is kept for the person, seconds since 1970.
    """

    item: Item
    person: Person
    text: str
    earlier: tuple[Decision, ...]
    until_s: float

    @property
    def seen(self) -> str:
        """What a person saw, as a word: the item's version, and the text if it was edited."""
        same = self.text == self.item.evaluation
        return self.item.version if same else f"{self.item.version}-{hash_text(self.text)}"


def next_item(store: Store, person: str, *, now: float | None = None) -> Assignment | None:
    """Hand out the next item, or `None` if nothing is left for this person at this moment.

    The same item is returned until the person decides or skips it.

    Raises:
        InputError: nobody of that name.
    """
    at = time.time() if now is None else now
    with store.write() as db:
        who, rules = find_person(db, person), find_rules(db)
        row = _held(db, who, at) or _draw(db, who, rules, at)
        if row is None:
            return None
        return _hand_out(db, who, item_of(row), at + rules.lease_s)


def open_item(store: Store, person: str, clip: str, *, now: float | None = None) -> Assignment:
    """Hand out a certain item, as when a person goes back to one.

    Raises:
        InputError: nobody of that name, or no such clip.
    """
    at = time.time() if now is None else now
    with store.write() as db:
        who = find_person(db, person)
        return _hand_out(db, who, find_item(db, clip), at + find_rules(db).lease_s)


def peek(store: Store, person: str, clip: str) -> Assignment:
    """Return what a person would see of an item now, without handing it out.

    Raises:
        InputError: nobody of that name, or no such clip.
    """
    with store.read() as db:
        return _assignment(db, find_person(db, person), find_item(db, clip), 0.0)


def upcoming(
    store: Store, person: str, clip: str, *, now: float | None = None
) -> Assignment | None:
    """Return what a person would get once `clip` is decided, without handing it out.

    It is a guess, for loading ahead: somebody else may be faster.

    Raises:
        InputError: nobody of that name, or no such clip.
    """
    at = time.time() if now is None else now
    with store.read() as db:
        who = find_person(db, person)
        row = _draw(db, who, find_rules(db), at, after=find_item(db, clip).id)
        return None if row is None else _assignment(db, who, item_of(row), 0.0)


def skip(store: Store, person: str, clip: str, *, now: float | None = None) -> None:
    """Put an item aside: others may have it at once, this person not before the lease time is over.

    Raises:
        InputError: nobody of that name, or no such clip.
    """
    at = time.time() if now is None else now
    with store.write() as db:
        who, item = find_person(db, person), find_item(db, clip)
        db.execute(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, 1, ?)",
            (item.id, who.name, who.stage, at + find_rules(db).lease_s),
        )


def _hand_out(db: sqlite3.Connection, who: Person, item: Item, until_s: float) -> Assignment:
    db.execute(
        "DELETE FROM leases WHERE person = ? AND NOT skipped",
        (who.name,),
    )
    db.execute(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, 0, ?)",
        (item.id, who.name, who.stage, until_s),
    )
    return _assignment(db, who, item, until_s)


def _assignment(db: sqlite3.Connection, who: Person, item: Item, until_s: float) -> Assignment:
    earlier: tuple[Decision, ...] = ()
    if who.role != "first" and item.gold is None:
        stages = ("first", "second") if who.role == "admin" else ("first",)
        earlier = tuple(d for d in standing(db, item.id) if d.stage in stages)
    proposed = verdict([decision for decision in earlier if decision.stage == "first"]).text
    return Assignment(item, who, proposed or item.evaluation, earlier, until_s)


def _held(db: sqlite3.Connection, who: Person, now: float) -> sqlite3.Row | None:
    """Return the item that the person has in hand, if it still needs this person."""
    open_column = _OPEN[who.role]
    found: sqlite3.Row | None = db.execute(
        f"SELECT i.* FROM leases h JOIN items i ON i.id = h.item"
        f" WHERE h.person = :person AND NOT h.skipped AND h.until_s > :now AND i.present"
        f" AND (i.{open_column} = 1 OR i.gold IS NOT NULL) AND {_MINE} LIMIT 1",
        {"person": who.name, "now": now, "after": _NONE},
    ).fetchone()
    return found


def _draw(
    db: sqlite3.Connection, who: Person, rules: Rules, now: float, *, after: int = _NONE
) -> sqlite3.Row | None:
    """Return the item that a person gets; with `after`, once that item is decided."""
    values = {
        "after": after,
        "person": who.name,
        "now": now,
        "stage": who.stage,
        "voices": rules.voices,
    }
    for query in _queries(db, who, rules, ahead=after != _NONE):
        found = db.execute(query, values).fetchone()
        if found is not None:
            row: sqlite3.Row = db.execute(
                "SELECT * FROM items WHERE id = ?", tuple(found)
            ).fetchone()
            return row
    return None


def _queries(
    db: sqlite3.Connection, who: Person, rules: Rules, *, ahead: bool = False
) -> list[str]:
    """Return what to ask for, the first that finds an item wins.

    What a hand-out is, is drawn from the person and how many events they have made, so that it
    needs no state and can be repeated.
    """
    by_priority = _query(f"INDEXED BY {_INDEX[who.role]}", _wanted(who), _PRIORITY)
    if who.role == "admin":
        return [by_priority]
    gold = _query(
        "INDEXED BY gold_queue", f"i.gold IS NOT NULL AND i.present = 1 AND {_MINE}", "audit"
    )
    at_random = _query(f"INDEXED BY {_audit_index(who.stage)}", _wanted(who), "audit")
    count = db.execute("SELECT count(*) FROM decisions WHERE person = ?", (who.name,)).fetchone()[0]
    drawn = int(hash_text(str(rules.seed), who.name, str(count + ahead)), 16) / 16**16
    if drawn < rules.gold_share:
        return [gold, by_priority]
    if drawn < rules.gold_share + rules.audit_share:
        return [at_random, gold]
    return [by_priority, gold]


def _query(index: str, wanted: str, order: str) -> str:
    return f"SELECT i.id FROM items i {index} WHERE {wanted} ORDER BY {order} LIMIT 1"


def _wanted(who: Person) -> str:
    if who.role == "admin":
        return f"i.open_settle = 1 AND {_MINE}"
    return f"i.{_OPEN[who.role]} = 1 AND {_MINE} AND {_FREE.format(stage=who.stage)}"


def _audit_index(stage: Stage) -> str:
    return f"{stage}_audit"
