"""The driver's book: moves an item's files into place, then writes down that it is done."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.lists import Done, KeyedList, Quarantined
from engine.one_item import Finished, Refused
from flex.files import atomic_path


@dataclass(frozen=True)
class Book:
    """The two lists, and the folder that the files go to."""

    out: Path
    done: KeyedList
    quarantine: KeyedList

    def state(self, key: str, stamp: str) -> Literal["done", "quarantined", "todo"]:
        """Return what is known of an item; its files must still be there, at their sizes."""
        row = self.done.get(key)
        if row is not None and row["stamp"] == stamp and self._all_there(row["files"]):
            self.quarantine.remove(key)  # a retry that succeeded just before the driver was killed
            return "done"
        row = self.quarantine.get(key)
        return "quarantined" if row is not None and row["stamp"] == stamp else "todo"

    def enter(self, key: str, stamp: str, end: Finished | Refused) -> None:
        """Write down how an item ended; what it left when it was done before goes away."""
        files = end.files if isinstance(end, Finished) else {}
        for name, content in files.items():
            self._place(name, content)
        before = self.done.get(key)
        for name in (before["files"] if before else {}).keys() - files.keys():
            (self.out / name).unlink(missing_ok=True)
        if isinstance(end, Finished):
            sizes = {name: (self.out / name).stat().st_size for name in files}
            self.done.add(Done(key, stamp, sizes, json.loads(end.result)))
            self.quarantine.remove(key)
        else:
            self.quarantine.add(Quarantined(key, stamp, end.reason))
            self.done.remove(key)

    def _place(self, name: str, content: Path | bytes) -> None:
        path = self.out / name
        if isinstance(content, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(content, path)
        else:
            with atomic_path(path) as temporary:
                temporary.write_bytes(content)

    def _all_there(self, files: dict[str, int]) -> bool:
        try:
            return all((self.out / name).stat().st_size == size for name, size in files.items())
        except OSError:
            return False
