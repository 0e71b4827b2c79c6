"""Measures over many draws of subjects at once (`learn.intervals`), so that each has its interval.

    weights = draws(subjects, resamples=1000)      # (1 + R, N); row 0 takes every clip once
    rho = pooled_rho(scores, truth, weights)       # (1 + R,); element 0 is the measure itself
    low, high = percentiles(rho[1:])

Clips of one subject resemble each other, so whole subjects are drawn. A draw is a weight for every
clip, and a rank is a sum of weights: all draws together are one matrix product.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aqa.measures import Range

Floats = NDArray[np.float64]
# As in `aqa.measures`: a perfect ρ would make the mean infinite.
_NEAREST_TO_ONE = 1 - 1e-6


def pooled_rho(scores: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return Spearman's ρ of every draw; NaN where a side is constant.

    (N,), (N,), (R, N) → (R,); ties share their rank.
    """
    one, other = _centred_ranks(scores, weights), _centred_ranks(truth, weights)
    return _correlation(
        (weights * one * other).sum(axis=1),
        (weights * one**2).sum(axis=1),
        (weights * other**2).sum(axis=1),
    )


def mean_rho(scores: Floats, truth: Floats, actions: Sequence[str], weights: Floats) -> Floats:
    """Return the Fisher-z mean over actions of ρ (section 8.1): (R,); NaN if one action's is."""
    each = np.stack(
        [pooled_rho(scores[at], truth[at], weights[:, at]) for at in rows_of(actions).values()]
    )
    z = np.arctanh(np.clip(each, -_NEAREST_TO_ONE, _NEAREST_TO_ONE))
    mean: Floats = np.tanh(z.mean(axis=0))
    return mean


def within_rho(scores: Floats, truth: Floats, actions: Sequence[str], weights: Floats) -> Floats:
    """Return how well lifts of one action are ranked, over all actions at once: (R,).

    Ranks within the action, as shares of its clips, are correlated over all clips. Unlike the
    Fisher-z mean it does not run away where an action has few clips: of four, one order in 24 is
    perfect by luck.
    """
    parts = np.zeros((3, len(weights)))
    for at in rows_of(actions).values():
        w = weights[:, at]
        total = np.maximum(w.sum(axis=1, keepdims=True), 1)
        one, other = _centred_ranks(scores[at], w) / total, _centred_ranks(truth[at], w) / total
        parts += np.stack([(w * p).sum(axis=1) for p in (one * other, one**2, other**2)])
    return _correlation(*parts)


def mean_r_l2(
    scores: Floats,
    truth: Floats,
    actions: Sequence[str],
    ranges: Mapping[str, Range],
    weights: Floats,
) -> Floats:
    """Return the mean over actions of R-l2 × 100: (R,).

    An action without a range is left out, and in a draw so is one that has no clip there.
    """
    each = []
    for action, at in rows_of(actions).items():
        low, high = ranges.get(action, (0.0, 0.0))
        if low < high:
            squares = ((scores[at] - truth[at]) / (high - low)) ** 2
            each.append(100 * _ratio(weights[:, at] @ squares, weights[:, at].sum(axis=1)))
    return nan_mean(np.stack(each)) if each else np.full(len(weights), np.nan)


def mean_absolute(scores: Floats, truth: Floats, weights: Floats) -> Floats:
    """Return the mean absolute error, in points: (R,)."""
    return _ratio(weights @ np.abs(scores - truth), weights.sum(axis=1))


def f1(counts: Floats, weights: Floats) -> Floats:
    """Return micro F1: counts (N, 3) of hits, claims and true ones → (R,)."""
    hits, claims, true = (weights @ counts).T
    return _ratio(2 * hits, claims + true)


def rows_of(groups: Sequence[str]) -> dict[str, NDArray[np.intp]]:
    """Return group → the positions of its members, groups in the order of their names."""
    names = np.asarray(groups, dtype=str)
    return {str(name): np.flatnonzero(names == name) for name in np.unique(names)}


def nan_mean(values: Floats) -> Floats:
    """Return the mean over axis 0 of what is there: (K, R) → (R,); NaN where nothing is."""
    there = np.isfinite(values)
    return _ratio(np.where(there, values, 0).sum(axis=0), there.sum(axis=0).astype(np.float64))


def _centred_ranks(values: Floats, weights: Floats) -> Floats:
    """Return ranks less their mean in every draw, ties sharing theirs: (N,), (R, N) → (R, N)."""
    below = (values[None, :] < values[:, None]) + 0.5 * (values[None, :] == values[:, None])
    ranks = weights @ below.T
    centre = _ratio((weights * ranks).sum(axis=1), weights.sum(axis=1))
    centred: Floats = ranks - np.nan_to_num(centre)[:, None]
    return centred


def _correlation(both: Floats, one: Floats, other: Floats) -> Floats:
    return _ratio(both, np.sqrt(one * other))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    # Sums of ranks are whole or half numbers: what is far below one is a zero.
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 1e-9)
