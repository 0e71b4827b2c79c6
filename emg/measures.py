"""How near an activation is: MAE, RMSE, Pearson r, R², onsets, left against right. Pure functions.

    rows = row_sums(said, true)            # one row of sums for each recorded muscle of a clip
    figures = summary(pooled(rows))        # {"mae": …, "rmse": …, "r": …, "r2": …}

Sums of rows are sums of frames, so measures over any clips, muscles and draws of subjects come
from one table. MAE and RMSE are over all recorded frames of all muscles (section 4.3); r and R² are
those of each muscle over all of its frames, averaged over the muscles.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flex.number_table import Floats
from flex.semg_columns import MUSCLES

COLUMNS = 8
_N, _SAID, _TRUE, _SAID2, _TRUE2, _BOTH, _ABS, _SQUARE = range(COLUMNS)
# Onset: the first rise over this share of the course's range that lasts this long.
ONSET_SHARE, ONSET_LASTS_S = 0.3, 0.1
_LEAST_RANGE = 0.15  # of a reference contraction; below it there is no contraction to time
_TAIL = 5.0  # percentiles at both ends that do not make the range


class Row(NamedTuple):
    """Sums over the frames of one muscle in one clip: (8,)."""

    muscle: int
    sums: Floats


def row_sums(said: NDArray[np.floating], true: NDArray[np.floating]) -> list[Row]:
    """Return the sums of every muscle that was recorded.

    Args:
        said: (T, 18).
        true: (T, 18), NaN in columns that were not recorded.
    """
    recorded = np.flatnonzero(np.isfinite(true).all(axis=0))
    p, t = said[:, recorded].astype(np.float64), true[:, recorded].astype(np.float64)
    parts = [np.ones_like(p), p, t, p**2, t**2, p * t, np.abs(p - t), (p - t) ** 2]
    table = np.stack([part.sum(axis=0) for part in parts], axis=-1)
    return [Row(int(muscle), sums) for muscle, sums in zip(recorded, table, strict=True)]


def pooled(rows: Sequence[Row], weights: Floats | None = None) -> Floats:
    """Return the sums of each muscle over rows: (R, 18, 8).

    Args:
        rows: N rows.
        weights: (R, N) how often each row counts; once if not given.
    """
    weights = np.ones((1, len(rows))) if weights is None else weights
    muscles = np.array([row.muscle for row in rows], dtype=int)
    table = np.stack([row.sums for row in rows]) if rows else np.zeros((0, COLUMNS))
    found = np.zeros((len(weights), len(MUSCLES), COLUMNS))
    for muscle in np.unique(muscles):
        at = muscles == muscle
        found[:, muscle] = weights[:, at] @ table[at]
    return found


def summary(sums: Floats) -> dict[str, float]:
    """Return "mae", "rmse", "r" and "r2" of pooled sums: (1, 18, 8)."""
    return {name: float(values[0]) for name, values in figures(sums).items()}


def figures(sums: Floats) -> dict[str, Floats]:
    """Return the four measures of each draw: (R, 18, 8) → (R,) each; NaN without any frame."""
    total = sums.sum(axis=1)
    return {
        "mae": _ratio(total[:, _ABS], total[:, _N]),
        "rmse": np.sqrt(_ratio(total[:, _SQUARE], total[:, _N])),
        "r": _nan_mean(correlation(sums)),
        "r2": _nan_mean(explained(sums)),
    }


def correlation(sums: Floats) -> Floats:
    """Return Pearson's r: (…, 8) → (…); NaN where a side does not vary."""
    n, said, true = sums[..., _N], sums[..., _SAID], sums[..., _TRUE]
    both = n * sums[..., _BOTH] - said * true
    one = n * sums[..., _SAID2] - said**2
    other = n * sums[..., _TRUE2] - true**2
    # Rounding leaves a little where nothing varies.
    varies = (one > 1e-9 * n * sums[..., _SAID2]) & (other > 1e-9 * n * sums[..., _TRUE2])
    bottom = np.where(varies, np.sqrt(np.abs(one * other)), 0.0)
    return _ratio(both, bottom)


def explained(sums: Floats) -> Floats:
    """Return R², 1 − squared errors over squares about the mean: (…, 8) → (…)."""
    n, true = sums[..., _N], sums[..., _TRUE]
    about = sums[..., _TRUE2] - _ratio(true**2, n)
    return 1 - _ratio(sums[..., _SQUARE], np.nan_to_num(about))


def mean_error(sums: Floats) -> Floats:
    """Return the mean absolute error: (…, 8) → (…)."""
    return _ratio(sums[..., _ABS], sums[..., _N])


def level_share(sums: Floats) -> float:
    """Return which share of the squared error of rows (N, 8) is their level and not their course.

    The level of a row is its mean: 1 means that every clip's course is right and only too high or
    too low as a whole.
    """
    gap = _ratio(sums[:, _SAID] - sums[:, _TRUE], sums[:, _N])
    total = sums[:, _SQUARE].sum()
    return float((sums[:, _N] * gap**2).sum() / total) if total > 0 else float("nan")


def onset_s(course: Floats, times_s: Floats) -> float | None:
    """Return when a muscle starts to work, or `None` if it does not or already does.

    The first frame after which the course stays above 30 % of its own range for 0.1 s, coming from
    below. The range runs from the 5th to the 95th percentile; below 0.15 there is no contraction.

    Args:
        course: (T,) activation.
        times_s: (T,).
    """
    low, high = np.percentile(course, [_TAIL, 100 - _TAIL])
    if high - low < _LEAST_RANGE:
        return None
    above = course > low + ONSET_SHARE * (high - low)
    rises = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    for start in rises:
        inside = (times_s >= times_s[start]) & (times_s <= times_s[start] + ONSET_LASTS_S)
        if above[inside].all():
            return float(times_s[start])
    return None


def asymmetry(left: Floats, right: Floats) -> float:
    """Return (left − right) ÷ (left + right) of the mean activations of a clip, −1 to 1."""
    one, other = float(np.mean(left)), float(np.mean(right))
    return (one - other) / (one + other) if one + other > 0 else float("nan")


def _ratio(top: Floats, bottom: Floats) -> Floats:
    ratio: Floats = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
    return ratio


def _nan_mean(values: Floats) -> Floats:
    """Return the mean over the muscles that can be judged: (R, 18) → (R,)."""
    there = np.isfinite(values)
    return _ratio(np.where(there, values, 0).sum(axis=1), there.sum(axis=1).astype(np.float64))
