"""F1 of found errors: per error type over all its places, and the mean of those."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sim.study import Bools, Floats

_THRESHOLDS = np.linspace(0.1, 0.9, 33)
_SHRINK = 4  # validation clips that an even threshold counts as, where few show an error


class Truth(Protocol):
    """What is right: `errors` (N, O) bool, and `asked` (N, O) bool for what counts at all."""

    @property
    def errors(self) -> Bools:
        """What shows."""

    @property
    def asked(self) -> Bools:
        """What belongs to the clip's action."""


def best_thresholds(scores: Floats, truth: Truth) -> Floats:
    """Return each column's threshold with the best F1, drawn to 0.5 where few show it: (O,)."""
    best = np.full(scores.shape[1], 0.5)
    for column in range(scores.shape[1]):
        rows = truth.asked[:, column]
        shown, score = truth.errors[rows, column], scores[rows, column]
        if not shown.any():
            continue
        f1 = [f1_of(score > limit, shown) for limit in _THRESHOLDS]
        top = float(np.mean(_THRESHOLDS[np.asarray(f1) >= max(f1) - 1e-9]))
        few = shown.sum() / (shown.sum() + _SHRINK)
        best[column] = 0.5 + few * (top - 0.5)
    return best


def f1_of(found: Bools, shown: Bools) -> float:
    """Return the F1 of what was found; 0 if nothing was right."""
    both = int((found & shown).sum())
    return 2 * both / (int(found.sum()) + int(shown.sum())) if both else 0.0


def f1_by_type(found: Bools, truth: Truth, types: Sequence[str]) -> dict[str, float]:
    """Return error type → F1 over all the key steps and actions at which it can show."""
    columns: dict[str, list[int]] = {}
    for number, name in enumerate(types):
        columns.setdefault(name, []).append(number)
    return {
        name: f1_of(
            found[:, numbers] & truth.asked[:, numbers],
            truth.errors[:, numbers] & truth.asked[:, numbers],
        )
        for name, numbers in columns.items()
        if (truth.errors[:, numbers] & truth.asked[:, numbers]).any()
    }


def macro(f1: dict[str, float]) -> float:
    """Return the mean over error types."""
    return float(np.mean(list(f1.values())))
