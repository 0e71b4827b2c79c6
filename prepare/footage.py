"""When each frame of a view was taken, and its frames within a span of time.

    footage = list_frames(path)                   # demuxes, decodes nothing
    for time_s, frame in frames_between(path, 12.0, 14.5): ...

Times are the file's own, from its first frame, so a variable rate stays what it is. A file that
breaks off is used as far as it goes; `breaks_off` says where.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.video_reader import open_video

_ENERGY_WIDTH = 64


@dataclass(frozen=True)
class Footage:
    """What a view holds.

    Attributes:
        times_s: (N,) when each frame is shown, seconds from the first, rising.
        breaks_off: how many frames the file promises, if it holds fewer.
    """

    times_s: Floats
    breaks_off: int | None

    @property
    def fps(self) -> float:
        """The usual rate: one over the median time between frames."""
        return float(1 / np.median(np.diff(self.times_s))) if len(self.times_s) > 1 else 1.0

    @property
    def longest_gap_s(self) -> float:
        """The longest time between two frames."""
        return float(np.diff(self.times_s).max()) if len(self.times_s) > 1 else 0.0


@functools.lru_cache(maxsize=16)
def list_frames(path: Path) -> Footage:
    """Return when the frames of a video are shown.

    Raises:
        InputError: the file is missing, cannot be opened, or holds no pictures.
    """
    with open_video(path, threads=1) as (container, stream):
        shown = [
            packet.pts if packet.pts is not None else packet.dts
            for packet in container.demux(stream)
            if packet.size and not packet.is_discard
        ]
        promised, unit_s = stream.frames, float(stream.time_base)
    times = sorted(at for at in shown if at is not None)
    if not times:
        raise InputError([Problem(str(path), "has no pictures")])
    breaks_off = promised if len(times) < promised else None
    return Footage((np.array(times) - times[0]) * unit_s, breaks_off)


def frames_between(path: Path, start_s: float, end_s: float) -> Iterator[tuple[float, Any]]:
    """Yield (time, decoded frame) for the frames in [start, end), by the file's own clock.

    Raises:
        InputError: the file cannot be read, or a frame of the span is damaged.
    """
    with open_video(path, threads=1) as (container, stream):
        first = _first_pts(container, stream)
        unit_s = float(stream.time_base)
        container.seek(int(first + max(start_s, 0.0) / unit_s), stream=stream)
        for frame in container.decode(stream):
            time_s = (frame.pts - first) * unit_s
            if time_s >= end_s - 1e-9:
                return
            if time_s < start_s - 1e-9:
                continue
            if frame.is_corrupt:
                raise InputError([Problem(str(path), f"the frame at {time_s:.3f} s is damaged")])
            yield time_s, frame


def motion_energy(path: Path) -> tuple[Floats, Floats]:
    """Return how much each picture differs from the one before.

    Returns:
        times_s: (N − 1,) half-way between two frames, seconds from the first frame.
        energy: (N − 1,) mean absolute change of brightness from one to the other, 0 to 255.

    Raises:
        InputError: the file cannot be read, or holds fewer than two pictures.
    """
    times, energy, before = [], [], None
    with open_video(path, threads=1) as (container, stream):
        for frame in _as_far_as_it_goes(container, stream):
            height = max(2, round(_ENERGY_WIDTH * frame.height / frame.width / 2) * 2)
            small = frame.reformat(_ENERGY_WIDTH, height, format="gray").to_ndarray()
            now = small.astype(np.float32)
            if before is not None:
                energy.append(float(np.abs(now - before).mean()))
            times.append(frame.pts)
            before = now
        unit_s = float(stream.time_base)
    if len(times) < 2:
        message = f"{len(times)} pictures can be decoded, expected two or more"
        raise InputError([Problem(str(path), message)])
    at = (np.array(times) - times[0]) * unit_s
    return (at[1:] + at[:-1]) / 2, np.array(energy)


def _as_far_as_it_goes(container: Any, stream: Any) -> Iterator[Any]:
    """Yield decoded frames until the end, or until the file breaks off."""
    import av.error

    frames = container.decode(stream)
    while True:
        try:
            yield next(frames)
        except (StopIteration, av.error.InvalidDataError, av.error.EOFError):
            return


def _first_pts(container: Any, stream: Any) -> int:
    if stream.start_time is not None:
        return int(stream.start_time)
    frame = next(container.decode(stream))
    return int(frame.pts)
