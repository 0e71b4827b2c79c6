"""How sure a figure is: intervals over subjects, and whether two modes really differ.

Clips of one subject resemble each other, so what is drawn is the subject with all of its clips.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.statistics import Rows, Statistic

RESAMPLES = 2000
# Up to this many subjects, a paired test goes through every way of swapping them.
EXACT = 12


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; `low` and `high` are NaN with fewer than two subjects."""

    value: float
    low: float
    high: float
    clusters: int


@dataclass(frozen=True)
class Difference:
    """How much one mode's metric exceeds another's on the same questions.

    Attributes:
        value: first minus second.
        p: two-sided, from swapping the modes' answers subject by subject.
        questions: how many both answered.
    """

    value: float
    low: float
    high: float
    p: float
    clusters: int
    questions: int


def interval(statistic: Statistic, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Return a metric with its percentile bootstrap interval, clustered by subject."""
    sums = _cluster_sums(statistic)
    if len(sums) < 2:
        return Interval(statistic.value, np.nan, np.nan, len(sums))
    drawn = _counts(len(sums), resamples, seed) @ sums
    low, high = _percentiles(statistic.finish(drawn))
    return Interval(statistic.value, low, high, len(sums))


def compare(
    one: Statistic, other: Statistic, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """Return the difference of two modes, whose rows answer the same questions in one order.

    Raises:
        ValueError: the two do not answer the same number of questions for the same subjects.
    """
    if one.clusters != other.clusters:
        raise ValueError("a paired test needs the same questions, in the same order")
    ours, theirs = _cluster_sums(one), _cluster_sums(other)
    value = one.value - other.value
    if len(ours) < 2:
        return Difference(value, np.nan, np.nan, np.nan, len(ours), len(one.rows))
    counts = _counts(len(ours), resamples, seed)
    low, high = _percentiles(one.finish(counts @ ours) - other.finish(counts @ theirs))
    swap = _swaps(len(ours), resamples, seed)
    left = one.finish((1 - swap) @ ours + swap @ theirs)
    right = other.finish(swap @ ours + (1 - swap) @ theirs)
    extreme = np.abs(left - right) >= abs(value) - 1e-12
    exact = len(ours) <= EXACT
    p = extreme.mean() if exact else (extreme.sum() + 1) / (len(extreme) + 1)
    p = float(p) if np.isfinite(value) else np.nan
    return Difference(value, low, high, p, len(ours), len(one.rows))


def _cluster_sums(statistic: Statistic) -> Rows:
    """Sum the rows of each subject: (subjects, K), subjects in the order of their names."""
    names, where = np.unique(np.asarray(statistic.clusters, dtype=str), return_inverse=True)
    sums = np.zeros((len(names), statistic.rows.shape[1]))
    np.add.at(sums, where, statistic.rows)
    return sums


def _counts(clusters: int, resamples: int, seed: int) -> Rows:
    """Say how often each subject is drawn: (resamples, subjects)."""
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples)
    return drawn.astype(np.float64)


def _swaps(clusters: int, resamples: int, seed: int) -> Rows:
    if clusters <= EXACT:
        numbers = np.arange(2**clusters)[:, None]
        return ((numbers >> np.arange(clusters)) & 1).astype(np.float64)
    generator = np.random.default_rng(seed + 1)
    return generator.integers(0, 2, size=(resamples, clusters)).astype(np.float64)


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile of the resamples that could be judged."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.nan, np.nan
    low, high = np.percentile(finite, [2.5, 97.5])
    return float(low), float(high)
