"""What is done, and what cannot be done: two lists on disk, by an item's key.

While work goes on a line is added for each item that ends; when all have ended both lists are
written anew in the order of the items, so that they do not tell who was faster. In memory there
is a number for each line, not the line.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flex.files import atomic_write
from flex.problems import InputError, Problem

DONE = "done.jsonl"
QUARANTINE = "quarantine.jsonl"


@dataclass(frozen=True)
class Done:
    """An item that is done: its files by name, with their sizes in bytes, and its result."""

    key: str
    stamp: str
    files: dict[str, int]
    result: Any


@dataclass(frozen=True)
class Quarantined:
    """An item that cannot be done, and why."""

    key: str
    stamp: str
    reason: str


class KeyedList:
    """A file of JSON lines, each with a key; of two lines with one key the later counts."""

    def __init__(self, path: Path) -> None:
        """Read which keys there are.

        A last line that was cut off when the driver was killed is dropped.

        Raises:
            InputError: a line that is no object with a key, which no run of ours has written.
        """
        self.path = path
        self._at: dict[str, int] = {}
        if path.exists():
            self._mend()
            for offset, line in self._lines():
                self._at[_key(path, line)] = offset

    def __contains__(self, key: str) -> bool:
        return key in self._at

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the line of a key."""
        if key not in self._at:
            return None
        with self.path.open("rb") as stream:
            stream.seek(self._at[key])
            row: dict[str, Any] = json.loads(stream.readline())
        return row

    def add(self, row: Done | Quarantined) -> None:
        """Add a line."""
        line = json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            self._at[row.key] = stream.tell()
            stream.write(line)

    def remove(self, key: str) -> None:
        """Forget a key; its line leaves the file when that is settled."""
        self._at.pop(key, None)

    def settle(self, order: Sequence[str]) -> None:
        """Write the file anew, one line a key: those of `order` first, then the others by name.

        An empty list leaves no file.
        """
        known = set(order)
        keys = [k for k in order if k in self._at] + sorted(k for k in self._at if k not in known)
        if not keys:
            self.path.unlink(missing_ok=True)
            return
        at, offset = {}, 0
        with self.path.open("rb") as old, atomic_write(self.path) as new:
            for key in keys:
                old.seek(self._at[key])
                line = old.readline()
                new.write(line.decode())
                at[key] = offset
                offset += len(line)
        self._at = at

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        offset = 0
        with self.path.open("rb") as stream:
            for line in stream:
                yield offset, line
                offset += len(line)

    def _mend(self) -> None:
        end = 0
        for offset, line in self._lines():
            if line.endswith(b"\n"):
                end = offset + len(line)
        if end < self.path.stat().st_size:
            with self.path.open("r+b") as stream:
                stream.truncate(end)


def _key(path: Path, line: bytes) -> str:
    try:
        return str(json.loads(line)["key"])
    except (ValueError, KeyError, TypeError) as error:
        message = (
            f'expected an object with "key", found {line[:60]!r}; delete the file to start anew'
        )
        raise InputError([Problem(str(path), message)]) from error
