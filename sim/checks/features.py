"""Angles and distances of a skeleton, vectorised: what rules compare.

    clips = face_forward(joints)                 # (N, T, 21, 3), the person's left along +y
    elbow_flexion(clips)                         # (N, T, 2) degrees, right then left
    phases = by_phase(clips, spans)              # (N, P, 41, 21, 3), every phase equally long

Axes are those of `sim.motion`: x forward (lying on the back: towards the feet), y left, z up. Every
function takes points (..., 21, 3) in metres; sides come right, then left, in the last axis.
"""

import numpy as np

from flex.skeleton import INDEX, spine_base
from sim.study import Floats

SAMPLES = 41  # of a phase, first and last moment included
_SIDES = ("right", "left")
_OUTWARD = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
_LEFT, _UP = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def face_forward(joints: Floats) -> Floats:
    """Turn clips about the vertical so that the hips' mean line points along +y.

    Args:
        joints: (N, T, 21, 3).
    """
    across = (joints[..., INDEX["left_hip"], :] - joints[..., INDEX["right_hip"], :]).mean(axis=1)
    turn = np.arctan2(-across[:, 0], across[:, 1])
    cos, sin, zero = np.cos(turn), np.sin(turn), np.zeros_like(turn)
    rows = [[cos, sin, zero], [-sin, cos, zero], [zero, zero, zero + 1]]
    matrices = np.array(rows).transpose(2, 0, 1)
    faced: Floats = np.einsum("nij,ntkj->ntki", matrices, joints)
    return faced


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


def joint(points: Floats, name: str) -> Floats:
    """Return one joint: (..., 3)."""
    return points[..., INDEX[name], :]


def both(points: Floats, part: str) -> Floats:
    """Return the joint of both sides: (..., 2, 3)."""
    return points[..., [INDEX[f"{side}_{part}"] for side in _SIDES], :]


def middle(points: Floats, part: str) -> Floats:
    """Return the midpoint between the two sides' joints: (..., 3)."""
    midpoint: Floats = both(points, part).mean(axis=-2)
    return midpoint


def gap(points: Floats, part: str) -> Floats:
    """Return the distance between the two sides' joints: (...) metres."""
    pair = both(points, part)
    return _norm(pair[..., 1, :] - pair[..., 0, :])


def angle(one: Floats, two: Floats) -> Floats:
    """Return the angle between vectors (..., 3): (...) degrees."""
    cosine = (_unit(one) * _unit(two)).sum(axis=-1)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def pitch(vectors: Floats) -> Floats:
    """Return how far vectors (..., 3) lean forward from upright: (...) degrees, −180 to 180."""
    return np.asarray(np.degrees(np.arctan2(vectors[..., 0], vectors[..., 2])))


def off_vertical(vectors: Floats) -> Floats:
    """Return the angle of lines along vectors (..., 3) to the vertical: (...) degrees, 0 to 90."""
    return np.degrees(np.arccos(np.clip(np.abs(_unit(vectors)[..., 2]), 0, 1)))


def flexion(points: Floats, first: str, centre: str, last: str) -> Floats:
    """Return how far a joint is bent, 0 straight: (..., 2) degrees."""
    root, bend, tip = (both(points, part) for part in (first, centre, last))
    return angle(bend - root, tip - bend)


def elbow_flexion(points: Floats) -> Floats:
    """Return how far the elbows are bent: (..., 2) degrees."""
    return flexion(points, "shoulder", "elbow", "wrist")


def wrist_bend(points: Floats) -> Floats:
    """Return how far the hands are bent off the line of the forearms: (..., 2) degrees."""
    return flexion(points, "elbow", "wrist", "hand")


def knee_flexion(points: Floats) -> Floats:
    """Return how far the knees are bent, mean of both: (...) degrees."""
    return np.asarray(flexion(points, "hip", "knee", "ankle").mean(axis=-1))


def trunk(points: Floats) -> Floats:
    """Return the vector from the hips' midpoint to the upper spine: (..., 3) metres."""
    return np.asarray(joint(points, "upper_spine") - spine_base(points))


def trunk_lean(points: Floats) -> Floats:
    """Return how far the trunk leans forward from upright: (...) degrees."""
    return pitch(trunk(points))


def in_trunk(points: Floats, vectors: Floats) -> Floats:
    """Return vectors (..., K, 3) in the trunk's frame: forward, left and up, each last axis."""
    up = _unit(trunk(points))
    forward = _unit(np.cross(_LEFT, up))
    left = np.cross(up, forward)
    frame = np.stack([forward, left, up], axis=-2)
    turned: Floats = np.einsum("...ij,...kj->...ki", frame, vectors)
    return turned


