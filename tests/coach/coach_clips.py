"""Small films of all kinds for the tests of the coach: good, odd and hostile ones."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from flex.graph_file import load_graph

GRAPH = load_graph()
MARKUP = "<img src=x onerror=alert(1)>"


def pictures(count: int, width: int, height: int) -> Iterable[Any]:
    """Yield a bright square that moves down on grey."""
    side = max(2, min(width, height) // 4)
    for number in range(count):
        pixels = np.full((height, width, 3), 90, np.uint8)
        top = (height - side) * number // max(1, count - 1)
        pixels[top : top + side, width // 3 : width // 3 + side] = 230
        yield pixels


def write_film(
    path: Path,
    *,
    frames: int = 24,
    size: tuple[int, int] = (96, 128),
    fps: Fraction | int = 24,
    codec: str = "libx264",
    turn: int = 0,
    at: Sequence[int] = (),
    pix_fmt: str = "yuv420p",
    fragments: bool = False,
    drawn: Iterable[Any] = (),
) -> Path:
    """Write a film; `at` gives each frame's time in 1/fps, for a variable frame rate.

    `drawn` gives its pictures; without them, a square moves.
    """
    options = {"movflags": "frag_keyframe+empty_moov"} if fragments else {}
    with av.open(str(path), "w", container_options=options) as container:
        speed = {"preset": "ultrafast"} if codec == "libx264" else {}
        stream: Any = container.add_stream(codec, rate=Fraction(fps), options=speed)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        if turn:
            stream.set_display_rotation(turn)
        for number, pixels in enumerate(drawn or pictures(frames, *size)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = at[number] if at else number
            frame.time_base = 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Write a film file that holds sound only."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=16000, layout="mono")
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 16000, 1024 * number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def noise(count: int, side: int) -> Iterable[Any]:
    """Yield pictures of noise."""
    random = np.random.default_rng(0)
    yield from (random.integers(0, 256, (side, side, 3), np.uint8) for _ in range(count))


def animation(count: int, side: int) -> Iterable[Any]:
    """Yield a drawn figure, head, trunk, arms and legs, that bounces before a sunset."""
    rows, columns = np.mgrid[:side, :side] / side
    for number in range(count):
        pixels = np.stack([200 + 50 * rows, 120 + 80 * rows, 90 + 0 * rows], -1)
        top = 0.12 + 0.25 * abs(np.sin(np.pi * number / 12))
        head = (rows - top) ** 2 + (columns - 0.5) ** 2 < 0.07**2
        trunk = (abs(columns - 0.5) < 0.05) & (rows > top) & (rows < top + 0.32)
        arms = (abs(rows - top - 0.12) < 0.02) & (abs(columns - 0.5) < 0.22)
        below = (rows - top - 0.32) / 0.25
        legs = (abs(abs(columns - 0.5) - 0.1 * below) < 0.02) & (below > 0) & (below < 1)
        pixels[trunk | arms | legs] = (40, 60, 160)
        pixels[head] = (250, 220, 60)
        yield pixels.astype(np.uint8)
