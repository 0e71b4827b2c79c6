"""Is the clip filmed so that a coach can see the lift? Measured on the frames, without a model.

    framing(frames).advice      # ("Nothing moves …",)

Whatever differs from the clip's middle picture moves. Where that lies tells whether the person is
too small or leaves the picture; how far the whole picture is shifted tells a shaky camera. The
thresholds, and what they come from, are in `framing.yaml`; the wording is
`prompts/coach/advice.yaml`.
"""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from flex.templates import PROMPTS, wording
from flex.video import Frames

THRESHOLDS_FILE = Path(__file__).with_name("framing.yaml")
ADVICE_FILE = PROMPTS / "coach" / "advice.yaml"
Floats = NDArray[np.float32]
# Red, green, blue in the brightness that people see (ITU-R BT.601).
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)
# A row or column counts for the moving region where this share of it moves: less is noise.
_LINE_SHARE = 0.01
_EDGE_PX = 2


@dataclass(frozen=True)
class Framing:
    """What was measured, and what to tell the user.

    Attributes:
        moving: share of the picture's pixels that move at some time.
        height: height of the moving region as a share of the picture's.
        width: its width, likewise.
        brightness: mean of the clip, 0 (black) to 255.
        edges: share of the top, bottom, left and right edge that moves.
        shift: how far pictures lie from the middle picture, median over the quarters of the
            picture that move least and over time, as a share of the side.
        faults: names of what is wrong, such as "dark"; empty if nothing is.
    """

    moving: float
    height: float
    width: float
    brightness: float
    edges: tuple[float, float, float, float]
    shift: float
    faults: tuple[str, ...] = ()

    @property
    def advice(self) -> tuple[str, ...]:
        """One sentence for each fault: what is wrong and what to do."""
        return tuple(wording("coach/advice.yaml")[fault] for fault in self.faults)


def framing(frames: Frames) -> Framing:
    """Measure how a clip is filmed.

    Args:
        frames: pixels (N, H, W, 3) uint8.
    """
    gray = frames.pixels.astype(np.float32) @ _BRIGHTNESS
    middle = np.median(gray, axis=0)
    limits = _limits()
    moving = (np.abs(gray - middle) > limits["changed"]).any(axis=0)
    edges = (moving[:_EDGE_PX], moving[-_EDGE_PX:], moving[:, :_EDGE_PX], moving[:, -_EDGE_PX:])
    top, bottom, left, right = (float(edge.mean()) for edge in edges)
    measured = Framing(
        moving=float(moving.mean()),
        height=_extent(moving.mean(axis=1)),
        width=_extent(moving.mean(axis=0)),
        brightness=float(gray.mean()),
        edges=(top, bottom, left, right),
        shift=_shift(gray, middle),
    )
    return Framing(**{**vars(measured), "faults": _faults(measured, limits)})


def _faults(found: Framing, limits: dict[str, float]) -> tuple[str, ...]:
    if found.brightness < limits["dark"]:
        # Little differs from little: what moves cannot be told from what does not.
        return ("dark",)
    if found.shift > limits["shaky"]:
        # Everything moves then, so that the region says nothing of the person.
        return ("shaky",)
    if found.moving < limits["still"]:
        return ("still",)
    faults = []
    if max(found.height, found.width) < limits["small"]:
        faults.append("small")
    top, bottom, left, right = found.edges
    # Shadows and feet at the lower edge move in well-framed clips too.
    if max(top, left, right) > limits["edge"] or bottom > limits["floor"]:
        faults.append("cut_off")
    return tuple(faults)


def _extent(lines: NDArray[Any]) -> float:
    """Return from the first to the last line that moves, as a share of all lines."""
    at = np.flatnonzero(lines > _LINE_SHARE)
    return float((at[-1] - at[0] + 1) / len(lines)) if len(at) else 0.0


def _shift(gray: Floats, middle: Floats) -> float:
    """Return how far the still part of the picture is shifted, by phase correlation."""
    high, wide = middle.shape[0] // 2, middle.shape[1] // 2
    corners = [(y, x) for y in (0, middle.shape[0] - high) for x in (0, middle.shape[1] - wide)]
    shifts = []
    for y, x in corners:
        here = gray[:, y : y + high, x : x + wide]
        window = np.outer(np.hanning(high), np.hanning(wide)).astype(np.float32)
        found = _spectrum(here, window) * np.conj(
            _spectrum(middle[None, y : y + high, x : x + wide], window)
        )
        peak = np.fft.irfft2(found / (np.abs(found) + 1e-3), (high, wide))
        at = np.unravel_index(peak.reshape(len(peak), -1).argmax(axis=1), (high, wide))
        down, right = ((a + n // 2) % n - n // 2 for a, n in zip(at, (high, wide), strict=True))
        shifts.append(np.hypot(down / (2 * high), right / (2 * wide)))
    # A lifter fills some quarters; a moving camera moves all of them.
    return float(np.sort(np.mean(shifts, axis=1))[:2].mean())


def _spectrum(pictures: Floats, window: Floats) -> NDArray[Any]:
    level = pictures.mean(axis=(1, 2), keepdims=True)
    return np.fft.rfft2((pictures - level) * window)


@functools.cache
def _limits() -> dict[str, float]:
    rows: dict[str, Any] = yaml.safe_load(THRESHOLDS_FILE.read_text(encoding="utf-8"))
    return {name: float(row["value"]) for name, row in rows.items()}
