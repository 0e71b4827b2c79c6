"""Which angle of the body shows a repetition of an action, and how that angle goes over a set.

    course = course_of(points, load_movements()["A16"])   # (T,) degrees, high where the lift turns

`configs/prepare/movements.yaml` names the angle of each of the 20 actions; another file serves
actions of one's own.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from flex.number_table import Floats
from flex.problems import InputError, problems_of
from flex.skeleton import INDEX, spine_base
from flex.yaml_places import read_yaml

MOVEMENTS_FILE = Path(__file__).parent.parent / "configs" / "prepare" / "movements.yaml"
_SIDES = ("left", "right")


class Movement(BaseModel):
    """An angle, and whether it grows in the first phase of movement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    angle: Literal["elbow", "shoulder", "extension", "opening", "knee"]
    rises: bool


_KIND = TypeAdapter(dict[str, Movement])


def load_movements(path: Path = MOVEMENTS_FILE) -> dict[str, Movement]:
    """Return action → movement.

    Raises:
        InputError: the file cannot be read, or every entry that is no movement.
    """
    placed = read_yaml(path)
    try:
        return _KIND.validate_python(placed.data)
    except ValidationError as error:
        keys = sorted(Movement.model_fields)
        raise InputError(problems_of(error, placed.place, keys)) from error


def course_of(points: Floats, movement: Movement) -> Floats:
    """Return how far a person is into the lift: (T, 21, 3) → (T,) degrees, high at the turn."""
    angle = _ANGLES[movement.angle](points)
    return angle if movement.rises else -angle


def _elbow(points: Floats) -> Floats:
    return _flexion(points, "shoulder", "elbow", "wrist")


def _knee(points: Floats) -> Floats:
    return _flexion(points, "hip", "knee", "ankle")


def _shoulder(points: Floats) -> Floats:
    return _of_upper_arms(points, -_trunk(points))


def _extension(points: Floats) -> Floats:
    across = points[:, INDEX["left_shoulder"]] - points[:, INDEX["right_shoulder"]]
    return _of_upper_arms(points, np.cross(across, _trunk(points)))


def _trunk(points: Floats) -> Floats:
    trunk: Floats = points[:, INDEX["upper_spine"]] - spine_base(points)
    return trunk


def _of_upper_arms(points: Floats, axis: Floats) -> Floats:
    upper_arms = [_limb(points, side, "shoulder", "elbow") for side in _SIDES]
    angles: Floats = np.mean([_between(axis, arm) for arm in upper_arms], axis=0)
    return angles


def _opening(points: Floats) -> Floats:
    left, right = (_limb(points, side, "shoulder", "elbow") for side in _SIDES)
    return _between(left, right)


def _flexion(points: Floats, start: str, joint: str, end: str) -> Floats:
    bends = [
        _between(_limb(points, side, start, joint), _limb(points, side, joint, end))
        for side in _SIDES
    ]
    flexion: Floats = np.mean(bends, axis=0)
    return flexion


def _limb(points: Floats, side: str, start: str, end: str) -> Floats:
    limb: Floats = points[:, INDEX[f"{side}_{end}"]] - points[:, INDEX[f"{side}_{start}"]]
    return limb


def _between(one: Floats, other: Floats) -> Floats:
    """Return the angle between vectors (T, 3) in degrees."""
    across = np.linalg.norm(np.cross(one, other), axis=-1)
    angle: Floats = np.degrees(np.arctan2(across, (one * other).sum(axis=-1)))
    return angle


_ANGLES = {
    "elbow": _elbow,
    "shoulder": _shoulder,
    "extension": _extension,
    "opening": _opening,
    "knee": _knee,
}
