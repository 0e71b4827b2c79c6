"""One view of one clip: decodes its span once, scales, and writes video and numbered frames.

    film_view(path, (12.3, 15.0), offset_s=0.4, film=Film(lines=540, crf=20, video=out))

Frames keep their true times. A view that starts after the clip, ends before it, or has a gap in it
is refused.
"""

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flex import pictures
from flex.dataset import FRAMES_PER_CLIP
from flex.number_table import Floats
from flex.problems import InputError, Problem
from prepare.encode import JPEG_QUALITY, fitted, frame_of, open_mp4, planes_of
from prepare.faces import mosaic
from prepare.footage import frames_between, list_frames

LONGEST_GAP_S = 0.1
Head = Callable[[float, int], tuple[Floats, float] | None]


@dataclass(frozen=True, kw_only=True)
class Film:
    """What is written of a view.

    Attributes:
        lines: the most lines of the pictures.
        crf: constant rate factor of the video.
        fps: the most frames a second of the video; `None` for all.
        video: the file of the video, or `None`.
        pictures: the folder of the 103 frames, or `None`.
        heads: (time on the clock of the set, width in pixels) → centre and radius of the head to
            make unrecognisable.
    """

    lines: int
    crf: int
    fps: float | None = None
    video: Path | None = None
    pictures: Path | None = None
    heads: Head | None = None


def film_view(path: Path, span_s: tuple[float, float], offset_s: float, film: Film) -> int:
    """Write a view of a clip; return how many frames its video has.

    Args:
        path: the whole view.
        span_s: start and end of the clip on the clock of the set.
        offset_s: when the view's first frame was taken on that clock.
        film: what to write.

    Raises:
        InputError: the view does not cover the clip, has a gap in it, or cannot be decoded.
        OSError: the disk is full.
    """
    import av.error

    times_s = list_frames(path).times_s + offset_s
    start_s, end_s = span_s
    inside = times_s[(times_s >= start_s) & (times_s < end_s)]
    _require_covered(path, times_s, inside, span_s)
    places = np.searchsorted((inside[1:] + inside[:-1]) / 2, _spread(inside))
    wanted = _in_ticks(inside - start_s, film.fps) if film.video else np.zeros(0, dtype=bool)
    fps = film.fps or float(1 / np.median(np.diff(inside)))
    try:
        with ExitStack() as stack:
            write = None
            for number, frame in enumerate(_upright(path, span_s, offset_s, inside, film)):
                if film.video and write is None:
                    size = (frame.width, frame.height)
                    write = stack.enter_context(open_mp4(film.video, size, fps, film.crf))
                if film.pictures:
                    _write_jpegs(film.pictures, frame, np.flatnonzero(places == number))
                if write and wanted[number]:
                    write(frame, float(inside[number] - inside[0]))
    except av.error.FFmpegError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(error.errno, error.strerror) from error
        raise InputError([Problem(str(path), f"cannot be cut: {error}")]) from error
    return int(wanted.sum())


def _spread(inside: Floats) -> Floats:
    return np.linspace(inside[0], inside[-1], FRAMES_PER_CLIP)


def _in_ticks(since_s: Floats, fps: float | None) -> Any:
    """Return which frames are taken: the first in each tick of a clock of so many a second."""
    if fps is None:
        return np.ones(len(since_s), dtype=bool)
    ticks = np.floor(since_s * fps + 1e-6)
    return np.concatenate([[True], np.diff(ticks) > 0])


def _require_covered(
    path: Path, times_s: Floats, inside: Floats, span_s: tuple[float, float]
) -> None:
    edges = np.concatenate([[span_s[0]], inside, [span_s[1]]])
    gaps = np.diff(edges)
    worst = int(np.argmax(gaps))
    if len(inside) >= 2 and gaps[worst] <= LONGEST_GAP_S:
        return
    message = f"has no frames from {edges[worst]:.3f} to {edges[worst + 1]:.3f} s"
    message += f", in the repetition from {span_s[0]:.3f} to {span_s[1]:.3f} s"
    message += f"; the view goes from {times_s[0]:.3f} to {times_s[-1]:.3f} s"
    raise InputError([Problem(str(path), message)])


def _upright(
    path: Path, span_s: tuple[float, float], offset_s: float, inside: Floats, film: Film
) -> Iterator[Any]:
    """Yield the frames of the span as yuv420p, scaled, upright, heads made unrecognisable."""
    start_s, end_s = (time_s - offset_s for time_s in span_s)
    count = 0
    for number, (_, frame) in enumerate(frames_between(path, start_s, end_s)):
        quarters = round(frame.rotation / 90) % 4
        sides = (frame.width, frame.height)
        width, height = fitted(*(sides[::-1] if quarters % 2 else sides), film.lines)
        stored = (height, width) if quarters % 2 else (width, height)
        small = frame.reformat(*stored, format="yuv420p", interpolation="AREA")
        head = film.heads(float(inside[number]), width) if film.heads else None
        if quarters or head:
            planes = tuple(np.ascontiguousarray(np.rot90(p, quarters)) for p in planes_of(small))
            if head:
                for plane, scale in zip(planes, (1.0, 0.5, 0.5), strict=True):
                    mosaic(plane, head[0] * scale, head[1] * scale)
            small = frame_of(planes)  # type: ignore[arg-type]
        count += 1
        yield small
    if count != len(inside):
        message = f"{count} of {len(inside)} frames can be decoded"
        raise InputError([Problem(str(path), message)])


def _write_jpegs(folder: Path, frame: Any, places: Any) -> None:
    if not len(places):
        return
    folder.mkdir(parents=True, exist_ok=True)
    content = pictures.jpeg(frame.to_ndarray(format="rgb24"), JPEG_QUALITY)
    for place in places:
        (folder / f"img_{place + 1:05d}.JPG").write_bytes(content)
