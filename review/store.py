"""The review's SQLite file: several people, threads and processes at once, and nothing is lost.

    store = Store(Path("runs/review/review.db"))
    with store.write() as db:        # one short transaction; the disk has it when the block ends
        db.execute(...)

A connection serves one transaction at a time. Readers never wait (WAL). A writer takes the lock
when it begins, so that what it read still holds when it writes; the others wait for a moment. A
write that was acknowledged survives a killed server and a power cut (synchronous=FULL).
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from flex.problems import InputError, Problem

STORE = Path("runs/review/review.db")
SCHEMA = Path(__file__).with_name("schema.sql")
SCHEMA_VERSION = 1
# A writer waits this long for the others before it gives up; a transaction takes milliseconds.
BUSY_MS = 30_000


class Store:
    """A review's file, which is made if it is not there unless `create` is false."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._guard = threading.Lock()
        # Kept for the next transaction, of whatever thread: a server's threads come and go, and
        # each would leave its connection's files open.
        self._free: list[sqlite3.Connection] = []
        if not create and not path.is_file():
            message = "there is no review here; make one with `python -m review load RUN`"
            raise InputError([Problem(str(path), message)])
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two processes that start at once must not both turn on WAL.
        with FileLock(path.with_suffix(".lock")):
            self._prepare()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give a connection within a transaction that may write; an error undoes all of it."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the store, whatever others write meanwhile."""
        with self._connection() as db:
            db.execute("BEGIN")
            yield db

    def setting(self, name: str) -> Any:
        """Return a setting's value, or `None`."""
        with self.read() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def close(self) -> None:
        """Close the connections that no transaction uses."""
        with self._guard:
            while self._free:
                self._free.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to nobody else; what was not committed at the end is undone."""
        with self._guard:
            db = self._free.pop() if self._free else None
        if db is None:
            db = self._connect()
        try:
            yield db
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
            with self._guard:
                self._free.append(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def _prepare(self) -> None:
        try:
            with self._connection() as db:
                db.execute("PRAGMA journal_mode = WAL")
                version = db.execute("PRAGMA user_version").fetchone()[0]
                if version not in (0, SCHEMA_VERSION):
                    message = f"a review of format {version}; this program reads {SCHEMA_VERSION}"
                    raise InputError([Problem(str(self.path), message)])
                if version == 0:
                    db.executescript(SCHEMA.read_text(encoding="utf-8"))
                    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.DatabaseError as error:
            raise InputError([Problem(str(self.path), f"is no review store: {error}")]) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def put_setting(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Keep a setting, within a transaction."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))
