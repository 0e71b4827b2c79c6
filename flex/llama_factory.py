"""Which frames of a clip LLaMA-Factory takes, and how large, so that ours can be the same.

    taken = frame_numbers(VideoInfo(234, 120.0, 1920, 1080), most=128)   # [0, 116, 233, 233]
    shrink(picture, pixels=65536)                                        # 336 × 196

Two frames a second, with both ends of the clip; an odd number gets its last frame twice. A frame is
first shrunk to the most pixels, then taken to the nearest multiples of 28 as Qwen2.5-VL does, each
time by Pillow's bicubic filter. Both are checked against LLaMA-Factory 0.9.5 itself in
`tests/vlm/test_llama_factory_input.py`. Films that phones store on their side are turned upright
here, as for every other sampler; LLaMA-Factory leaves them as they lie.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flex.video_reader import VideoInfo

FRAMES_PER_SECOND = 2.0
SIDE_STEP = 28
# Of Qwen2.5-VL-3B-Instruct's preprocessor_config.json.
LEAST_PIXELS, MOST_PIXELS = 3136, 12845056


def frame_numbers(info: VideoInfo, most: int) -> list[int]:
    """Return the numbers of the frames to take, ascending; the last one twice if they are odd."""
    # A duration that is a whole number of halves but for rounding keeps its last frame.
    wanted = math.floor(info.frames / info.fps * FRAMES_PER_SECOND + 1e-9)
    count = min(info.frames, most, max(1, wanted))
    numbers: list[int] = np.linspace(0, info.frames - 1, count).astype(np.int32).tolist()
    return numbers + numbers[-1:] if count % 2 else numbers


def shrink(picture: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) at the size that the model would see it."""
    from PIL import Image

    height, width = picture.shape[:2]
    image: Any = Image.fromarray(picture)
    first = shrunk(width, height, pixels)
    for size in (first, rounded(*first)):
        if size != image.size:
            image = image.resize(size, Image.Resampling.BICUBIC)
    return np.array(image)


def shrunk(width: int, height: int, pixels: int) -> tuple[int, int]:
    """Return (width, height) of at most `pixels` near the aspect; no side is under 28."""
    if width * height > pixels:
        scale = math.sqrt(pixels / (width * height))
        width, height = int(width * scale), int(height * scale)
    return max(width, SIDE_STEP), max(height, SIDE_STEP)


def rounded(width: int, height: int) -> tuple[int, int]:
    """Return the nearest (width, height) in multiples of 28, within Qwen2.5-VL's limits."""
    near = [round(side / SIDE_STEP) * SIDE_STEP for side in (width, height)]
    if math.prod(near) > MOST_PIXELS:
        scale = math.sqrt(MOST_PIXELS / (width * height))
        near = [max(SIDE_STEP, _steps(math.floor, side * scale)) for side in (width, height)]
    elif math.prod(near) < LEAST_PIXELS:
        scale = math.sqrt(LEAST_PIXELS / (width * height))
        near = [_steps(math.ceil, side * scale) for side in (width, height)]
    return near[0], near[1]


def _steps(whole: Any, side: float) -> int:
    return int(whole(side / SIDE_STEP)) * SIDE_STEP
