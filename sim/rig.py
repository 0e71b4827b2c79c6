"""Forward kinematics: pose parameters to the 21 joints, with feet, hands and bench where they are.

    motion = pose_body(body, setup, parameters)

A pose is a set of angles and a few places, given as arrays over time (`Parameters`). Legs and arms
that hold on to something (floor, bar) are closed by two-bone inverse kinematics, so limbs keep
their length, feet stay on the floor and hands stay on the bar whatever an error adds to an angle.

Angles are in degrees in world axes. In the sagittal plane 0 points down for limbs and up for the
trunk, and a positive angle turns towards where the person faces. The sides are right, then left.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flex.skeleton import INDEX, JOINTS
from sim.arms import Arms, Girdle, bar_arms, free_arms
from sim.bodies import Body
from sim.choreography import Setup
from sim.motion import Bench, Motion
from sim.study import Floats
from sim.vectors import OUT, in_plane, two_bones, unit

Parameters = Mapping[str, Floats]
_FOOT_SOLE_M = 0.02
_STRAIGHTEST_KNEE_DEG = 4.0
_SEATED_ANKLE_M = {"lying": 0.36, "seated": 0.42}


@dataclass(frozen=True)
class Trunk:
    """Where the trunk is: points (T, 3), and its frame: up and forward (T, 3)."""

    base: Floats
    lumbar: Floats
    upper: Floats
    neck: Floats
    head: Floats
    up: Floats
    forward: Floats


def pose_body(
    body: Body, setup: Setup, values: Parameters, times_s: Floats, load_kg: float
) -> Motion:
    """Return the motion that parameters give a body.

    Args:
        body: lengths of the segments.
        setup: how the action is set up: posture, equipment, how the arms hold it.
        values: parameter → (T,) or, for what each side has of its own, (T, 2).
        times_s: (T,) seconds.
        load_kg: what is held.
    """
    count = len(times_s)
    joints = np.zeros((count, len(JOINTS), 3))
    bench = _bench(body, setup)
    base = _standing_base(body, values) if bench is None else _benched_base(body, bench, values)
    trunk = _trunk(body, values, base)
    for name in ("head", "neck"):
        joints[:, INDEX[name]] = getattr(trunk, name)
    joints[:, INDEX["upper_spine"]] = trunk.upper
    _legs(body, setup, values, trunk, joints)
    shoulders = _shoulders(body, values, trunk)
    arms, pivot = _arms(body, setup, values, trunk, shoulders)
    for side, name in enumerate(("right", "left")):
        joints[:, INDEX[f"{name}_shoulder"]] = shoulders[:, side]
        for part in ("elbow", "wrist", "hand"):
            joints[:, INDEX[f"{name}_{part}"]] = getattr(arms, part)[:, side]
    return Motion(
        times_s=times_s,
        joints=joints,
        lumbar=trunk.lumbar,
        handles=arms.handle,
        palms=arms.palm,
        thumbs=values["thumbs"],
        equipment=setup.equipment,
        load_kg=load_kg,
        bench=bench,
        pivot=pivot,
    )


def _bench(body: Body, setup: Setup) -> Bench | None:
    if setup.bench is None:
        return None
    seat = np.array([0.0, 0.0, setup.bench.seat_m])
    return Bench(seat=seat, back_deg=setup.bench.back_deg, back_m=1.25 * body.length["trunk"] + 0.3)


def _standing_base(body: Body, values: Parameters) -> tuple[Floats, Floats]:
    """Return the hip midpoint above planted feet, and the lean of the trunk in degrees."""
    length = body.length
    shin, knee = values["shin"], np.maximum(values["knee"], _STRAIGHTEST_KNEE_DEG)
    sagittal = length["shank"] * in_plane(180 - shin)
    sagittal += length["thigh"] * in_plane(180 + knee - shin)
    aside = values["stance"] * length["shoulder_half"] - length["hip_half"]
    sagittal = _shortened(sagittal, aside)
    base = sagittal + np.array([0, 0, length["ankle_height"]])
    base[:, 1] += values["shift"]
    return base, values["trunk"]


def _benched_base(body: Body, bench: Bench, values: Parameters) -> tuple[Floats, Floats]:
    """Return the hip midpoint on a bench; hips that lift turn about the upper back."""
    trunk_m, lift = body.length["trunk"], values["hip_lift"]
    rest = bench.seat + np.array([0, 0, _thickness(body)])
    upper = rest + trunk_m * in_plane(180 - values["trunk"])
    rise = np.clip((upper[:, 2] - rest[2] - lift) / trunk_m, -1, 1)
    lean = np.where(lift > 0, -np.degrees(np.arccos(rise)), values["trunk"])
    return upper - trunk_m * in_plane(180 - lean), lean


def _thickness(body: Body) -> float:
    return 0.058 * body.stature_m * body.girth


def _shortened(sagittal: Floats, aside: Floats) -> Floats:
    """Shorten sagittal vectors (T, 3) so that with a step `aside` (T,) they keep their length."""
    reach = np.linalg.norm(sagittal, axis=-1)
    planar = np.sqrt(np.maximum(reach**2 - aside**2, (0.2 * reach) ** 2))
    shortened: Floats = sagittal * (planar / reach)[:, None]
    return shortened


def _trunk(body: Body, values: Parameters, placed: tuple[Floats, Floats]) -> Trunk:
    base, lean = placed
    length, curve = body.length, values["curve"]
    low, high = lean - curve / 2, lean + curve / 2
    half = length["trunk"] / 2
    up, forward = in_plane(180 - high), in_plane(90 - high)
    middle = base + half * in_plane(180 - low)
    upper = middle + half * up
    arch = 0.2 * length["trunk"] * np.sin(np.radians(values["lumbar"]))
    lumbar: Floats = middle + arch[:, None] * in_plane(90 - low)
    bent, forth = values["neck"], values["head_forward"][:, None] * forward / 2
    neck_way = length["neck"] * in_plane(180 - high - bent / 2) + forth
    head_way = length["head"] * in_plane(180 - high - bent) + forth
    neck = upper + length["neck"] * unit(neck_way)
    head = neck + length["head"] * unit(head_way)
    return Trunk(base, lumbar, upper, neck, head, up=up, forward=forward)


def _shoulders(body: Body, values: Parameters, trunk: Trunk) -> Floats:
    """Return the shoulder joints: (T, 2, 3)."""
    wide = body.length["shoulder_half"] * np.stack([OUT["right"], OUT["left"]])
    raised = values["shrug"][..., None] * trunk.up[:, None]
    drawn = values["protract"][..., None] * trunk.forward[:, None]
    narrowed = 1 - 1.5 * np.maximum(values["protract"], 0)[..., None]
    placed: Floats = trunk.upper[:, None] + wide * narrowed + raised + drawn
    return placed


def _legs(body: Body, setup: Setup, values: Parameters, trunk: Trunk, joints: Floats) -> None:
    length = body.length
    seat = setup.bench
    ahead = 0.0 if seat is None else _SEATED_ANKLE_M[seat.legs]
    turn = np.radians(values["toe_out"])
    for name, out in OUT.items():
        hip = trunk.base + length["hip_half"] * out
        ankle = np.zeros_like(hip)
        ankle[:, 0] = ahead
        ankle += (values["stance"] * length["shoulder_half"])[:, None] * out
        ankle[:, 2] = length["ankle_height"] + values["heel_lift"]
        toes = np.stack([np.cos(turn), np.sin(turn) * out[1], np.zeros_like(turn)], axis=-1)
        pole = toes - (values["knees_in"])[:, None] * out
        if seat is not None:
            pole = pole + np.array([0, 0, 1.5])
        knee, ankle = two_bones(hip, ankle, length["thigh"], length["shank"], pole)
        joints[:, INDEX[f"{name}_hip"]] = hip
        joints[:, INDEX[f"{name}_knee"]] = knee
        joints[:, INDEX[f"{name}_ankle"]] = ankle
        _foot(length, ankle, toes, values["heel_lift"], joints, name)


def _foot(
    length: Mapping[str, float],
    ankle: Floats,
    toes: Floats,
    heel_lift: Floats,
    joints: Floats,
    name: str,
) -> None:
    """Place heel and toe: a foot turns about its toes when the heel lifts."""
    down = length["ankle_height"] - _FOOT_SOLE_M
    pitch = np.arcsin(np.clip(heel_lift / (length["toe"] + length["heel"]), 0, 0.95))
    fore = np.cos(pitch)[:, None] * toes - np.sin(pitch)[:, None] * np.array([0, 0, 1.0])
    sole = -np.sin(pitch)[:, None] * toes - np.cos(pitch)[:, None] * np.array([0, 0, 1.0])
    joints[:, INDEX[f"{name}_heel"]] = ankle + down * sole - length["heel"] * fore
    joints[:, INDEX[f"{name}_toe"]] = ankle + down * sole + length["toe"] * fore


def _arms(
    body: Body, setup: Setup, values: Parameters, trunk: Trunk, shoulders: Floats
) -> tuple[Arms, Floats | None]:
    if setup.arms == "free":
        return free_arms(body, values, shoulders), None
    return bar_arms(body, setup, values, Girdle(trunk.upper, trunk.forward, shoulders))
