"""Small vector geometry for the rig, over time: directions in planes, turns, two-bone limbs."""

import numpy as np

from sim.study import Floats

# To the person's right and left.
OUT = {"right": np.array([0.0, -1.0, 0.0]), "left": np.array([0.0, 1.0, 0.0])}
DOWN = np.array([0.0, 0.0, -1.0])
_REACH = 0.9995  # a limb is never stretched to exactly straight, where its plane is lost


def unit(vectors: Floats) -> Floats:
    """Return vectors (..., 3) at length 1."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, 1e-12)
    return scaled


def in_plane(degrees: Floats) -> Floats:
    """Return directions (..., 3) in the sagittal plane: 0 down, 90 forward, 180 up."""
    angle = np.radians(degrees)
    return np.stack([np.sin(angle), np.zeros_like(angle), -np.cos(angle)], axis=-1)


def across(vectors: Floats, axis: Floats) -> Floats:
    """Return the part of vectors (..., 3) that is perpendicular to unit `axis`, at length 1."""
    return unit(vectors - (vectors * axis).sum(axis=-1, keepdims=True) * axis)


def towards(start: Floats, goal: Floats, degrees: Floats) -> Floats:
    """Turn unit vectors (..., 3) by angles (...) in the plane of `start` and `goal`."""
    angle = np.radians(degrees)[..., None]
    turned: Floats = np.cos(angle) * start + np.sin(angle) * across(goal, start)
    return turned


def about(vectors: Floats, axis: Floats, degrees: Floats) -> Floats:
    """Turn vectors (..., 3) about unit `axis` by angles (...)."""
    angle = np.radians(degrees)[..., None]
    along = (vectors * axis).sum(axis=-1, keepdims=True) * axis
    turned: Floats = (
        along + np.cos(angle) * (vectors - along) + np.sin(angle) * np.cross(axis, vectors)
    )
    return turned


def two_bones(
    root: Floats, tip: Floats, first: float | Floats, second: float | Floats, pole: Floats
) -> tuple[Floats, Floats]:
    """Close a limb of two bones between `root` and `tip`.

    Args:
        root: (..., 3) where the first bone begins.
        tip: (..., 3) where the second should end; drawn in if it is out of reach.
        first: length of the first bone, or (...) lengths.
        second: length of the second bone, or (...) lengths.
        pole: (..., 3) direction to which the middle joint points.

    Returns:
        the middle joint and the reached tip, each (..., 3).
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    span = tip - root
    wanted = np.linalg.norm(span, axis=-1)
    reach = np.clip(wanted, np.abs(one - two) + 1e-4, _REACH * (one + two))
    axis = unit(span)
    along = (one**2 - two**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(one**2 - along**2, 0))
    middle = root + along[..., None] * axis + height[..., None] * across(pole, axis)
    return middle, root + reach[..., None] * axis


def reach_of(first: float, second: float | Floats, flexion: Floats) -> Floats:
    """Return the distance (...) that a limb spans at a flexion of its middle joint in degrees."""
    two = np.asarray(second, dtype=float)
    return np.sqrt(first**2 + two**2 + 2 * first * two * np.cos(np.radians(flexion)))
