"""When a camera started, from what it saw move and what the skeleton says moved.

    found = estimate_offset(times_s, energy, rate_hz, joint_speed(points, rate_hz))
    found.offset_s         # on the clock of the skeleton
    found.correlation      # 1 if camera and skeleton saw the very same

The change from picture to picture and the speed of the joints rise and fall together, whatever the
camera's place. The offset is the lag of the greatest correlation. The same is asked of each third
of the recording: where a camera has lost frames without saying so, the later thirds lie elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from flex.number_table import Floats

MOST_S = 20.0
_GRID_HZ = 120.0
_SMOOTH_S = 0.05
_LEAST_OVERLAP = 0.5
_LOCAL_S = 0.6
_PARTS = 3
_CLEAR_GAIN = 0.05  # of the correlation


@dataclass(frozen=True)
class Offset:
    """An estimate.

    Attributes:
        offset_s: when the first frame was taken, seconds on the clock of the skeleton.
        correlation: −1 to 1, at that offset.
        drift_s: how far the offsets of the thirds lie apart.
    """

    offset_s: float
    correlation: float
    drift_s: float


def joint_speed(points: Floats, rate_hz: float) -> Floats:
    """Return the mean speed of the joints: (T, 21, 3) → (T,), in units of length a second."""
    speed: Floats = np.linalg.norm(np.gradient(points, axis=0), axis=-1).mean(axis=-1) * rate_hz
    return speed


def estimate_offset(
    times_s: Floats, energy: Floats, rate_hz: float, reference: Floats, most_s: float = MOST_S
) -> Offset:
    """Return when a camera started on the clock of a reference.

    Args:
        times_s: (N,) times of its frames from its first one.
        energy: (N,) how much its pictures change.
        rate_hz: samples of the reference a second.
        reference: (T,) how much moves, from time 0 on.
        most_s: the offset lies between minus and plus this.
    """
    seen = _signal(times_s, energy)
    known = _signal(np.arange(len(reference)) / rate_hz, reference)
    reach = min(round(most_s * _GRID_HZ), round((1 - _LEAST_OVERLAP) * max(len(seen), len(known))))
    lags = np.arange(-reach, reach + 1)
    least = _LEAST_OVERLAP * min(len(seen), len(known))
    scores = np.array([_correlation(seen, known, int(lag), least) for lag in lags])
    best = int(np.argmax(scores))
    offset = float(lags[best] + _between_samples(scores, best)) / _GRID_HZ
    return Offset(offset, float(scores[best]), _drift(seen, known, int(lags[best])))


def _signal(times_s: Floats, values: Floats) -> Floats:
    """Return values on the common grid, smoothed and compressed so that no peak rules alone."""
    grid_s = np.arange(0, times_s[-1], 1 / _GRID_HZ)  # before the first time its value holds
    even = np.interp(grid_s, times_s, np.sqrt(np.maximum(values, 0)))
    smooth: Floats = gaussian_filter1d(even, _SMOOTH_S * _GRID_HZ)
    return smooth


def _correlation(seen: Floats, known: Floats, lag: int, least: float) -> float:
    """Return the correlation where both are, if `seen` starts `lag` samples after `known`."""
    one = seen[max(0, -lag) : len(known) - lag]
    other = known[max(0, lag) : len(seen) + lag]
    if len(one) < max(least, 2):
        return -1.0
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / size) if size > 0 else -1.0


def _between_samples(scores: Floats, best: int) -> float:
    """Return where the parabola through the best score and its neighbours is highest."""
    if not 0 < best < len(scores) - 1:
        return 0.0
    left, top, right = scores[best - 1 : best + 2]
    bend = left - 2 * top + right
    return float((left - right) / (2 * bend)) if bend < 0 else 0.0


def _drift(seen: Floats, known: Floats, lag: int) -> float:
    """Return how far apart, in seconds, the lags of the thirds lie; only a clear gain moves one."""
    reach = round(_LOCAL_S * _GRID_HZ)
    both = np.arange(max(0, -lag), min(len(seen), len(known) - lag))
    found = []
    for part in np.array_split(both, _PARTS):
        first, piece = int(part[0]), seen[part]
        near = range(lag - reach, lag + reach + 1)
        scores = np.array([_correlation(piece, known, n + first, 0.8 * len(piece)) for n in near])
        best = int(np.argmax(scores))
        moved = scores[best] > scores[reach] + _CLEAR_GAIN
        found.append((best - reach) / _GRID_HZ if moved else 0.0)
    return max(found) - min(found)
