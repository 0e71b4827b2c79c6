"""Writes pictures as JPEG, with PyAV alone."""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt


def jpeg(picture: npt.NDArray[np.uint8], quality: int) -> bytes:
    """Return a picture (H, W, 3) as JPEG.

    Args:
        picture: RGB; H and W must be even.
        quality: of mjpeg, 2 (best) to 31.
    """
    import av

    context: Any = av.CodecContext.create("mjpeg", "w")
    context.height, context.width = picture.shape[:2]
    context.pix_fmt = "yuvj420p"
    context.time_base = Fraction(1, 30)
    context.thread_count = 1
    context.qmin = context.qmax = quality
    packets = context.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
    return b"".join(bytes(packet) for packet in [*packets, *context.encode(None)])
