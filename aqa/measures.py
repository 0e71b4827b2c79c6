"""How near scores are: Spearman's ρ, its mean over actions, R-l2 × 100, MAE (section 8.1).

R-l2 is the mean of ((score − truth) ÷ range)². The paper divides by the action's range over the
whole data set, the released code by that of the test clips: the caller gives the range, so both
can be told. ρ is averaged over actions by Fisher's z.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Range = tuple[float, float]
# Nearest to ±1 that Fisher's z takes: a perfect ρ would make the mean infinite.
_NEAREST_TO_ONE = 1 - 1e-6


def spearman(scores: ArrayLike, truth: ArrayLike) -> float:
    """Return Spearman's ρ of two (B,) arrays; ties share their rank.

    NaN where there are fewer than two clips, or where either side is constant.
    """
    one, other = _pair(scores, truth)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    from scipy.stats import rankdata

    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def fisher_mean(correlations: Iterable[float]) -> float:
    """Return tanh of the mean of artanh ρ; NaN if there are none, or one is NaN."""
    values = np.asarray(list(correlations), dtype=np.float64)
    if not len(values):
        return float("nan")
    return float(np.tanh(np.arctanh(np.clip(values, -_NEAREST_TO_ONE, _NEAREST_TO_ONE)).mean()))


def r_l2(scores: ArrayLike, truth: ArrayLike, score_range: Range) -> float:
    """Return R-l2 × 100 of two (B,) arrays.

    Raises:
        ValueError: the range is empty, or there are no clips.
    """
    one, other = _pair(scores, truth)
    low, high = score_range
    if not low < high or not len(one):
        raise ValueError(f"R-l2 needs clips and a range, found {len(one)} and {low:g}–{high:g}")
    return float(100 * np.mean(((one - other) / (high - low)) ** 2))


def mean_r_l2(
    scores: ArrayLike, truth: ArrayLike, actions: Sequence[str], ranges: Mapping[str, Range]
) -> float:
    """Return the mean over actions of R-l2 × 100, each with its own range.

    Raises:
        ValueError: an action's range is empty or missing.
    """
    one, other = _pair(scores, truth)
    names = np.asarray(actions)
    missing = sorted(set(actions) - set(ranges))
    if missing:
        raise ValueError(f"no score range is given for {', '.join(missing)}")
    return float(
        np.mean(
            [
                r_l2(one[names == action], other[names == action], ranges[action])
                for action in sorted(set(actions))
            ]
        )
    )


def mean_spearman(scores: ArrayLike, truth: ArrayLike, actions: Sequence[str]) -> float:
    """Return the Fisher-z mean over actions of ρ; NaN if one action's is."""
    one, other = _pair(scores, truth)
    names = np.asarray(actions)
    return fisher_mean(
        spearman(one[names == action], other[names == action]) for action in sorted(set(actions))
    )


def mae(scores: ArrayLike, truth: ArrayLike) -> float:
    """Return the mean absolute error of two (B,) arrays, in points."""
    one, other = _pair(scores, truth)
    return float(np.mean(np.abs(one - other)))


def _pair(scores: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, other = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"expected two arrays of one length, found {one.shape} and {other.shape}")
    return one, other
