"""Arms of the rig: free ones that carry dumbbells, and those that hold one bar together.

Free arms follow their angles. Arms on a bar follow the bar: its middle is placed by the arm
angles that the pose asks for, then both hands take it at the grip width and each arm is closed
from shoulder to hand, so the hands never slide however the bar tilts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.bodies import Body
from sim.choreography import Setup
from sim.study import Floats
from sim.vectors import DOWN, OUT, about, across, in_plane, reach_of, towards, two_bones, unit

_FORWARD = np.array([1.0, 0.0, 0.0])
_CLOSER = 8  # steps in which a bar out of reach comes nearer
_MIRROR = np.array([1.0, -1.0])  # right, left
_OUTWARD = np.stack([OUT["right"], OUT["left"]])
_STRAIGHTEST_DEG = 2.0
_ELBOW_DEG = (-8.0, 150.0)  # how far elbows go: a little past straight, wholly folded
_CHEST, _SOFT_M = 0.055, 0.03  # of the stature: the chest above the shoulders of a lying person
_BACK_ELBOWS_DEG = -30.0  # they point down and a little back
_BACK = 0.055  # of the stature: a bar on the upper back lies this far behind the spine


@dataclass(frozen=True)
class Arms:
    """Joints and hands of both arms, each (T, 2, 3)."""

    elbow: Floats
    wrist: Floats
    hand: Floats
    handle: Floats
    palm: Floats


@dataclass(frozen=True)
class Girdle:
    """What arms hang from: upper spine and forward direction (T, 3), shoulders (T, 2, 3)."""

    spine: Floats
    forward: Floats
    shoulders: Floats


def free_arms(body: Body, values: Mapping[str, Floats], shoulders: Floats) -> Arms:
    """Return arms that follow their angles.

    `upper` raises the upper arm from hanging down towards the azimuth `plane` (0 forward, 90
    outward), `abduct` turns it outward on top of that, `elbow` bends the forearm towards the
    direction (`hint`, `hint_plane`), `tilt` turns the forearm outward.
    """
    length = body.length
    upper = _direction(values["upper"], values["plane"])
    upper = towards(upper, np.broadcast_to(_OUTWARD, upper.shape), values["abduct"])
    hint = _direction(values["hint"], values["hint_plane"])
    fore = towards(upper, hint, np.clip(values["elbow"], *_ELBOW_DEG))
    fore = about(fore, _FORWARD, values["tilt"] * _MIRROR * np.sign(fore[..., 2]))
    elbow = shoulders + length["upper_arm"] * upper
    wrist = elbow + length["forearm"] * fore
    handle = across(_grip_axis(values), fore)
    palm = np.cross(handle, fore)
    pointing = towards(fore, -palm, values["wrist"])
    hand = wrist + length["hand"] * pointing
    return Arms(elbow, wrist, hand, handle, np.cross(handle, pointing))


def bar_arms(
    body: Body,
    setup: Setup,
    values: Mapping[str, Floats],
    girdle: Girdle,
) -> tuple[Arms, Floats | None]:
    """Return arms on a bar, and the floor end of a T-bar.

    `grip` is the distance between the hands in shoulder widths, `swivel` turns the elbows outward
    from where they point when the arm bends in the sagittal plane, `bar_roll` lifts the left end.
    """
    length, shoulders = body.length, girdle.shoulders
    lower = reach_of(length["forearm"], length["hand"], values["wrist"])
    half = values["grip"] * length["shoulder_half"]
    roll = np.radians(values["bar_roll"])
    axis = np.stack([np.zeros_like(roll), np.cos(roll), np.sin(roll)], axis=-1)
    centre = _bar_centre(body, setup, values, girdle, lower[:, 0])
    centre[:, 0] += values["bar_dx"]
    centre[:, 2] += values["bar_z"]
    centre[:, 1] += values["shift"]
    if setup.fit is not None:  # plates do not sink into the floor
        centre[:, 2] = np.maximum(centre[:, 2], setup.fit.hand_height_m)
    pivot = None
    if setup.pivot_m is not None:
        pivot = np.array([setup.pivot_m.x, 0.0, setup.pivot_m.z])
        centre = _on_lever(centre, pivot, setup.pivot_m.lever * body.stature_m)
    sign = np.array([-1.0, 1.0])  # the right hand holds the right end
    step = half[:, None, None] * sign[:, None] * axis[:, None]
    longest = reach_of(length["upper_arm"], lower, np.full_like(lower, _STRAIGHTEST_DEG))
    for _ in range(_CLOSER):
        span = centre[:, None] + step - shoulders
        excess = np.linalg.norm(span, axis=-1) - longest
        worst, rows = excess.argmax(axis=1), np.arange(len(centre))
        pull = np.maximum(excess[rows, worst], 0)[:, None] * unit(span[rows, worst])
        pull[:, 1] = 0
        if pivot is None or setup.pivot_m is None:
            centre = centre - pull
        else:  # along its circle, a T-bar comes nearer only by rising
            centre[:, 2] += np.linalg.norm(pull, axis=-1)
            centre = _on_lever(centre, pivot, setup.pivot_m.lever * body.stature_m)
    hand = centre[:, None] + step
    pole = _pole(setup, values, hand - shoulders)
    elbow, hand = two_bones(shoulders, hand, length["upper_arm"], lower, pole)
    handle = np.broadcast_to(axis[:, None], hand.shape).copy()
    grasp = 1.0 if setup.grip == "over" else -1.0
    palm = grasp * across(np.cross(handle, unit(hand - elbow)), unit(hand - elbow))
    wrist = _wrist(length["forearm"], length["hand"], elbow, hand, palm, values["wrist"])
    palm = grasp * np.cross(handle, unit(hand - wrist))
    return Arms(elbow, wrist, hand, handle, unit(palm)), pivot


def _bar_centre(
    body: Body,
    setup: Setup,
    values: Mapping[str, Floats],
    girdle: Girdle,
    lower: Floats,
) -> Floats:
    """Return the middle of the bar, (T, 3), before sway and lever."""
    middle = girdle.shoulders.mean(axis=1)
    bar_x = values["bar_x"]
    if setup.arms == "back":
        behind = bar_x - _BACK * body.stature_m
        return np.asarray(girdle.spine + behind[:, None] * girdle.forward)
    flexion = np.clip(values["elbow"].mean(axis=1), _STRAIGHTEST_DEG, _ELBOW_DEG[1])
    reach = reach_of(body.length["upper_arm"], lower, flexion)
    aside = (values["grip"] - 1) * body.length["shoulder_half"]
    planar = np.sqrt(np.maximum(reach**2 - aside**2, 1e-4))
    if setup.arms == "angles":
        shape = body.length["upper_arm"] * in_plane(values["upper"].mean(axis=1))
        shape += lower[:, None] * in_plane((values["upper"] + values["elbow"]).mean(axis=1))
        by_angles: Floats = middle + planar[:, None] * unit(shape) + bar_x[:, None] * _FORWARD
        return by_angles
    # The bar hangs or stands plumb over a line: x is given, the arms decide the height.
    offset = bar_x if setup.arms == "plumb" else bar_x - middle[:, 0]
    offset = np.clip(offset, -0.98 * planar, 0.98 * planar)
    height = np.sqrt(planar**2 - offset**2) * (1 if setup.above else -1)
    if setup.bench is not None:
        height = _soft_maximum(height, _CHEST * body.stature_m)
    zero = np.zeros_like(offset)
    placed: Floats = middle + np.stack([offset, zero, height], axis=-1)
    return placed


def _soft_maximum(values: Floats, least: float) -> Floats:
    """Return values (T,) that come to rest at `least` instead of passing it."""
    return np.asarray((values + least + np.sqrt((values - least) ** 2 + _SOFT_M**2)) / 2)


def _on_lever(centre: Floats, pivot: Floats, lever_m: float) -> Floats:
    """Move the middle of a T-bar's handle fore or aft to where the bar reaches from its pivot."""
    height = centre[:, 2] - pivot[2]
    moved = centre.copy()
    moved[:, 0] = pivot[0] + np.sqrt(np.maximum(lever_m**2 - height**2, 0))
    return moved


