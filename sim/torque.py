"""Which torque every joint has to give: weights and accelerations of limbs, trunk and load.

    loads = place_load(action, motion)
    torques = joint_torques(body, motion, loads)
    torques["elbow"]          # (T, 2, 3) N·m in world axes, right then left

Segments are point masses at their centres, each pulled by its weight and its own acceleration. A
torque is what the muscles across a joint have to exert on the limb beyond it: at shoulder and elbow
it holds everything out to the hand, at hip and knee everything that stands on the leg. The hands
carry a load straight down, which leaves out that a bar can also be pushed sideways.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.signal import savgol_filter

from flex.skeleton import INDEX, spine_base
from sim.bodies import Body
from sim.motion import SIDES, Motion
from sim.signal_settings import Segment, load_signals
from sim.study import Floats

GRAVITY = np.array([0.0, 0.0, -9.81])
_SMOOTH_S = 0.12
_LEAST_SHARE = 0.2  # of the weight that a leg bears, however far the body leans to the other


@dataclass(frozen=True)
class PlacedLoad:
    """Where the load acts: kg in each hand, and kg on the upper back."""

    each_hand_kg: float
    back_kg: float


def place_load(action: str, motion: Motion) -> PlacedLoad:
    """Return where the load of an action acts; a bar is shared by the hands, a T-bar is a lever."""
    settings = load_signals().load
    if action in settings.on_the_back:
        return PlacedLoad(0.0, motion.load_kg)
    hands = 1 if motion.equipment == "dumbbell" else len(SIDES)
    borne = settings.lever.get(motion.equipment, 1.0)
    return PlacedLoad(borne * motion.load_kg / hands, 0.0)


def joint_torques(body: Body, motion: Motion, load: PlacedLoad) -> Mapping[str, Floats]:
    """Return joint → torque on the limb beyond it: (T, 2, 3) N·m, right then left, world axes.

    Args:
        body: whose mass the segments share.
        motion: joints over T times.
        load: where the load acts.
    """
    masses = load_signals().masses
    joints, times_s = motion.joints, motion.times_s
    forces = _Forces(body, times_s)
    shoulder, elbow, wrist = (_both(joints, part) for part in ("shoulder", "elbow", "wrist"))
    hand, ankle = _both(joints, "hand"), _both(joints, "ankle")
    hip, knee = _both(joints, "hip"), _both(joints, "knee")
    upper_arm = forces.segment("upper_arm", shoulder, elbow)
    forearm = forces.segment("forearm", elbow, wrist)
    held = forces.at(hand, masses["hand"].share * body.mass_kg + load.each_hand_kg)

    base, upper_spine = spine_base(joints)[:, None], joints[:, [INDEX["upper_spine"]]]
    above = [
        forces.segment("trunk", base, upper_spine),
        forces.segment("head", upper_spine, joints[:, [INDEX["head"]]]),
        forces.at(upper_spine, load.back_kg),
        *(part.sides(side) for part in (upper_arm, forearm, held) for side in (0, 1)),
    ]
    share = _legs_share(above, ankle)[..., None]
    thigh = forces.segment("thigh", hip, knee)
    return {
        "shoulder": -sum_moments([upper_arm, forearm, held], shoulder),
        "elbow": -sum_moments([forearm, held], elbow),
        "hip": share * sum_moments(above, hip),
        "knee": share * sum_moments(above, knee) + thigh.moment(knee),
    }


@dataclass(frozen=True)
class PointForce:
    """Point masses, and what pulls at them.

    Attributes:
        place: (T, S, 3) metres, of both sides or, with S = 1, of what the body has once.
        force: (T, S, 3) newton.
    """

    place: Floats
    force: Floats

    def moment(self, about: Floats) -> Floats:
        """Return the moment about points (T, 2, 3), N·m."""
        return np.asarray(np.cross(self.place - about, self.force))

    def sides(self, side: int) -> "PointForce":
        """Return one side alone."""
        return PointForce(self.place[:, [side]], self.force[:, [side]])


def sum_moments(parts: list[PointForce], about: Floats) -> Floats:
    """Return the moment of all parts about points (T, 2, 3), N·m."""
    return np.asarray(np.sum([part.moment(about) for part in parts], axis=0))


class _Forces:
    """Makes point forces of a body over times (T,)."""

    def __init__(self, body: Body, times_s: Floats) -> None:
        self._mass_kg = body.mass_kg
        self._step_s = float(times_s[1] - times_s[0]) if len(times_s) > 1 else 1.0
        self._window = max(5, 2 * round(_SMOOTH_S / self._step_s / 2) + 1)

    def segment(self, name: Segment, near: Floats, far: Floats) -> PointForce:
        mass = load_signals().masses[name]
        return self.at(near + mass.centre * (far - near), mass.share * self._mass_kg)

    def at(self, place: Floats, mass_kg: float) -> PointForce:
        return PointForce(place, mass_kg * (GRAVITY - self._acceleration(place)))

    def _acceleration(self, place: Floats) -> Floats:
        inertia = load_signals().load.inertia
        if len(place) < self._window or not inertia:
            return np.zeros_like(place)
        second = savgol_filter(
            place, self._window, polyorder=2, deriv=2, delta=self._step_s, axis=0, mode="nearest"
        )
        return np.asarray(inertia * second)


def _both(joints: Floats, part: str) -> Floats:
    return joints[:, [INDEX[f"{side}_{part}"] for side in SIDES]]


def _legs_share(above: list[PointForce], ankle: Floats) -> Floats:
    """Return which share of the weight above each leg bears: (T, 2), by where its centre lies."""
    weights = [-part.force[..., 2] for part in above]
    total = np.sum(weights, axis=0)
    centre = np.sum([w[..., None] * p.place for w, p in zip(weights, above, strict=True)], axis=0)
    centre = (centre / total[..., None])[:, 0]
    across = ankle[:, 1] - ankle[:, 0]
    across[:, 2] = 0
    width = np.maximum((across**2).sum(axis=-1), 1e-6)
    left = ((centre - ankle[:, 0]) * across).sum(axis=-1) / width
    left = np.clip(left, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return np.stack([1 - left, left], axis=-1)
