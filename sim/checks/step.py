"""A key step of many clips as rules see it: its phase, the other phases, and how to sum them up.

    step = Step(phases, seconds, order, "concentric")
    held(elbow_flexion(step.now))        # (N, 2) degrees, mean over the middle of the phase

Every phase has `features.SAMPLES` moments, so a moment is a share of the phase.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flex.graph import Phase
from sim.checks.features import SAMPLES
from sim.study import Floats


@dataclass(frozen=True)
class Step:
    """Clips of one action at the phase of a key step.

    Attributes:
        phases: (N, P, S, 21, 3) metres, facing forward.
        seconds: (N, P) how long the phases last.
        order: P names of the phases.
        phase: the phase of the key step.
    """

    phases: Floats
    seconds: Floats
    order: Sequence[Phase]
    phase: Phase

    @property
    def now(self) -> Floats:
        """The key step's phase: (N, S, 21, 3)."""
        return self.phases[:, self.order.index(self.phase)]

    @property
    def setup(self) -> Floats:
        """The preparation: (N, S, 21, 3)."""
        return self.phases[:, 0]

    @property
    def back(self) -> Floats:
        """The other of lifting and lowering, backwards in time, so that poses correspond."""
        here = self.order.index(self.phase)
        return self.phases[:, 3 - here, ::-1] if here else self.setup

    @property
    def lasts(self) -> Floats:
        """How long the phase lasts: (N,) seconds."""
        return self.seconds[:, self.order.index(self.phase)]


def held(values: Floats) -> Floats:
    """Return the mean over the middle of the phase: (N, S, ...) → (N, ...)."""
    return np.asarray(values[:, SAMPLES // 4 : SAMPLES - SAMPLES // 4].mean(axis=1))


def start(values: Floats) -> Floats:
    """Return what is at the beginning of the phase: (N, S, ...) → (N, ...)."""
    return np.asarray(values[:, :2].mean(axis=1))


def end(values: Floats) -> Floats:
    """Return what is at the end of the phase: (N, S, ...) → (N, ...)."""
    return np.asarray(values[:, -2:].mean(axis=1))


def bulge(values: Floats) -> Floats:
    """Return how far the middle departs from the mean of both ends: (N, S, ...) → (N, ...)."""
    third = SAMPLES // 3
    between = values[:, third : SAMPLES - third].mean(axis=1)
    return np.asarray(between - (start(values) + end(values)) / 2)


def sway(values: Floats) -> Floats:
    """Return the movement to and fro that no smooth course explains: (N, S) → (N,).

    The course is a polynomial of third degree in time; the rest is measured by its deviation.
    """
    time = np.linspace(-1, 1, SAMPLES)
    basis = np.linalg.qr(np.vander(time, 4))[0]
    rest = values - values @ basis @ basis.T
    return np.asarray(rest.std(axis=1))
