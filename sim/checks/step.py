"""A key step of many clips as rules see it: its phase, the other phases, and how to sum them up.

    step = Step(by_phase(clips, spans), seconds, order, "concentric")
    held(elbow_flexion(step.now))        # (N, 2) degrees, mean over the middle of the phase

Every phase has `SAMPLES` moments, so a moment is a share of the phase. What to divide by so that
tall and short people compare (arm, trunk, shoulders) comes from the clip itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from flex.graph import Phase
from sim.checks import features as f
from sim.study import Floats

SAMPLES = 41  # of a phase, first and last moment included


@dataclass(frozen=True)
class Step:
    """Clips of one action at the phase of a key step.

    Attributes:
        phases: (N, 3, S, 21, 3) metres, facing forward.
        seconds: (N, 3) how long the phases last.
        order: names of the three phases; the preparation is first.
        phase: the phase of the key step.
    """

    phases: Floats
    seconds: Floats
    order: Sequence[Phase]
    phase: Phase

    @property
    def now(self) -> Floats:
        """The key step's phase: (N, S, 21, 3)."""
        return self.phases[:, self.here]

    @property
    def setup(self) -> Floats:
        """The preparation: (N, S, 21, 3)."""
        return self.phases[:, 0]

    @property
    def lowering(self) -> Floats:
        """The eccentric phase: (N, S, 21, 3)."""
        return self.phases[:, self.order.index("eccentric")]

    @property
    def back(self) -> Floats:
        """The other of lifting and lowering, backwards in time, so that poses correspond."""
        return self.phases[:, 3 - self.here, ::-1]

    @property
    def here(self) -> int:
        """The number of the key step's phase."""
        return list(self.order).index(self.phase)

    @property
    def shoulder_width_m(self) -> Floats:
        """(N,) the widest in the clip: shoulders that are drawn forward stand closer together."""
        return np.asarray(f.gap(self.phases, "shoulder").max(axis=(1, 2)))

    @property
    def trunk_m(self) -> Floats:
        """(N,) the longest in the clip: a bent spine is shorter from end to end."""
        return np.asarray(f.length(f.trunk(self.phases)).max(axis=(1, 2)))

    @property
    def arm_m(self) -> Floats:
        """(N,) upper arm, forearm and hand."""
        still = self.phases[:, 0, 0]
        parts = [f.both(still, part) for part in ("shoulder", "elbow", "wrist", "hand")]
        return np.asarray(sum(f.length(far - near).mean(axis=-1) for near, far in pairwise(parts)))


def by_phase(joints: Floats, spans: Floats) -> Floats:
    """Cut clips into phases and sample each evenly.

    Args:
        joints: (N, T, 21, 3), frames spread evenly from the first to the last moment.
        spans: (N, P, 2) start and end of the phases as shares of the clip.

    Returns:
        (N, P, `SAMPLES`, 21, 3).
    """
    frames = joints.shape[1] - 1
    share = np.linspace(0, 1, SAMPLES)
    place = (spans[..., :1] + (spans[..., 1:] - spans[..., :1]) * share) * frames  # (N, P, S)
    before = np.clip(place.astype(int), 0, frames - 1)
    part = (place - before)[..., None, None]
    clip = np.arange(len(joints))[:, None, None]
    sampled: Floats = joints[clip, before] * (1 - part) + joints[clip, before + 1] * part
    return sampled


def within(values: Floats, first: float, last: float) -> Floats:
    """Return the mean between two shares of the phase: (N, S, ...) → (N, ...)."""
    low, high = (round(share * (SAMPLES - 1)) for share in (first, last))
    return np.asarray(values[:, low : high + 1].mean(axis=1))


def opening(values: Floats) -> Floats:
    """Return the mean before the next phase announces itself: (N, S, ...) → (N, ...)."""
    return within(values, 0, 0.35)


def held(values: Floats) -> Floats:
    """Return the mean over the middle of the phase: (N, S, ...) → (N, ...)."""
    return within(values, 0.25, 0.75)


def end(values: Floats) -> Floats:
    """Return what is at the end of the phase: (N, S, ...) → (N, ...)."""
    return within(values, 0.975, 1)


def both_ends(values: Floats) -> Floats:
    """Return the mean of what is soon after the start and shortly before the end: → (N, ...)."""
    return (within(values, 0.1, 0.2) + within(values, 0.8, 0.9)) / 2


def bulge(values: Floats) -> Floats:
    """Return how far the middle departs from the mean of start and end: (N, S, ...) → (N, ...)."""
    return within(values, 0.325, 0.675) - (within(values, 0, 0.025) + end(values)) / 2


def early_bulge(values: Floats) -> Floats:
    """Return how far the first half rises above both the start and the rest: (N, S) → (N,)."""
    return within(values, 0.22, 0.42) - np.maximum(values[:, 0], within(values, 0.75, 0.85))


def sway(values: Floats) -> Floats:
    """Return the movement to and fro that no smooth course explains: (N, S) → (N,).

    The course is a polynomial of third degree in time; the rest is measured by its deviation.
    """
    basis = np.linalg.qr(np.vander(np.linspace(-1, 1, SAMPLES), 4))[0]
    return np.asarray((values - values @ basis @ basis.T).std(axis=1))


def progress(values: Floats) -> Floats:
    """Return the share of the way from the first to the last value: (N, S)."""
    return np.asarray((values - values[:, :1]) / (values[:, -1:] - values[:, :1]))
