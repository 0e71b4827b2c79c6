"""Keeps arrays on disk, one file each, named by a hash of all that they depend on.

    cache = ArrayCache(Path("runs/cache/aqa/features"))
    features = cache.get(key, lambda: backbone(...))     # memory-mapped, read-only

Files appear whole or not at all, so any number of processes may share a folder; two that make the
same entry write the same bytes. A broken entry is told and made again.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flex.dataset import frame_files
from flex.files import atomic_path
from flex.problems import InputError, Problem
from flex.shared_bytes import hash_recording


class ArrayCache:
    """A folder of `.npy` files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Return the file that holds, or would hold, an entry."""
        return self.folder / key[:2] / f"{key}.npy"

    def find(self, key: str) -> NDArray[Any] | None:
        """Return an entry, memory-mapped; `None` if it is not there or cannot be read."""
        path = self.path(key)
        if not path.exists():
            return None
        try:
            found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            warnings.warn(f"{path}: cannot be read ({error}); it is made again", stacklevel=2)
            return None
        return found

    def keep(self, key: str, array: NDArray[Any]) -> None:
        """Write an entry."""
        with atomic_path(self.path(key)) as name:
            np.save(name, np.ascontiguousarray(array))

    def get(self, key: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Return an entry, made if it is not there."""
        found = self.find(key)
        if found is None:
            found = make()
            self.keep(key, found)
        return found


class ClipHashes:
    """Hashes of clips' bytes; they are read again only when a file's size or time changes."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, int, int], ...], str] = {}

    def of(self, path: Path) -> str:
        """Return the hash of a file, or of a folder of frames.

        Raises:
            InputError: there is no such clip.
        """
        try:
            files = frame_files(path) if path.is_dir() else [path]
            states = [(str(file), file.stat()) for file in files]
            key = tuple((name, s.st_size, s.st_mtime_ns) for name, s in states)
            if key not in self._known:
                self._known[key] = hash_recording(path)
        except OSError as error:
            raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
        return self._known[key]
