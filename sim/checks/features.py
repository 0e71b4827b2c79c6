"""Angles and distances of a skeleton, vectorised: what rules compare.

    clips = face_forward(joints)                 # (N, T, 21, 3), the person's left along +y
    elbow_flexion(clips)                         # (N, T, 2) degrees, right then left

Axes are those of `sim.motion`: x forward (lying on the back: towards the feet), y left, z up. Every
function takes points (..., 21, 3) in metres; sides come right, then left, in the last axis.
"""

import numpy as np

from flex.skeleton import INDEX, spine_base
from sim.study import Floats
from sim.vectors import across, unit

_SIDES = ("right", "left")
_OUTWARD = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
_FORWARD, _LEFT, _DOWN = np.eye(3)[0], np.eye(3)[1], -np.eye(3)[2]


def face_forward(joints: Floats) -> Floats:
    """Turn clips (N, T, 21, 3) about the vertical: the hips' mean line points along +y."""
    across = (joints[..., INDEX["left_hip"], :] - joints[..., INDEX["right_hip"], :]).mean(axis=1)
    turn = np.arctan2(-across[:, 0], across[:, 1])
    cos, sin, zero = np.cos(turn), np.sin(turn), np.zeros_like(turn)
    rows = [[cos, sin, zero], [-sin, cos, zero], [zero, zero, zero + 1]]
    faced: Floats = np.einsum("ijn,ntkj->ntki", np.array(rows), joints)
    return faced


def joint(points: Floats, name: str) -> Floats:
    """Return one joint: (..., 3)."""
    return points[..., INDEX[name], :]


def both(points: Floats, part: str) -> Floats:
    """Return the joint of both sides: (..., 2, 3)."""
    return points[..., [INDEX[f"{side}_{part}"] for side in _SIDES], :]


def middle(points: Floats, part: str) -> Floats:
    """Return the midpoint between the two sides' joints: (..., 3)."""
    return np.asarray(both(points, part).mean(axis=-2))


def gap(points: Floats, part: str) -> Floats:
    """Return the distance between the two sides' joints: (...) metres."""
    pair = both(points, part)
    return length(pair[..., 1, :] - pair[..., 0, :])


def above(points: Floats, part: str, base: str) -> Floats:
    """Return how much higher one pair of joints is than another, midpoints: (...) metres."""
    return np.asarray((middle(points, part) - middle(points, base))[..., 2])


def ahead(points: Floats, part: str, base: str) -> Floats:
    """Return how far forward one pair of joints is of another, midpoints: (...) metres."""
    return np.asarray((middle(points, part) - middle(points, base))[..., 0])


def length(vectors: Floats) -> Floats:
    """Return the lengths of vectors (..., 3): (...)."""
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def angle(one: Floats, two: Floats) -> Floats:
    """Return the angle between vectors (..., 3): (...) degrees."""
    return _acos((unit(one) * unit(two)).sum(axis=-1))


def pitch(vectors: Floats) -> Floats:
    """Return how far vectors (..., 3) lean forward from upright: (...) degrees, −180 to 180."""
    return np.asarray(np.degrees(np.arctan2(vectors[..., 0], vectors[..., 2])))


def flexion(points: Floats, first: str, centre: str, last: str) -> Floats:
    """Return how far a joint is bent, 0 straight: (..., 2) degrees."""
    root, bend, tip = (both(points, part) for part in (first, centre, last))
    return angle(bend - root, tip - bend)


def elbow_flexion(points: Floats) -> Floats:
    """Return how far the elbows are bent: (..., 2) degrees, never negative."""
    return flexion(points, "shoulder", "elbow", "wrist")


def elbow_bend(points: Floats) -> Floats:
    """Return how far the elbows are bent, negative past straight: (..., 2) degrees.

    The sign is told by turning the upper arm, without a twist, to where it would hang: a forearm
    that then points forward is bent, one that points backward is past straight.
    """
    arm = upper_arm(points)
    fore = unit(in_trunk(points, both(points, "wrist") - both(points, "elbow")))
    cosine = (arm * _DOWN).sum(axis=-1, keepdims=True)
    axis = np.cross(arm, np.broadcast_to(_DOWN, arm.shape))
    along = axis * (axis * fore).sum(axis=-1, keepdims=True) / np.maximum(1 + cosine, 1e-3)
    hanging = fore * cosine + np.cross(axis, fore) + along
    return np.asarray(elbow_flexion(points) * np.sign(hanging[..., 0]))


def wrist_bend(points: Floats) -> Floats:
    """Return how far the hands are bent off the line of the forearms: (..., 2) degrees."""
    return flexion(points, "elbow", "wrist", "hand")


def knee_flexion(points: Floats) -> Floats:
    """Return how far the knees are bent, mean of both: (...) degrees."""
    return np.asarray(flexion(points, "hip", "knee", "ankle").mean(axis=-1))


def hip_flexion(points: Floats) -> Floats:
    """Return how far the thighs are bent off the trunk's line: (...) degrees."""
    return angle(middle(points, "hip") - middle(points, "knee"), trunk(points))


def trunk(points: Floats) -> Floats:
    """Return the vector from the hips' midpoint to the upper spine: (..., 3) metres."""
    return np.asarray(joint(points, "upper_spine") - spine_base(points))


def trunk_lean(points: Floats) -> Floats:
    """Return how far the trunk leans forward from upright: (...) degrees."""
    return pitch(trunk(points))


