"""Keeps the sampled frames of each clip, so that no clip is decoded twice.

    cache = FrameCache()                        # runs/cache/frames: of training and evaluation
    cache.get(Path("A01/001/View-1.mp4"), Sampler())

An entry is keyed by the bytes of the clip and the sampler's settings (and the phases, for samplers
that use them, and the rate of a folder of frames), so a changed clip or setting is a new entry and
nothing needs to be cleared. Any number of processes may share a folder.
"""

import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flex.dataset import frame_files
from flex.files import atomic_path, hash_text
from flex.frame_rate import folder_rate
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan
from flex.video import Frames, Sampler, sample, times_of
from vlm.clip_hashes import ClipHashes

FRAMES = Path("runs/cache/frames")
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class FrameCache:
    """A folder of sampled clips: raw uint8 pixels and their times, with a checksum."""

    def __init__(self, folder: Path = FRAMES, *, behind: Path | None = None) -> None:
        """Take a folder for what is decoded.

        Args:
            folder: is read and written.
            behind: another cache's folder, which is read only: what is there is not decoded again.
        """
        self.folder = folder
        self._behind = behind
        self._clips = ClipHashes(folder / "clips")

    def get(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> Frames:
        """Return `flex.video.sample` of the same, from the cache if it is there.

        A broken entry is named in a warning and made again.

        Raises:
            InputError: the clip cannot be decoded.
        """
        own, *others = self.places(path, sampler, phases)
        for entry in filter(Path.exists, (own, *others)):
            try:
                return _read(entry, path)
            except _UNREADABLE as error:
                warnings.warn(
                    f"{entry}: the cache entry cannot be read ({error}); decoding {path} again",
                    stacklevel=2,
                )
        frames = sample(path, sampler, phases)
        write_frames(own, frames)
        return frames

    def holds(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> bool:
        """Tell whether a clip's frames are known to be there; no byte of the clip is read.

        Raises:
            InputError: there is no such clip, or the rate of a folder is not known.
        """
        known = self._clips.known(path) is not None
        return known and self.entry(path, sampler, phases).exists()

    def entry(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> Path:
        """Return the file that holds, or would hold, a clip's frames."""
        return self.places(path, sampler, phases)[0]

    def places(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> list[Path]:
        """Return where a clip's frames may be found: the own entry, then the one behind."""
        name = entry_name(self.key(path, sampler, phases))
        return [folder / name for folder in (self.folder, self._behind) if folder]

    def key(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> str:
        """Return a hash of all that the frames depend on."""
        used = phases if sampler.kind == "phases" else ()
        spans = json.dumps([span.model_dump() for span in used])
        return hash_text(self.clip_hash(path), sampler.fingerprint(), spans, *_rate(path, sampler))

    def clip_hash(self, path: Path) -> str:
        """Return a hash of a clip's bytes; they are read again only when a size or time changes.

        Raises:
            InputError: there is no such clip.
        """
        return self._clips.of(path)


def entry_name(key: str) -> Path:
    """Return the name of an entry under a cache's folder."""
    return Path(key[:2]) / f"{key}.npz"


def write_frames(entry: Path, frames: Frames) -> None:
    """Write an entry, atomically."""
    with atomic_path(entry) as name:
        np.savez(
            name,
            pixels=frames.pixels,
            indices=np.array(frames.indices),
            fps_total=np.array([frames.fps, frames.total]),
            times_s=np.array(frames.times_s),
            doubled=np.array(frames.doubled),
        )


def _rate(path: Path, sampler: Sampler) -> list[str]:
    """Return what the times of a folder of frames depend on besides its bytes."""
    if not path.is_dir():
        return []
    files = frame_files(path)
    if not files:
        raise InputError([Problem(str(path), "holds no JPEG frames")])
    return [f"{folder_rate(path, len(files), sampler.folder_fps)!r} a second"]


def _read(entry: Path, path: Path) -> Frames:
    with entry.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        pixels, indices = stored["pixels"], stored["indices"]
        fps, total = stored["fps_total"]
        times = stored["times_s"] if "times_s" in stored.files else None
        doubled = bool(stored["doubled"]) if "doubled" in stored.files else False
    if pixels.dtype != np.uint8 or pixels.shape[:1] != indices.shape:
        raise ValueError("it does not hold one picture for each index")
    numbers = tuple(indices.tolist())
    if times is None:
        # Entries of the first versions lack the times, which are listed once without decoding.
        listed = times_of(path, numbers, float(fps))
        frames = Frames(pixels, numbers, float(fps), int(total), listed)
        write_frames(entry, frames)
        return frames
    return Frames(pixels, numbers, float(fps), int(total), tuple(times.tolist()), doubled)
