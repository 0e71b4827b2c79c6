"""One simulated study: a graph, the numbers and a seed, from which every draw follows.

A draw is named by what it is for (`study.draws("errors", "N03", "A16")`) and depends on nothing
else, so any set can be drawn again alone, a small data set is a part of the whole one, and a new
kind of draw leaves the old ones as they were.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flex.graph import Graph
from sim.settings import Settings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_HALVINGS = 40


@dataclass(frozen=True)
class Study:
    """What a simulated data set is made from."""

    graph: Graph
    settings: Settings
    seed: int

    def draws(self, *purpose: str | int) -> np.random.Generator:
        """Return the generator of a purpose; equal seed and purpose give equal draws."""
        digest = hashlib.sha256(repr((self.seed, *purpose)).encode()).digest()
        return np.random.default_rng(int.from_bytes(digest, "big"))


def solve(rising: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Return where a rising function meets `target` between `low` and `high`, by bisection.

    Raises:
        ValueError: the target lies outside what the function reaches there.
    """
    least, most = rising(low), rising(high)
    if not least <= target <= most:
        raise ValueError(f"{target:g} is not between {least:.4g} and {most:.4g}")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return (low + high) / 2