def in_trunk(points: Floats, vectors: Floats) -> Floats:
    """Return vectors (..., K, 3) in the trunk's frame: forward, left and up, each last axis."""
    up = unit(trunk(points))
    forward = unit(np.cross(_LEFT, up))
    frame = np.stack([forward, np.cross(up, forward), up], axis=-2)
    turned: Floats = np.einsum("...ij,...kj->...ki", frame, vectors)
    return turned


def shoulder_shift(points: Floats) -> Floats:
    """Return where the shoulders' midpoint is from the upper spine, in trunk lengths.

    Returns:
        (..., 2): forward and up in the trunk's frame.
    """
    offset = middle(points, "shoulder") - joint(points, "upper_spine")
    placed = in_trunk(points, offset[..., None, :])[..., 0, :]
    return np.asarray(placed[..., [0, 2]] / length(trunk(points))[..., None])


def neck_lean(points: Floats) -> Floats:
    """Return how far neck and head lean forward of the trunk's line: (...) degrees."""
    lean = pitch(joint(points, "head") - joint(points, "upper_spine")) - trunk_lean(points)
    return np.asarray((lean + 180) % 360 - 180)


def upper_arm(points: Floats) -> Floats:
    """Return the upper arms in the trunk's frame at length 1: (..., 2, 3) forward, left, up."""
    return unit(in_trunk(points, both(points, "elbow") - both(points, "shoulder")))


def arm_swing(points: Floats) -> Floats:
    """Return how far the upper arms are forward of the trunk's downward line: (..., 2) degrees."""
    arm = upper_arm(points)
    return np.asarray(np.degrees(np.arctan2(arm[..., 0], -arm[..., 2])))


def arm_pitch(points: Floats) -> Floats:
    """Return how far the upper arms are forward of hanging plumb: (..., 2) degrees."""
    return pitch((both(points, "elbow") - both(points, "shoulder")) * [1, 1, -1])


def arm_spread(points: Floats) -> Floats:
    """Return how far the upper arms are out of the sagittal plane: (..., 2) degrees."""
    return 90 - _acos((upper_arm(points) * _OUTWARD).sum(axis=-1))


def armpit(points: Floats) -> Floats:
    """Return the angle between the upper arms and the trunk: (..., 2) degrees, 0 at the sides."""
    return _acos(-upper_arm(points)[..., 2])


def elbow_height(points: Floats) -> Floats:
    """Return how much higher the elbows are than their shoulders: (..., 2) metres."""
    return np.asarray((both(points, "elbow") - both(points, "shoulder"))[..., 2])


def elbows_out(points: Floats) -> Floats:
    """Return how far the elbows turn outward about the line from shoulder to wrist.

    Unlike the place of the elbows this does not change when the hands move apart.

    Returns:
        (..., 2) degrees: 90 straight out, 0 in the sagittal plane, negative inward.
    """
    return 90 - _acos((_bow(points) * _OUTWARD).sum(axis=-1))


def elbow_turn(points: Floats) -> Floats:
    """Return the same about a vertical arm, full circle: (..., 2) degrees, 0 forward, 90 out."""
    bow = _bow(points)
    return np.asarray(np.degrees(np.arctan2((bow * _OUTWARD).sum(axis=-1), bow[..., 0])))


def arm_plane(points: Floats) -> Floats:
    """Return where the planes of the arms cut the trunk's frontal plane.

    Of arms that press from a bench this is the angle between upper arm and trunk that stays the
    same wherever the bar is: the arms fold and unfold within their planes.

    Returns:
        (..., 2) degrees: 0 towards the feet, 90 outward.
    """
    upper = in_trunk(points, both(points, "elbow") - both(points, "shoulder"))
    lower = in_trunk(points, both(points, "hand") - both(points, "elbow"))
    cut = np.cross(np.cross(upper, lower), _FORWARD)
    cut = cut * np.sign((cut * in_trunk(points, _bow(points))).sum(axis=-1, keepdims=True))
    return np.asarray(np.degrees(np.arctan2((cut * _OUTWARD).sum(axis=-1), -cut[..., 2])))


def forearm_out(points: Floats) -> Floats:
    """Return how far the forearms tilt outward from the nearer vertical: (..., 2) degrees."""
    fore = both(points, "wrist") - both(points, "elbow")
    out = (fore * _OUTWARD).sum(axis=-1)
    return np.asarray(np.degrees(np.arctan2(out, np.abs(fore[..., 2]))))


def forearm_ahead(points: Floats) -> Floats:
    """Return how far the forearms tilt forward from the nearer vertical: (..., 2) degrees."""
    fore = both(points, "wrist") - both(points, "elbow")
    return np.asarray(np.degrees(np.arctan2(fore[..., 0], np.abs(fore[..., 2]))))


def knees_out(points: Floats) -> Floats:
    """Return how far the knees are outside the lines from hip to ankle: (...) shank lengths."""
    hip, knee, ankle = (both(points, part) for part in ("hip", "knee", "ankle"))
    share = (knee - ankle)[..., 2:] / (hip - ankle)[..., 2:]
    aside = ((knee - ankle - share * (hip - ankle)) * _OUTWARD).sum(axis=-1)
    return np.asarray((aside / length(knee - ankle)).mean(axis=-1))


def _bow(points: Floats) -> Floats:
    """Return where the elbows point, across the line from shoulder to wrist: (..., 2, 3)."""
    shoulder, elbow, wrist = (both(points, part) for part in ("shoulder", "elbow", "wrist"))
    axis, bow = unit(wrist - shoulder), elbow - shoulder
    return across(bow, axis)


def _acos(cosine: Floats) -> Floats:
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
