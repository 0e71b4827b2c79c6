"""Courses over time: how a phase proceeds, and when in its phase an error shows."""

import numpy as np

from sim.choreography import When
from sim.study import Floats

# A held error comes and goes within this share of a phase, but no faster than a person can.
_RAMP, _FASTEST_RAMP_S, _LONGEST_RAMP = 0.14, 0.26, 0.85
_FADE = 0.6


def minimum_jerk(share: Floats) -> Floats:
    """Return the way travelled at a share of the time, both 0 to 1 (Flash and Hogan 1985)."""
    u = np.clip(share, 0, 1)
    way: Floats = u**3 * (10 - 15 * u + 6 * u**2)
    return way


def weight(when: When, times_s: Floats, span: tuple[float, float], fade_s: float) -> Floats:
    """Return how much of an error shows: (T,), 1 is all of it.

    Args:
        when: see `sim/errors.yaml`.
        times_s: (T,) seconds.
        span: start and end of the phase.
        fade_s: end of the phase after it; the end of `span` if there is none.
    """
    start, end = span
    length = max(end - start, 1e-6)
    share = (times_s - start) / length
    inside = np.clip(share, 0, 1)
    if when == "set":
        return np.ones_like(times_s)
    if when == "end":
        after = (times_s - end) / max(_FADE * (fade_s - end), 1e-6)
        return minimum_jerk(share) * (1 - minimum_jerk(after) if fade_s > end else 1.0)
    if when == "bump":
        return np.asarray(np.sin(np.pi * inside) ** 2)
    if when == "early":
        return np.asarray(np.sin(np.pi * inside**0.6) ** 2)
    ramp = max(_RAMP, min(_FASTEST_RAMP_S / length, _LONGEST_RAMP))
    held = _held(share, ramp, first=start <= 0, last=fade_s <= end)
    if when == "rock":
        return held * np.sin(4 * np.pi * inside)
    if when == "wave":
        return held * np.sin(2 * np.pi * inside)
    return held


def _held(share: Floats, ramp: float, *, first: bool, last: bool) -> Floats:
    """Return 1 within the phase, with ramps at its ends, but none at the ends of the clip."""
    rise = np.ones_like(share) if first else minimum_jerk(share / ramp + 0.5)
    fall = np.zeros_like(share) if last else minimum_jerk((share - 1) / ramp + 0.5)
    return np.asarray(rise * (1 - fall))
