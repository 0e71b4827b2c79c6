"""Intervals by bootstrap over subjects: what one person does resembles itself, so people are drawn.

weights = draws(subjects, resamples=1000)      # (1 + R, N); row 0 takes every row once
low, high = percentiles(values[1:])
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 1000
# An interval is given only if at least this share of the draws can be judged.
_ENOUGH = 0.5


def draws(subjects: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """Return how often each row is drawn: (1 + resamples, N), the first row all ones."""
    names, where = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    count = len(names)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), resamples)
    return np.vstack([np.ones(len(where)), drawn[:, where]]).astype(np.float64)


def percentiles(values: Floats) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile; NaN where fewer than half can be judged."""
    finite = values[np.isfinite(values)]
    if not len(values) or len(finite) < _ENOUGH * len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)