def _pole(setup: Setup, values: Mapping[str, Floats], spans: Floats) -> Floats:
    """Return the direction to which the elbows point, for spans shoulder to hand: (T, 2, 3)."""
    turn = np.radians(values["swivel"])[..., None]
    if setup.arms == "back":
        inward = np.broadcast_to(in_plane(np.array(_BACK_ELBOWS_DEG)), spans.shape)
    else:
        # An elbow that bends forward lies behind the line from shoulder to hand: always across it.
        inward = np.stack([spans[..., 2], np.zeros_like(spans[..., 0]), -spans[..., 0]], axis=-1)
    pole: Floats = np.cos(turn) * unit(inward) + np.sin(turn) * _OUTWARD
    return pole


def _direction(raised: Floats, plane: Floats) -> Floats:
    """Return directions (T, 2, 3), raised from hanging down towards an azimuth."""
    raised_rad, azimuth = np.radians(raised)[..., None], np.radians(plane)[..., None]
    level = np.cos(azimuth) * _FORWARD + np.sin(azimuth) * _OUTWARD
    direction: Floats = np.cos(raised_rad) * DOWN + np.sin(raised_rad) * level
    return direction


def _grip_axis(values: Mapping[str, Floats]) -> Floats:
    """Return the axis of each handle: `palm` 0 overhand, 90 neutral, 180 underhand; (T, 2, 3)."""
    palm, pitch = np.radians(values["palm"]), np.radians(values["palm_pitch"])
    ahead = np.sin(palm) * _MIRROR
    axis: Floats = np.stack([ahead * np.cos(pitch), np.cos(palm), ahead * np.sin(pitch)], axis=-1)
    return axis


def _wrist(
    forearm: float, hand_m: float, elbow: Floats, hand: Floats, palm: Floats, bend: Floats
) -> Floats:
    """Return the wrists (T, 2, 3) between elbow and hand, bent back by `bend` degrees (T, 2)."""
    span = hand - elbow
    straight = np.linalg.norm(span, axis=-1)
    along = (forearm**2 + straight**2 - hand_m**2) / (2 * straight)
    side = np.sqrt(np.maximum(forearm**2 - along**2, 0)) * np.sign(bend)
    wrist: Floats = elbow + along[..., None] * unit(span) + side[..., None] * palm
    return wrist
