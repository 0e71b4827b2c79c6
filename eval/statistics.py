"""A metric as a sum: one row of numbers per answer, and what the column sums give.

Corpus BLEU, a mean, a precision and R-l2 are all of this kind, so one bootstrap and one paired test
serve them all, at the cost of adding up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Finish = Callable[[Rows], Rows]


@dataclass(frozen=True)
class Statistic:
    """A metric over answers.

    Attributes:
        name: such as "bleu" or "errors/micro/f1".
        rows: (answers, K) numbers that add up.
        finish: (..., K) sums → (...) values; NaN where there is nothing to judge.
        clusters: per answer, who lifts.
        lower_is_better: as for R-l2.
        scale: the value that is best, or worst for a lower-is-better one; for display.
    """

    name: str
    rows: Rows
    finish: Finish
    clusters: tuple[str, ...]
    lower_is_better: bool = False
    scale: float = 1.0

    @property
    def value(self) -> float:
        """The metric over all answers; NaN where there is nothing to judge."""
        return float(self.finish(self.rows.sum(axis=0)))

    def take(self, positions: Sequence[int]) -> "Statistic":
        """Return the metric over some of the answers, in that order."""
        rows = self.rows[np.asarray(positions, dtype=np.intp)]
        clusters = tuple(self.clusters[position] for position in positions)
        return Statistic(self.name, rows, self.finish, clusters, self.lower_is_better, self.scale)


def ratio(sums: Rows) -> Rows:
    """Divide column 0 by column 1; NaN where column 1 is 0."""
    top, bottom = sums[..., 0], sums[..., 1]
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)


def mean_of(
    name: str,
    values: Sequence[float],
    clusters: Sequence[str],
    *,
    judged: Sequence[bool] | None = None,
    lower_is_better: bool = False,
    scale: float = 1.0,
) -> Statistic:
    """Return the mean of one value per answer, over those that are judged (default: all)."""
    kept = np.ones(len(values)) if judged is None else np.asarray(judged, dtype=float)
    filled = np.where(kept > 0, np.nan_to_num(np.asarray(values, dtype=float)), 0.0)
    rows = np.stack([filled, kept], axis=-1).reshape(-1, 2)
    return Statistic(name, rows, ratio, tuple(clusters), lower_is_better, scale)
