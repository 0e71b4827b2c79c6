"""Reads chosen frames of a video file, exactly, by decoding through or by seeking.

Decoding through is fastest while wanted frames share a group of pictures; a seek pays only once a
later key frame lies before the next wanted frame. So the file's packets are listed first (that
decodes nothing), and a seek happens only past a key frame.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flex.problems import InputError, Problem

DEFAULT_FPS = 30.0


class VideoInfo(NamedTuple):
    """What a clip is like; `width` and `height` in pixels, as it is to be shown."""

    frames: int
    fps: float
    width: int
    height: int


class _Packets(NamedTuple):
    """When each picture is shown, in order, and which of them are key frames, in `unit_s`."""

    shown_at: list[int]
    keys: list[int]
    unit_s: float


def probe_video(path: Path) -> VideoInfo:
    """Return what a video file or a picture is like.

    Raises:
        InputError: it is missing, has no pictures, or breaks off.
    """
    with open_video(path) as (container, stream):
        packets = _list_packets(path, container, stream)
        fps = _fps(stream)
    with open_video(path) as (container, stream):
        first = next(container.decode(stream), None)
    if first is None:
        raise InputError([Problem(str(path), "has no picture that can be decoded")])
    sides = (first.height, first.width) if _quarters(first) % 2 else (first.width, first.height)
    return VideoInfo(len(packets.shown_at), fps, *sides)


def read_pictures(
    path: Path,
    indices: Sequence[int],
    size: tuple[int, int],
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda picture: picture,
) -> list[NDArray[np.uint8]]:
    """Return pictures by number (ascending, from 0), each (H, W, 3) uint8 RGB of `size`.

    Args:
        path: a video file, or a picture.
        indices: which pictures; one that occurs twice is decoded once.
        size: (width, height); colours are converted and the size is changed in one step.
        change: what is done with each picture as it comes, so that no large ones pile up.

    Raises:
        InputError: the file breaks off, or a wanted picture cannot be decoded.
    """
    found: dict[int, NDArray[np.uint8]] = {}
    packets = _packets_with(path, indices)
    with open_video(path) as (container, stream):
        for index, frame in _decode(container, stream, packets, sorted(set(indices))):
            if frame.is_corrupt:
                raise InputError([Problem(str(path), f"frame {index} is damaged")])
            found[index] = change(_picture(frame, size))
    lost = sorted(set(indices) - set(found))
    if lost:
        raise InputError([Problem(str(path), f"frame {lost[0]} cannot be decoded")])
    return [found[index] for index in indices]


def picture_times(path: Path, indices: Sequence[int]) -> list[float]:
    """Return when pictures are shown, in seconds from the file's first one; decodes nothing.

    At a variable frame rate this is not the number over the frame rate.

    Args:
        path: a video file, or a picture.
        indices: which pictures, from 0, in the order in which they are shown.

    Raises:
        InputError: the file breaks off, or has no such picture.
    """
    packets = _packets_with(path, indices)
    first = packets.shown_at[0]
    return [(packets.shown_at[index] - first) * packets.unit_s for index in indices]


def _packets_with(path: Path, indices: Sequence[int]) -> _Packets:
    with open_video(path) as (container, stream):
        packets = _list_packets(path, container, stream)
    if max(indices) >= len(packets.shown_at):
        message = f"has {len(packets.shown_at)} frames, wanted number {max(indices)}"
        raise InputError([Problem(str(path), message)])
    return packets


def _fps(stream: Any) -> float:
    return float(stream.average_rate or stream.guessed_rate or DEFAULT_FPS)


def _picture(frame: Any, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a frame as it is to be shown: phones store upright videos lying on their side."""
    quarters = _quarters(frame)
    stored = (size[1], size[0]) if quarters % 2 else size
    picture = frame.reformat(*stored, format="rgb24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, quarters))


def _quarters(frame: Any) -> int:
    """Return the quarter turns, counterclockwise, that make a frame upright."""
    quarters: int = round(frame.rotation / 90) % 4
    return quarters


@contextmanager
def open_video(path: Path, *, threads: int | None = None) -> Iterator[tuple[Any, Any]]:
    """Open a file's first video: its PyAV container and stream.

    Args:
        path: the file.
        threads: that decode it; `None`: as many as FFmpeg takes. One, where each worker has one
            processor.

    Raises:
        InputError: no file, no video in it, or what is read inside cannot be decoded.
    """
    import av
    import av.error

    if not path.exists():
        raise InputError([Problem(str(path), "is missing")])
    try:
        # Titles may be in any encoding; nobody reads them here.
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise InputError([Problem(str(path), "has no video stream")])
            stream = container.streams.video[0]
            if threads is None:
                stream.thread_type = "AUTO"
            else:
                stream.codec_context.thread_count = threads
            yield container, stream
    except (av.error.FFmpegError, OSError) as error:
        raise InputError([Problem(str(path), f"cannot be decoded: {error}")]) from error


def _list_packets(path: Path, container: Any, stream: Any) -> _Packets:
    shown_at: list[int] = []
    keys: list[int] = []
    unit_s = float(stream.time_base or 1 / _fps(stream))
    trimmed = 0  # in the file, but cut away by its edit list, as phones do
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.is_discard:
            trimmed += 1
            continue
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None:
            # Bare streams hold no times: their pictures follow at the frame rate.
            at, unit_s = len(shown_at), 1 / _fps(stream)
        shown_at.append(at)
        if packet.is_keyframe:
            keys.append(at)
    if not shown_at:
        raise InputError([Problem(str(path), "has no pictures")])
    if len(shown_at) + trimmed < stream.frames:
        message = f"breaks off after {len(shown_at) + trimmed} of {stream.frames} frames"
        raise InputError([Problem(str(path), message)])
    return _Packets(sorted(shown_at), sorted(keys), unit_s)


def _decode(
    container: Any, stream: Any, packets: _Packets, wanted: Sequence[int]
) -> Iterator[tuple[int, Any]]:
    """Yield (number, picture) for each wanted number, seeking past key frames."""
    decoding = container.decode(stream)
    reached = packets.shown_at[0]
    for index in wanted:
        target = packets.shown_at[index]
        key = bisect_right(packets.keys, target) - 1
        if key > 0 and packets.keys[key] > reached:
            container.seek(packets.keys[key], stream=stream)
            decoding = container.decode(stream)
        for frame in decoding:
            if frame.pts is None or frame.pts >= target:
                reached = target + 1
                yield index, frame
                break
