"""What backbones read: undistorted frames, and a mirror image of everything together."""

from pathlib import Path

import numpy as np
import pytest
import small_flex
import torch

from aqa.clip_store import ClipStore
from aqa.feature_store import mirrored_streams
from aqa.inputs import mirrored_stream, read_pose, read_stream, resampled
from aqa.samples import load_samples
from aqa.sources import draw_flips
from flex.graph import Graph
from learn.frames import read_frames
from learn.joints import mirrored_skeleton

ALL = {"views": ("View-1", "View-2"), "pose": True}
LEFT_WRIST, RIGHT_WRIST = 6, 10  # of NTU's 25


def test_frames_keep_their_aspect(tmp_path: Path) -> None:
    frames = np.full((4, 24, 48, 3), 200, dtype=np.uint8)
    small_flex.write_video(tmp_path / "wide.mp4", frames)
    read = read_frames(tmp_path / "wide.mp4", frames=4, size=32)
    assert read.shape == (4, 32, 32, 3)
    assert (read[:, :8] == 0).all()
    assert (read[:, 24:] == 0).all()
    assert (read[:, 9:23] > 150).all()


def test_released_frames_are_squashed_and_lose_half_their_height(tmp_path: Path) -> None:
    frames = np.zeros((1, 64, 64, 3), dtype=np.uint8)
    frames[:, 16:48] = 255  # the middle half
    small_flex.write_video(tmp_path / "clip.mp4", frames)
    read = read_frames(tmp_path / "clip.mp4", frames=2, size=224, framing="released")
    assert read.shape == (2, 224, 224, 3)
    # 224 of 455 rows: the top and bottom quarter are gone, but for a few rows.
    assert (read[:, 8:216] > 200).all()


def test_a_short_clip_repeats_frames_and_a_fitting_one_gives_each(tmp_path: Path) -> None:
    shades = np.arange(8, dtype=np.uint8) * 30
    frames = np.broadcast_to(shades[:, None, None, None], (8, 32, 32, 3)).copy()
    small_flex.write_video(tmp_path / "clip.mp4", frames)
    each = read_frames(tmp_path / "clip.mp4", frames=8, size=32)[:, 16, 16, 0].astype(int)
    assert np.abs(each - shades).max() < 12
    twice = read_frames(tmp_path / "clip.mp4", frames=16, size=32)[:, 16, 16, 0].astype(int)
    assert np.abs(twice - np.repeat(shades, 2).astype(int)).max() < 12


def test_mirroring_swaps_sides_in_every_stream(flex_root: Path, graph: Graph) -> None:
    recipe = small_flex.recipe(flex_root / "cache", semg="envelope", **ALL)
    sample = load_samples(flex_root / "data", recipe, graph)[0]
    frames = read_stream(sample, "View-1", recipe, graph)
    mirrored = mirrored_stream(sample, "View-1", frames, recipe)
    np.testing.assert_array_equal(mirrored[:, :, 0], frames[:, :, -1])
    waves = read_stream(sample, "semg", recipe, graph)
    np.testing.assert_array_equal(mirrored_stream(sample, "semg", waves, recipe)[0], waves[1])
    pose = read_stream(sample, "pose", recipe, graph)
    other = mirrored_stream(sample, "pose", pose, recipe)
    # Along the axis from hip to hip the sign changes; the rest only changes its side.
    np.testing.assert_allclose(other[:, LEFT_WRIST], pose[:, RIGHT_WRIST] * [1, -1, 1], atol=1e-6)
    for stream, array in (("View-1", frames), ("semg", waves)):
        twice = mirrored_stream(
            sample, stream, mirrored_stream(sample, stream, array, recipe), recipe
        )
        np.testing.assert_array_equal(twice, array)


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_the_side_axis_is_found_whichever_it_is(axes: tuple[int, int, int]) -> None:
    points = small_flex.skeleton(np.random.default_rng(1))[..., list(axes)]
    side = axes.index(1)
    mirrored = mirrored_skeleton(points)
    np.testing.assert_allclose(mirrored[:, 7, side], -points[:, 3, side])
    np.testing.assert_allclose(mirrored_skeleton(mirrored), points)


def test_a_batch_mirrors_all_streams_of_the_same_clips(flex_root: Path, graph: Graph) -> None:
    recipe = small_flex.recipe(flex_root / "cache", semg="peak_share", **ALL)
    samples = load_samples(flex_root / "data", recipe, graph)[:3]
    store = ClipStore(recipe, graph)
    streams = mirrored_streams(store)
    assert streams == ("View-1", "View-2", "pose", "semg")
    flags = torch.tensor([True, False, True])
    plain = store.batch(samples, streams)
    flipped = store.batch(samples, streams, dict.fromkeys(streams, flags))
    for name in ("View-1", "View-2", "semg"):
        assert torch.equal(flipped.values[name][flags], plain.values[name][flags].flip(-1))
        assert torch.equal(flipped.values[name][1], plain.values[name][1])
    assert torch.equal(flipped.values["pose"][1], plain.values["pose"][1])
    pose = read_pose(samples[0].streams["pose"], recipe, mirrored=True)
    assert torch.equal(flipped.values["pose"][0], torch.from_numpy(pose))


def test_flips_are_drawn_together_or_for_each() -> None:
    random = torch.Generator().manual_seed(0)
    names = ("View-1", "View-2", "pose")
    together = draw_flips("together", names, 64, random)
    assert all(torch.equal(together["View-1"], together[name]) for name in names)
    assert 0 < int(together["pose"].sum()) < 64
    apart = draw_flips("independent", names, 64, random)
    assert not torch.equal(apart["View-1"], apart["View-2"])
    assert draw_flips("none", (), 64, random) == {}


def test_the_released_flip_leaves_skeleton_and_semg(flex_root: Path, graph: Graph) -> None:
    recipe = small_flex.recipe(flex_root / "cache", semg="peak_share", flip="independent", **ALL)
    assert mirrored_streams(ClipStore(recipe, graph)) == ("View-1", "View-2")


def test_frames_of_a_skeleton_are_spread_evenly() -> None:
    values = np.arange(103, dtype=np.float32)
    np.testing.assert_array_equal(resampled(values, 103), values)
    np.testing.assert_array_equal(resampled(values, 2), [25, 77])
