"""Has a step changed since it was done? Hashes of its commands and of what it reads."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flex.files import hash_file, hash_text
from flex.problems import InputError, Problem
from reproduce.chain import Step

# A larger file is known by its size and the time of its last change.
_READ_WHOLE = 2**26


class ClipHashes:
    """Hashes of files and folders; each is looked at once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of_step(self, step: Step, before: Mapping[str, str], python: str) -> str:
        """Return a hash of a step's commands and inputs, and of the steps that it needs.

        Args:
            step: a filled step.
            before: step → its fingerprint, for the steps run already.
            python: this Python, whose path does not count.

        Raises:
            InputError: an input that is missing.
        """
        missing = [path for path in step.inputs if not Path(path).exists()]
        if missing:
            place = f"step {step.name}"
            raise InputError(Problem(place, f"its input {path} is missing") for path in missing)
        commands = [command.replace(python, "python") for command in step.commands]
        inputs = [f"{path} {self.of_path(Path(path))}" for path in step.inputs]
        needs = [f"{name} {before.get(name, '')}" for name in step.needs]
        return hash_text(step.name, *commands, "inputs", *inputs, "needs", *needs)

    def of_path(self, path: Path) -> str:
        """Return a hash of a file's bytes, or of names, sizes and times of all files in a folder.

        Bytes of 3 TB take hours to read, so a folder is known by what its listing says.
        """
        key = str(path)
        if key not in self._known:
            self._known[key] = _listing(path) if path.is_dir() else _file(path)
        return self._known[key]

    def forget(self, paths: Iterable[str]) -> None:
        """Look anew at what a step has written: these paths, and what lies in or around them."""
        for path in map(Path, paths):
            for key in list(self._known):
                if path.is_relative_to(key) or Path(key).is_relative_to(path):
                    del self._known[key]


def _file(path: Path) -> str:
    found = path.stat()
    if found.st_size <= _READ_WHOLE:
        return hash_file(path)[:16]
    return hash_text(str(found.st_size), str(found.st_mtime_ns))


def _listing(folder: Path) -> str:
    digest = hashlib.sha256()
    for line in _entries(folder, folder):
        digest.update(line.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()[:16]


def _entries(folder: Path, root: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _entries(Path(entry.path), root)
        else:
            seen = entry.stat()
            yield f"{os.path.relpath(entry.path, root)} {seen.st_size} {seen.st_mtime_ns}"
