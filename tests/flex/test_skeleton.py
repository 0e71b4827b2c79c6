import numpy as np
import pytest

from flex.number_table import Floats
from flex.skeleton import (
    BONES,
    INDEX,
    JOINTS,
    LIMBS,
    MIRRORED,
    limb_lengths,
    mirror,
    normalise,
    spine_base,
    to_ntu,
)


@pytest.fixture
def points() -> Floats:
    """Two clips of five frames of points that mean nothing."""
    return np.random.default_rng(0).normal(size=(2, 5, 21, 3))


def test_joints_are_numbered_as_in_flex() -> None:
    assert len(JOINTS) == 21
    known = {"head": 0, "right_hand": 6, "left_shoulder": 7, "left_hand": 10, "right_hip": 11}
    known |= {"right_knee": 12, "right_ankle": 13, "left_hip": 16, "left_ankle": 18}
    assert {name: INDEX[name] for name in known} == known


def test_bones_reach_every_joint_without_a_gap() -> None:
    reached = {0}
    while more := {j for bone in BONES if reached & set(bone) for j in bone} - reached:
        reached |= more
    assert reached == set(range(21))


def test_normalised_skeletons_stand_on_their_spine_base(points: Floats) -> None:
    normal = normalise(points)
    assert np.allclose(spine_base(normal), 0)
    assert np.allclose(np.linalg.norm(normal[..., INDEX["upper_spine"], :], axis=-1), 1)
    assert np.allclose(normalise(points * 1000 + 7), normal)


def test_a_spine_without_length_is_named(points: Floats) -> None:
    points[1, 3] = 0.0
    with pytest.raises(ValueError, match=r"\(1, 3\)"):
        normalise(points)


def test_a_mirrored_skeleton_keeps_its_limbs_on_the_other_side(points: Floats) -> None:
    flipped = mirror(points)
    assert np.array_equal(mirror(flipped), points)
    half = len(LIMBS) // 2
    lengths, other = limb_lengths(points), limb_lengths(flipped)
    assert np.allclose(other, np.concatenate([lengths[..., half:], lengths[..., :half]], axis=-1))
    assert MIRRORED[INDEX["head"]] == INDEX["head"]


def test_limb_lengths_by_hand() -> None:
    points = np.zeros((21, 3))
    points[INDEX["right_knee"]] = [3, 0, 4]
    by_limb = dict(zip(LIMBS, limb_lengths(points), strict=True))
    assert by_limb[INDEX["right_hip"], INDEX["right_knee"]] == 5
    assert by_limb[INDEX["left_hip"], INDEX["left_knee"]] == 0


def test_ntu_joints_are_where_the_authors_put_them(points: Floats) -> None:
    ntu = to_ntu(points)
    assert ntu.shape == (2, 5, 25, 3)
    base = (points[..., 11, :] + points[..., 16, :]) / 2
    assert np.allclose(ntu[..., 0, :], base)
    assert np.allclose(ntu[..., 1, :], (base + points[..., 2, :]) / 2)
    assert np.allclose(ntu[..., 20, :], points[..., 2, :])
    assert np.allclose(ntu[..., 15, :], (points[..., 19, :] + points[..., 20, :]) / 2)
    assert np.allclose(ntu[..., 19, :], (points[..., 14, :] + points[..., 15, :]) / 2)
    for tip in (21, 22):
        assert np.allclose(ntu[..., tip, :], points[..., INDEX["left_hand"], :])
