"""Keeps the sampled frames of each clip, so that no clip is decoded twice.

    cache = FrameCache(Path("runs/cache/frames"))
    frames = cache.get(Path("A01/001/View-1.mp4"), Sampler())

An entry is keyed by the bytes of the clip and the sampler's settings (and the phases, for samplers
that use them), so a changed clip or setting is a new entry and nothing needs to be cleared. Any
number of processes may share a folder.
"""

import hashlib
import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flex.dataset import frame_files
from flex.files import atomic_path, hash_file, hash_text
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan
from flex.video import Frames, Sampler, sample, times_of

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class FrameCache:
    """A folder of sampled clips: raw uint8 pixels and their times, with a checksum."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes: dict[tuple[str, int, int], str] = {}

    def get(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> Frames:
        """Return `flex.video.sample` of the same, from the cache if it is there.

        A broken entry is named in a warning and made again.

        Raises:
            InputError: the clip cannot be decoded.
        """
        entry = self.entry(path, sampler, phases)
        if entry.exists():
            try:
                return _read(entry, path)
            except _UNREADABLE as error:
                warnings.warn(
                    f"{entry}: the cache entry cannot be read ({error}); decoding {path} again",
                    stacklevel=2,
                )
        frames = sample(path, sampler, phases)
        _write(entry, frames)
        return frames

    def entry(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> Path:
        """Return the file that holds, or would hold, a clip's frames."""
        key = self.key(path, sampler, phases)
        return self.folder / key[:2] / f"{key}.npz"

    def key(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> str:
        """Return a hash of all that the frames depend on."""
        used = phases if sampler.kind == "phases" else ()
        spans = json.dumps([span.model_dump() for span in used])
        return hash_text(self.clip_hash(path), sampler.fingerprint(), spans)

    def clip_hash(self, path: Path) -> str:
        """Return a hash of a clip's bytes; a file is read again only when size or time changes.

        Raises:
            InputError: there is no such clip.
        """
        if path.is_dir():
            digest = hashlib.sha256()
            for file in frame_files(path):
                digest.update(f"{file.name} {self._file_hash(file)}\n".encode())
            return digest.hexdigest()
        return self._file_hash(path)

    def _file_hash(self, path: Path) -> str:
        try:
            found = path.stat()
            known = (str(path), found.st_size, found.st_mtime_ns)
            if known not in self._hashes:
                self._hashes[known] = hash_file(path)
            return self._hashes[known]
        except OSError as error:
            raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error


def _read(entry: Path, path: Path) -> Frames:
    with entry.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        pixels, indices = stored["pixels"], stored["indices"]
        fps, total = stored["fps_total"]
        times = stored["times_s"] if "times_s" in stored.files else None
    if pixels.dtype != np.uint8 or pixels.shape[:1] != indices.shape:
        raise ValueError("it does not hold one picture for each index")
    if times is None:
        # Entries of the first versions lack the times, which are listed once without decoding.
        listed = times_of(path, indices.tolist())
        frames = Frames(pixels, tuple(indices.tolist()), float(fps), int(total), listed)
        _write(entry, frames)
        return frames
    return Frames(pixels, tuple(indices.tolist()), float(fps), int(total), tuple(times.tolist()))


def _write(entry: Path, frames: Frames) -> None:
    with atomic_path(entry) as name:
        np.savez(
            name,
            pixels=frames.pixels,
            indices=np.array(frames.indices),
            fps_total=np.array([frames.fps, frames.total]),
            times_s=np.array(frames.times_s),
        )
