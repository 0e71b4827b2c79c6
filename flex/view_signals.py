"""Skeleton, sEMG and physiology of one clip as plain lists, ready to be drawn on a page."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from flex.dataset import SemgSignal
from flex.number_table import Floats
from flex.physiology import Physiology
from flex.semg import BAND_HZ, WINDOW_S, envelope
from flex.skeleton import BONES, INDEX, JOINTS

# An envelope averages over 125 ms, so 200 points a second lose nothing.
_POINTS_PER_S = 200
_SIDES = ("left", "right")
Drawing = dict[str, Any]


def draw_skeleton(points: Floats) -> Drawing:
    """Return a skeleton that stands upright in a box of size 1, and what to draw of it.

    Which axis points up is not stated in the data: it is the one along which the knees lie above
    the ankles, standing, sitting or lying with the feet on the floor. Coordinates in which left
    and right are swapped (toes would point backwards) are mirrored.

    Args:
        points: (T, 21, 3) in any unit.

    Returns:
        frames: (T, 63) numbers, x and y level, z up from the lowest point of the clip at 0.
        facing_deg: direction in which the person faces, from x towards y.
        bones: pairs of joint indices, each with its side ("left", "right", "middle").
        mirrored: whether left and right were swapped.
    """
    upright = points[..., _axes_up(points)] * _sign_up(points)
    across = upright[:, INDEX["left_hip"]] - upright[:, INDEX["right_hip"]]
    toes = sum(_mean(upright, f"{side}_toe") - _mean(upright, f"{side}_ankle") for side in _SIDES)
    facing = np.cross(across.mean(axis=0), [0.0, 0.0, 1.0])
    mirrored = bool(facing[:2] @ np.asarray(toes)[:2] < 0)
    if mirrored:
        upright = upright * [1, -1, 1]
        facing = facing * [-1, 1, 1]
    low, high = upright.min(axis=(0, 1)), upright.max(axis=(0, 1))
    size = float(max(high - low)) or 1.0
    boxed = (upright - [*(low[:2] + high[:2]) / 2, low[2]]) / size
    return {
        "frames": np.round(boxed.reshape(len(boxed), -1), 4).tolist(),
        "facing_deg": round(float(np.degrees(np.arctan2(facing[1], facing[0]))), 1),
        "bones": [[start, end, _side_of(start, end)] for start, end in BONES],
        "joint_sides": [_side(name) for name in JOINTS],
        "mirrored": mirrored,
    }


def draw_semg(signal: SemgSignal) -> Drawing:
    """Return the envelopes, left and right of one muscle together.

    Raises:
        ValueError: the sample rate is too low for an envelope, or the recording too short.
    """
    active = envelope(signal.values, signal.sample_rate_hz)
    every = max(1, int(signal.sample_rate_hz // _POINTS_PER_S))
    muscles: dict[str, list[Drawing]] = {}
    for number, channel in enumerate(signal.channels):
        side = _side(channel)
        muscle = channel if side == "middle" else channel.partition(" ")[2]
        values = significant(active[::every, number], 5)
        muscles.setdefault(muscle, []).append({"side": side, "name": channel, "values": values})
    return {
        "muscles": [
            {"name": name, "lines": lines, "peak": max(max(line["values"]) for line in lines)}
            for name, lines in muscles.items()
        ],
        "step_s": every / signal.sample_rate_hz,
        "lasts_s": len(active) / signal.sample_rate_hz,
        "rate_hz": signal.sample_rate_hz,
        "band_hz": list(BAND_HZ),
        "window_s": WINDOW_S,
    }


def draw_physiology(signal: Physiology) -> Drawing:
    """Return the instants and values of heart rate, breathing rate and chest volume."""
    return {
        "times_s": significant(signal.times_s, 7),
        "heart_rate_bpm": significant(signal.heart_rate_bpm, 5),
        "breathing_rate_per_min": significant(signal.breathing_rate_per_min, 5),
        "chest_volume": significant(signal.chest_volume, 5),
    }


def significant(values: Floats, digits: int) -> list[float]:
    """Return a (T,) signal as numbers with so many significant digits."""
    return [float(f"{value:.{digits}g}") for value in values]


def _up(points: Floats) -> Floats:
    rise: Floats = sum(
        (_mean(points, f"{side}_knee") - _mean(points, f"{side}_ankle") for side in _SIDES),
        np.zeros(3),
    )
    return rise


def _axes_up(points: Floats) -> list[int]:
    """Return the order of axes, a rotation, that brings the upward one last."""
    up = int(np.argmax(np.abs(_up(points))))
    return [(up + 1) % 3, (up + 2) % 3, up]


def _sign_up(points: Floats) -> Floats:
    """Return the signs, half a turn or none, after which z points up and not down."""
    down = _up(points)[_axes_up(points)[2]] < 0
    return np.array([1.0, -1.0, -1.0]) if down else np.ones(3)


def _mean(points: Floats, joint: str) -> Floats:
    mean: Floats = points[:, INDEX[joint]].mean(axis=0)
    return mean


def _side(name: str) -> str:
    return next((side for side in _SIDES if name.startswith((f"{side}_", f"{side} "))), "middle")


def _side_of(start: int, end: int) -> str:
    sides: Sequence[str] = [_side(JOINTS[start]), _side(JOINTS[end])]
    named = {side for side in sides if side != "middle"}
    return named.pop() if len(named) == 1 else "middle"