def shoulder_shift(points: Floats) -> Floats:
    """Return where the shoulders' midpoint is from the upper spine, in trunk lengths.

    Returns:
        (..., 2): forward and up in the trunk's frame.
    """
    offset = middle(points, "shoulder") - joint(points, "upper_spine")
    placed = in_trunk(points, offset[..., None, :])[..., 0, :]
    return np.asarray(placed[..., [0, 2]] / _norm(trunk(points))[..., None])


def neck_bend(points: Floats) -> Floats:
    """Return how far head and neck lean forward of the trunk's line: (...) degrees."""
    return _turned(pitch(joint(points, "head") - joint(points, "upper_spine")), trunk_lean(points))


def upper_arm(points: Floats) -> Floats:
    """Return the upper arms in the trunk's frame at length 1: (..., 2, 3) forward, left, up."""
    return _unit(in_trunk(points, both(points, "elbow") - both(points, "shoulder")))


def arm_swing(points: Floats) -> Floats:
    """Return how far the upper arms are forward of the trunk's downward line: (..., 2) degrees."""
    arm = upper_arm(points)
    return np.asarray(np.degrees(np.arctan2(arm[..., 0], -arm[..., 2])))


def arm_spread(points: Floats) -> Floats:
    """Return how far the upper arms are out of the sagittal plane: (..., 2) degrees."""
    out = (upper_arm(points) * _OUTWARD).sum(axis=-1)
    return np.asarray(np.degrees(np.arcsin(np.clip(out, -1, 1))))


def armpit(points: Floats) -> Floats:
    """Return the angle between the upper arms and the trunk: (..., 2) degrees, 0 at the sides."""
    arm = upper_arm(points)
    return np.asarray(np.degrees(np.arccos(np.clip(-arm[..., 2], -1, 1))))


def elbows_out(points: Floats) -> Floats:
    """Return how far the elbows turn outward about the line from shoulder to hand.

    This does not change when the hands move apart or the elbows bend, unlike the place of the
    elbows.

    Returns:
        (..., 2) degrees: 90 straight out, 0 in the sagittal plane, negative inward.
    """
    shoulder, elbow, hand = (both(points, part) for part in ("shoulder", "elbow", "wrist"))
    axis = _unit(hand - shoulder)
    bow = elbow - shoulder
    bow = _unit(bow - (bow * axis).sum(axis=-1, keepdims=True) * axis)
    out = (bow * _OUTWARD).sum(axis=-1)
    return np.asarray(np.degrees(np.arcsin(np.clip(out, -1, 1))))


def forearm_out(points: Floats) -> Floats:
    """Return how far the forearms tilt outward from the nearer vertical: (..., 2) degrees."""
    fore = both(points, "wrist") - both(points, "elbow")
    out = (fore * _OUTWARD).sum(axis=-1)
    return np.asarray(np.degrees(np.arctan2(out, np.abs(fore[..., 2]))))


def forearm_ahead(points: Floats) -> Floats:
    """Return how far the forearms tilt forward from the nearer vertical: (..., 2) degrees."""
    fore = both(points, "wrist") - both(points, "elbow")
    return np.asarray(np.degrees(np.arctan2(fore[..., 0], np.abs(fore[..., 2]))))


def _norm(vectors: Floats) -> Floats:
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(_norm(vectors), 1e-9)[..., None])


def _turned(one: Floats, two: Floats) -> Floats:
    """Return the difference of angles: (...) degrees, −180 to 180."""
    return np.asarray((one - two + 180) % 360 - 180)


def shoulder_width(phases: Floats) -> Floats:
    """Return the width of the shoulders when they are not drawn in: (N, P, S, 21, 3) → (N,)."""
    return np.asarray(gap(phases, "shoulder").max(axis=(1, 2)))


def trunk_length(phases: Floats) -> Floats:
    return np.asarray(_norm(trunk(phases)).max(axis=(1, 2)))


def arm_length(phases: Floats) -> Floats:
    points = phases[:, 0, 0]
    return np.asarray(
        sum(
            _norm(middle_gap(points, a, b))
            for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"))
        )
    )


def middle_gap(points, a, b):
    return (both(points, b) - both(points, a))[..., 0, :]


def hip_flexion(points: Floats) -> Floats:
    thigh = middle(points, "knee") - middle(points, "hip")
    return angle(-thigh, trunk(points))


def head_ahead(points: Floats) -> Floats:
    offset = joint(points, "head") - joint(points, "upper_spine")
    return in_trunk(points, offset[..., None, :])[..., 0, 0] / _norm(trunk(points))


def progress(values: Floats) -> Floats:
    """Return the share of the way covered: (N, S)."""
    return (values - values[:, :1]) / (values[:, -1:] - values[:, :1])
