"""The range in which a measurement counts as right: calibrated on some people, tried on others.

limits = calibrate(values, shown)      # below low or above high is an error
count(limits.outside(values), shown).f1
"""

from dataclasses import dataclass

import numpy as np

from sim.study import Bools, Floats

_TIED = 1e-9


@dataclass(frozen=True)
class Limits:
    """What is still right; −inf or inf where nothing is too low or too high."""

    low: float
    high: float

    def outside(self, values: Floats) -> Bools:
        """Return which values (N,) are an error."""
        return np.asarray((values < self.low) | (values > self.high))


@dataclass(frozen=True)
class Count:
    """How many clips were found, how many show the error, and how many are both."""

    found: int
    shown: int
    both: int

    @property
    def precision(self) -> float:
        """Share of what was found that shows the error; 0 if nothing was found."""
        return self.both / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of what shows the error that was found; 0 if nothing shows it."""
        return self.both / self.shown if self.shown else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if nothing was right."""
        return 2 * self.both / (self.found + self.shown) if self.both else 0.0


def count(found: Bools, shown: Bools) -> Count:
    """Count clips, both (N,)."""
    return Count(int(found.sum()), int(shown.sum()), int((found & shown).sum()))


def calibrate(values: Floats, shown: Bools) -> Limits:
    """Return the pair of limits with the best F1; of equal pairs the middle one.

    Args:
        values: (N,) measurements.
        shown: (N,) where the error shows; at least one.
    """
    places = _candidates(values, shown)
    total, right = np.sort(values), np.sort(values[shown])
    below, right_below = np.searchsorted(total, places), np.searchsorted(right, places)
    found = below[:, None] + (len(total) - below)
    both = right_below[:, None] + (len(right) - right_below)
    f1 = np.where(places[:, None] < places, 2 * both / (found + len(right)), -1)
    best = np.argwhere(f1 >= f1.max() - _TIED)
    low, high = best[len(best) // 2]
    return Limits(float(places[low]), float(places[high]))


def _candidates(values: Floats, shown: Bools) -> Floats:
    """Return limits half-way between neighbours of which one shows the error, and ±inf: (K,)."""
    order = np.argsort(values)
    ranked, errs = values[order], shown[order]
    edge = errs[1:] != errs[:-1]
    between = (ranked[1:][edge] + ranked[:-1][edge]) / 2
    return np.unique([-np.inf, *between, np.inf])
