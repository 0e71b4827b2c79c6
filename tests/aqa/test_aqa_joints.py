"""The skeleton as ST-GCN reads it: mapping, scale, the graph's groups."""

import numpy as np
import pytest

from flex.problems import InputError
from flex.skeleton import INDEX, JOINTS
from learn.joints import BONES, CENTRE, adjacency, hops, pose_input


def standing(frames: int = 2) -> np.ndarray:
    """Return points whose hips lie at 0, the upper spine 0.5 above, all else spread out."""
    points = np.random.default_rng(0).normal(size=(frames, len(JOINTS), 3))
    points[:, INDEX["right_hip"]] = (0.1, 0, 0)
    points[:, INDEX["left_hip"]] = (-0.1, 0, 0)
    points[:, INDEX["upper_spine"]] = (0, 0.5, 0)
    return points


def test_joints_lie_where_ntu_has_them() -> None:
    points = standing()
    pose = pose_input(points)
    assert pose.shape == (2, 25, 3)
    assert pose.dtype == np.float32
    np.testing.assert_allclose(pose[:, 0], 0, atol=1e-6)  # spine base
    np.testing.assert_allclose(pose[:, 20], [[0, 1, 0]] * 2, atol=1e-6)  # spine shoulder
    np.testing.assert_allclose(pose[:, 1], [[0, 0.5, 0]] * 2, atol=1e-6)  # spine middle
    np.testing.assert_allclose(pose[:, 3], points[:, INDEX["head"]] / 0.5, rtol=1e-5)
    feet = points[:, [INDEX["left_heel"], INDEX["left_toe"]]].mean(axis=1)
    np.testing.assert_allclose(pose[:, 15], feet / 0.5, rtol=1e-5)


def test_the_released_scale_is_the_lower_spine() -> None:
    pose = pose_input(standing(), spine="lower")
    np.testing.assert_allclose(np.linalg.norm(pose[:, 1] - pose[:, 0], axis=-1), 1, rtol=1e-6)


def test_bad_skeletons_name_frame_and_joint() -> None:
    points = standing()
    points[1, INDEX["left_knee"], 2] = np.nan
    with pytest.raises(InputError, match=r"here\.csv: frame 1, left_knee"):
        pose_input(points, place="here.csv")
    with pytest.raises(InputError, match="spine has no length"):
        pose_input(np.zeros((3, 21, 3)))
    with pytest.raises(InputError, match=r"expected \(frames, 21, 3\), found \(3, 25, 3\)"):
        pose_input(np.zeros((3, 25, 3)))


def test_the_bones_form_one_tree() -> None:
    assert len(BONES) == 24
    assert hops().max() < 25  # every joint is reached
    assert hops()[CENTRE, 0] == 2
    assert hops()[15, 11] == 10  # left foot to right hand


def test_groups_split_the_neighbours_by_their_way_to_the_centre() -> None:
    parts, whole = adjacency("spatial"), adjacency("uniform")
    assert parts.shape == (3, 25, 25)
    np.testing.assert_allclose(parts.sum(axis=0), whole[0], rtol=1e-6)
    np.testing.assert_allclose(whole[0].sum(axis=0), 1, rtol=1e-6)
    # The left elbow (5) hears itself, the shoulder (4), nearer, and the wrist (6), farther.
    third = pytest.approx(1 / 3)
    assert {v: parts[0, v, 5] for v in np.flatnonzero(parts[0, :, 5])} == {5: third}
    assert {v: parts[1, v, 5] for v in np.flatnonzero(parts[1, :, 5])} == {4: third}
    assert {v: parts[2, v, 5] for v in np.flatnonzero(parts[2, :, 5])} == {6: third}
