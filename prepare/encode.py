"""Writes pictures as H.264 at their true times, or as the numbered JPEG frames of the layout.

    with open_mp4(path, size, fps, crf) as write:
        write(frame, time_s)

One thread and no time stamps in the file, so that equal pictures give equal bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CLOCK_HZ = 90_000
_KEY_FRAME_EVERY = 48
JPEG_QUALITY = 3  # of FFmpeg, 2 best to 31
Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def encoder_options(crf: int) -> dict[str, str]:
    """Return FFmpeg's options for x264, which give equal pictures equal bytes.

    With the macroblock tree, x264 on AVX-512 gives other bytes in some runs of a hundred.
    """
    return {"preset": "veryfast", "crf": str(crf), "threads": "1", "x264-params": "mbtree=0"}


@contextmanager
def open_mp4(
    path: Path, size: tuple[int, int], fps: float, crf: int
) -> Iterator[Callable[[Any, float], None]]:
    """Give a function that writes a yuv420p frame at a time in seconds.

    Args:
        path: the file; its folder is made if it is missing.
        size: (width, height), even.
        fps: the usual rate, which the file states.
        crf: constant rate factor of x264; lower is better.
    """
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _CLOCK_HZ)
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = _KEY_FRAME_EVERY
        stream.options = encoder_options(crf)

        def write(frame: Any, time_s: float) -> None:
            frame.pts = round(time_s * _CLOCK_HZ)
            frame.time_base = Fraction(1, _CLOCK_HZ)
            frame.pict_type = 0  # as the encoder likes, not as the source had it
            container.mux(stream.encode(frame))

        yield write
        container.mux(stream.encode(None))


def fitted(width: int, height: int, lines: int) -> tuple[int, int]:
    """Return even sides near the aspect, of at most so many lines; never larger."""
    scale = min(1.0, lines / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def planes_of(frame: Any) -> Planes:
    """Return the planes of a yuv420p frame: (H, W), and two of (H / 2, W / 2)."""
    flat = frame.to_ndarray(format="yuv420p")
    height, width = frame.height, frame.width
    half = (height // 2, width // 2)
    blue, red = flat[height:].reshape(2, *half)
    return flat[:height].copy(), blue.copy(), red.copy()


def frame_of(planes: Planes) -> Any:
    """Return a yuv420p frame with these planes."""
    import av

    width = planes[0].shape[1]
    colour = np.concatenate([plane.reshape(-1) for plane in planes[1:]]).reshape(-1, width)
    flat = np.concatenate([planes[0], colour])
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(flat), format="yuv420p")
