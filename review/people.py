"""Who reviews, and in which role.

add_person(store, "ana", "first")
"""

import sqlite3
import time

from flex.problems import InputError, Problem, nearest
from review.records import ROLES, Person, Role
from review.store import Store

LONGEST_NAME = 80


def add_person(store: Store, name: str, role: Role) -> Person:
    """Add a person, or change the role; what the person decided before keeps its stage.

    Raises:
        InputError: an empty or very long name, or no such role.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"expected a name of 1 to {LONGEST_NAME} characters on one line"
        raise InputError([Problem(f"name {name!r}", message)])
    if role not in ROLES:
        raise InputError([Problem(f"role {role!r}", f"expected one of {', '.join(ROLES)}")])
    with store.write() as db:
        db.execute(
            "INSERT INTO people VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET role = ?",
            (name, role, time.time(), role),
        )
    return Person(name, role)


def people(store: Store) -> list[Person]:
    """Return everybody, by name."""
    with store.read() as db:
        rows = db.execute("SELECT name, role FROM people ORDER BY name").fetchall()
    return [Person(row["name"], row["role"]) for row in rows]


def get_person(store: Store, name: str) -> Person:
    """Return a person.

    Raises:
        InputError: nobody has that name; the nearest one is named.
    """
    with store.read() as db:
        return find_person(db, name)


def find_person(db: sqlite3.Connection, name: str) -> Person:
    """Return a person, within a transaction; raises `InputError` if nobody has that name."""
    row = db.execute("SELECT name, role FROM people WHERE name = ?", (name,)).fetchone()
    if row is None:
        known = [row["name"] for row in db.execute("SELECT name FROM people")]
        hint = nearest(name, known) or "; add people with `python -m review people NAME --role …`"
        raise InputError([Problem(name, f"nobody has this name here{hint}")])
    return Person(row["name"], row["role"])
