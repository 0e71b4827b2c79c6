"""A hash of each clip's bytes, kept on disk, so that no clip is read through to find it in a cache.

    clips = ClipHashes(Path("runs/cache/frames/clips"))
    clips.of(Path("A01/001/View-1"))      # reads 103 JPEGs; next time only their dates

What is kept holds while the names, sizes and times of change (in ns) of the clip's files are the
same. Each clip has a small file of its own, written at once or not at all, so any number of
processes may share a folder; one that cannot be read is made again.
"""

import hashlib
import json
import os
import time
from pathlib import Path

from flex.dataset import frame_files
from flex.files import hash_file, hash_text, write_text
from flex.problems import InputError, Problem

# A file that has just changed may change again within the file system's tick, its time unmoved.
_SETTLED_NS = 2_000_000_000


class ClipHashes:
    """A folder of hashes, and those that this process has met."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._met: dict[str, tuple[str, str]] = {}

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a clip: of a file's bytes, or of the names and bytes in a folder.

        Raises:
            InputError: there is no such clip.
        """
        try:
            seen, changed_ns = _listing(path)
            place = str(path.absolute())
            found = self._met.get(place) or self._read(place)
            if found is None or found[0] != seen:
                settled = changed_ns + _SETTLED_NS < time.time_ns()
                found = (seen, _hash(path))
                if settled and _listing(path)[0] == seen:
                    write_text(self._row(place), json.dumps([place, *found]) + "\n")
            self._met[place] = found
            return found[1]
        except OSError as error:
            raise _unreadable(path, error) from error

    def known(self, path: Path) -> str | None:
        """Return the hash of a clip if it is kept; reads no byte of the clip.

        Raises:
            InputError: there is no such clip.
        """
        seen, place = listing(path), str(path.absolute())
        found = self._met.get(place) or self._read(place)
        return found[1] if found is not None and found[0] == seen else None

    def _row(self, place: str) -> Path:
        name = hash_text("clip", place)
        return self.folder / name[:2] / f"{name}.json"

    def _read(self, place: str) -> tuple[str, str] | None:
        try:
            kept, seen, digest = json.loads(self._row(place).read_text("utf-8"))
        except (OSError, ValueError, TypeError):
            return None
        return (str(seen), str(digest)) if kept == place else None


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError([Problem(str(path), f"cannot be read: {error.strerror}")])


def listing(path: Path) -> str:
    """Return a hash of the names, sizes and times of a clip's files; reads no byte of them.

    Raises:
        InputError: there is no such clip.
    """
    try:
        return _listing(path)[0]
    except OSError as error:
        raise _unreadable(path, error) from error


def _listing(path: Path) -> tuple[str, int]:
    """Return a hash of the names, sizes and times of a clip's files, and the latest time."""
    files = frame_files(path) if path.is_dir() else [path]
    found = [(file.name, os.stat(file)) for file in files]
    rows = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in found]
    return hash_text("files", *rows), max((stat.st_mtime_ns for _, stat in found), default=0)


def _hash(path: Path) -> str:
    if not path.is_dir():
        return hash_file(path)
    digest = hashlib.sha256()
    for file in frame_files(path):
        digest.update(f"{file.name} {hash_file(file)}\n".encode())
    return digest.hexdigest()
