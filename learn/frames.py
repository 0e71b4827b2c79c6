"""Frames of a clip as the video backbones read them: N of a clip, one square size.

    frames = read_frames(path, frames=103, size=224)      # (103, 224, 224, 3) uint8

The frames are the middles of N equal parts of the clip, chosen by the project's one sampler; a clip
of exactly N frames gives each of them, a shorter one repeats some.

"whole" keeps the aspect and fills the margins with black. "released" does what the authors' code
does: squash to a width of 256 and a height of 455 by nearest neighbour, keep the middle 224 × 224.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from flex.dataset import frame_files
from flex.video import Pixels, probe
from flex.video_reader import read_pictures

Framing = Literal["whole", "released"]
_SQUASHED = (256, 455)
_CROP = 224


def read_frames(path: Path, *, frames: int, size: int, framing: Framing = "whole") -> Pixels:
    """Return frames of a clip: (frames, size, size, 3) uint8 RGB.

    Args:
        path: a video file, or a folder of JPEG frames.
        frames: how many.
        size: height and width.
        framing: see above; "released" gives 224.

    Raises:
        InputError: the clip is missing or cannot be decoded; names the file.
    """
    info = probe(path)
    indices = [int((i + 0.5) * info.frames / frames) for i in range(frames)]
    return _framed(path, indices, (info.width, info.height), size, framing)


def read_some(
    path: Path, indices: Sequence[int], *, size: int, framing: Framing = "whole"
) -> Pixels:
    """Return chosen frames of a clip: (len(indices), size, size, 3) uint8 RGB.

    Args:
        path: a video file, or a folder of JPEG frames.
        indices: numbers of frames, from 0, ascending; one may be named several times.
        size: height and width.
        framing: see above; "released" gives 224.

    Raises:
        InputError: the clip is missing or cannot be decoded; names the file.
    """
    info = probe(path)
    return _framed(path, indices, (info.width, info.height), size, framing)


def _framed(
    path: Path, indices: Sequence[int], native: tuple[int, int], size: int, framing: Framing
) -> Pixels:
    if framing == "released":
        return np.stack([_released(p) for p in _pictures(path, indices, native)])
    scale = size / max(native)
    width, height = (max(1, round(side * scale)) for side in native)
    out = np.zeros((len(indices), size, size, 3), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    inner = out[:, top : top + height, left : left + width]
    for number, picture in enumerate(_pictures(path, indices, (width, height))):
        inner[number] = picture
    return out


def _pictures(path: Path, indices: Sequence[int], size: tuple[int, int]) -> list[Pixels]:
    if not path.is_dir():
        return read_pictures(path, indices, size)
    files = frame_files(path)
    read = {i: read_pictures(files[i], [0], size)[0] for i in sorted(set(indices))}
    return [read[i] for i in indices]


def _released(picture: Pixels) -> Pixels:
    width, height = _SQUASHED
    rows = np.arange(height) * picture.shape[0] // height
    columns = np.arange(width) * picture.shape[1] // width
    squashed = picture[rows[:, None], columns]
    top, left = (height - _CROP) // 2, (width - _CROP) // 2
    middle: Pixels = squashed[top : top + _CROP, left : left + _CROP]
    return middle
