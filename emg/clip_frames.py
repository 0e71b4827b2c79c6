"""Frames of a clip at chosen times, for pictures and films of it.

    filmed = Filmed.of(clip)                              # its first view, or the named one
    for picture in filmed.at([0.0, 0.5], filmed.size_within(320, 240)):
        ...                                               # (H, W, 3) uint8 RGB

The frames of a clip whose record says how long it lasts are spread evenly over that time, as the
model takes them (`emg.inputs`); others go by their own clock. A few are held at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from flex.dataset import Clip, frame_files
from flex.problems import InputError, Problem
from flex.semg_frames import even_times
from flex.video import probe, times_of
from flex.video_reader import read_pictures

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Filmed:
    """One view of a clip.

    Attributes:
        path: a video file, or a folder of JPEG frames.
        times_s: (T,) when each frame is shown, in seconds from the first.
        width: of its frames in pixels, upright.
        height: the same.
    """

    path: Path
    times_s: Floats
    width: int
    height: int

    @classmethod
    def of(cls, clip: Clip, view: str | None = None) -> Self:
        """Return a view of a clip, the first if none is named; decodes next to nothing.

        Raises:
            InputError: the clip has no such view, or it cannot be read.
        """
        name = view if view is not None else min(clip.views, default="")
        if name not in clip.views:
            found = ", ".join(sorted(clip.views)) or "none"
            message = f"expected {f'the view {view}' if view else 'a view'}, found {found}"
            raise InputError([Problem(clip.clip, message)])
        path = clip.views[name]
        info = probe(path)
        lasts_s = clip.annotation.duration_s if clip.annotation else None
        if lasts_s is not None:
            times = even_times(info.frames, lasts_s)
        else:
            times = np.asarray(times_of(path, range(info.frames)), dtype=np.float64)
        return cls(path, times, info.width, info.height)

    @property
    def fps(self) -> float:
        """Frames a second, on average; 1 for a single frame."""
        lasts_s = float(self.times_s[-1] - self.times_s[0])
        return (len(self.times_s) - 1) / lasts_s if lasts_s else 1.0

    def size_within(self, width: int, height: int) -> tuple[int, int]:
        """Return the largest even (width, height) of the view's aspect that fits, in pixels."""
        scale = min(width / self.width, height / self.height)
        across, down = (max(2, 2 * round(scale * side / 2)) for side in (self.width, self.height))
        return across, down

    def at(self, times_s: Sequence[float], size: tuple[int, int]) -> Iterator[Bytes]:
        """Yield the frame that is nearest to each time, ascending: (height, width, 3) uint8 RGB.

        Args:
            times_s: seconds from the first frame.
            size: (width, height).

        Raises:
            InputError: a frame cannot be decoded.
        """
        between = (self.times_s[1:] + self.times_s[:-1]) / 2
        indices = np.searchsorted(between, times_s).tolist()
        files = frame_files(self.path) if self.path.is_dir() else []
        for start in range(0, len(indices), _AT_ONCE):
            some = indices[start : start + _AT_ONCE]
            if files:
                yield from (read_pictures(files[index], [0], size)[0] for index in some)
            else:
                yield from read_pictures(self.path, some, size)
