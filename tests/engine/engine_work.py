"""Work for the tests: deterministic files, and faults on demand."""

import errno
import os
import signal
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flex.files import hash_text
from flex.problems import InputError, Problem


@dataclass(frozen=True)
class Thing:
    """An item: its name, and what goes wrong with it."""

    name: str
    fault: str = ""


@dataclass(frozen=True)
class Draw:
    """Writes two files for each thing.

    Attributes:
        flag: folder where a fault leaves word that it happened, so that it happens once.
        seconds: how long one takes.
    """

    flag: Path
    seconds: float = 0.0
    factor: int = 1

    def __call__(self, thing: Thing, folder: Path) -> dict[str, object]:
        """Write them."""
        (folder / "text").mkdir()
        (folder / "text" / f"{thing.name}.txt").write_text(hash_text(thing.name) * 50)
        self._go_wrong(thing)
        time.sleep(self.seconds)
        size = len(thing.name) * self.factor
        (folder / f"{thing.name}.bin").write_bytes(bytes(range(size)))
        return {"name": thing.name, "size": size, "worker": self.table[0]}

    @cached_property
    def table(self) -> list[str]:
        """What is expensive to load, and is once a worker."""
        with (self.flag / "loaded.txt").open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        return ["any"]

    def _go_wrong(self, thing: Thing) -> None:
        (self.flag / f"started-{thing.name}").touch()
        if thing.fault == "bad":
            raise InputError([Problem(thing.name, "is damaged")])
        if thing.fault == "bug":
            raise ValueError("not foreseen")
        if thing.fault == "full":
            raise OSError(errno.ENOSPC, "no space")
        if thing.fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        mark = self.flag / f"fault-{thing.name}"
        if thing.fault == "once" and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if thing.fault == "mended" and not (self.flag / "mended").exists():
            raise InputError([Problem(thing.name, "is damaged")])


def things(count: int, **faults: str) -> list[Thing]:
    """Return some things; `faults` says which of them go wrong, and how."""
    names = [f"thing{n:03}" for n in range(count)]
    return [Thing(name, faults.get(name, "")) for name in names]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder that are not hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }
