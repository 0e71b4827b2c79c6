"""Frames, poses and pictures of a clip: at the right times, the same mirrored twice, cached."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_emg

from emg.inputs import duration_s, frame_times, pose_features, read_pose, read_view
from emg.store import ClipStore
from flex.dataset import load_skeleton
from flex.graph import Graph
from flex.problems import InputError
from flex.skeleton import INDEX, normalise
from learn.sample import Sample


def a_clip(root: Path, **settings: object) -> tuple[ClipStore, Sample]:
    store, samples = small_emg.store(root, **settings)
    return store, samples[0]


def test_frames_go_with_the_time_or_are_as_many_for_every_clip(emg_root: Path) -> None:
    store, sample = a_clip(emg_root)
    assert frame_times(sample, store.recipe) == pytest.approx(np.arange(17) / 20)
    paper = small_emg.recipe(emg_root / "cache", frames=103, rate_hz=None)
    times_s = frame_times(sample, paper)
    assert (len(times_s), times_s[0], times_s[-1]) == (103, 0, small_emg.LASTS_S)


def test_a_clip_must_say_how_long_it_lasts(emg_root: Path) -> None:
    _, sample = a_clip(emg_root)
    silent = replace(sample, record=sample.record.model_copy(update={"duration_s": None}))
    assert duration_s(silent) == pytest.approx(0.8)  # by its sEMG
    no_semg = replace(silent, clip=replace(silent.clip, semg=None))
    with pytest.raises(InputError, match="state duration_s"):
        duration_s(no_semg)
    _, seen = a_clip(emg_root, views=("View-1",))
    filmed = replace(seen, record=silent.record)
    assert duration_s(filmed) == pytest.approx(19 / 25)  # 20 pictures, 25 a second


def test_a_clip_shorter_than_two_frames_is_refused(emg_root: Path) -> None:
    store, sample = a_clip(emg_root, rate_hz=1)
    with pytest.raises(InputError, match=r"lasts 0\.8 s, less than two frames"):
        store.times(sample)


def test_the_pose_is_that_of_the_rows_and_in_between(emg_root: Path) -> None:
    _, sample = a_clip(emg_root)
    points = load_skeleton(sample.streams["pose"])
    rows_s = np.linspace(0, small_emg.LASTS_S, len(points))
    assert read_pose(sample, rows_s) == pytest.approx(normalise(points), abs=1e-5)
    middle = read_pose(sample, (rows_s[:-1] + rows_s[1:]) / 2)
    assert middle == pytest.approx(normalise((points[:-1] + points[1:]) / 2), abs=1e-5)


def test_mirrored_the_sides_change_places(emg_root: Path) -> None:
    store, sample = a_clip(emg_root)
    pose, mirrored = store.pose(sample), store.pose(sample, mirrored=True)
    left, right = INDEX["left_wrist"], INDEX["right_wrist"]
    assert mirrored[:, left, 2] == pytest.approx(pose[:, right, 2], abs=1e-5)
    assert mirrored[:, left, 1] == pytest.approx(-pose[:, right, 1], abs=1e-5)


def test_speeds_look_back_only() -> None:
    times_s = np.array([0.0, 0.1, 0.3])
    pose = np.zeros((3, 21, 3), dtype=np.float32)
    pose[1, 0, 0], pose[2, 0, 0] = 1.0, 3.0
    found = pose_features(pose, times_s, motion=True)
    assert found.shape == (3, 126)
    assert found[:, 63].tolist() == pytest.approx([0, 10, 10])
    assert pose_features(pose, times_s, motion=False).shape == (3, 63)


def test_pictures_are_the_nearest_in_time(emg_root: Path) -> None:
    store, sample = a_clip(emg_root, views=("View-1",), pose=False)
    shown_s = np.linspace(0, small_emg.LASTS_S, small_emg.ROWS)
    every = read_view(sample, "View-1", shown_s, store.recipe)
    assert every.shape == (20, small_emg.SIDE, small_emg.SIDE, 3)
    brightest = int(every.mean(axis=(1, 2, 3)).argmax())
    near = shown_s[brightest] + np.array([-0.015, 0.0, 0.015])
    again = read_view(sample, "View-1", near, store.recipe)
    assert all(np.array_equal(picture, every[brightest]) for picture in again)
    silent = replace(sample, record=sample.record.model_copy(update={"duration_s": None}))
    by_clock = read_view(silent, "View-1", np.array([brightest / 25]), store.recipe)
    assert np.array_equal(by_clock[0], every[brightest])


def test_envelopes_follow_what_was_lifted(emg_root: Path) -> None:
    store, sample = a_clip(emg_root)
    trial = store.trial(sample)
    assert np.flatnonzero(trial.recorded).tolist() == [12, 13, 14, 15]  # A16: thighs
    height = store.pose(sample)[:, INDEX["left_wrist"], 2]
    assert np.corrcoef(trial.values[:, 14], height)[0, 1] > 0.8


def test_a_second_look_reads_the_cache(emg_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, sample = a_clip(emg_root)
    first, pose = store.trial(sample), store.pose(sample)
    monkeypatch.setattr("emg.store.clip_envelopes", None)
    monkeypatch.setattr("emg.store.read_pose", None)
    again, _ = small_emg.store(emg_root)
    assert np.array_equal(again.trial(sample).values, first.values)
    assert np.array_equal(again.pose(sample), pose)


def broken(root: Path, tmp_path: Path) -> Path:
    shutil.copytree(root / "data", tmp_path / "data")
    return tmp_path / "data"


def test_a_rate_too_low_for_the_band(emg_root: Path, tmp_path: Path) -> None:
    data = broken(emg_root, tmp_path)
    semg = {"sample_rate_hz": 200, "channels": [f"left vastus lateralis {n}" for n in range(4)]}
    small_emg.change(data, "A16/001", semg=semg, duration_s=8)
    store, samples = small_emg.store(tmp_path)
    with pytest.raises(InputError, match=r"EMG.csv: the band 20–450 Hz needs .* found 200 Hz"):
        store.trial(samples[0])
    plain, samples = small_emg.store(tmp_path, band_pass=False)
    assert plain.trial(samples[0]).recorded.sum() == 1


def test_columns_names_and_numbers_that_are_wrong(
    emg_root: Path, tmp_path: Path, graph: Graph
) -> None:
    data = broken(emg_root, tmp_path)
    path = data / "EMG/A16/001/EMG.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    store, samples = small_emg.store(tmp_path)
    for text, message in (
        ("\n".join(row.rpartition(",")[0] for row in rows), "expected 4"),
        ("\n".join([*rows[:9], "0.1,nan,0.1,0.1", *rows[10:]]), "nan"),
    ):
        path.write_text(text + "\n", encoding="utf-8")
        with pytest.raises(InputError) as caught:
            store.trial(samples[0])
        assert message in str(caught.value)
        assert str(path) in str(caught.value)
    semg = {"sample_rate_hz": 2000, "channels": ["left vastus lateralis", "x", "y", "z"]}
    small_emg.change(data, "A16/002", semg=semg)
    store, samples = small_emg.store(tmp_path)
    with pytest.raises(InputError, match="is none of the 18 muscles"):
        store.trial(samples[1])


def test_a_dead_channel_is_left_out_and_told_each_time(emg_root: Path, tmp_path: Path) -> None:
    data = broken(emg_root, tmp_path)
    path = data / "EMG/A16/001/EMG.csv"
    table = np.loadtxt(path, delimiter=",")
    table[:, 0] = 0.25
    np.savetxt(path, table, delimiter=",", fmt="%.5f")
    for _ in range(2):
        store, samples = small_emg.store(tmp_path)
        trial = store.trial(samples[0])
        assert np.flatnonzero(trial.recorded).tolist() == [12, 13, 15]
        (place, problem), *others = store.excluded.items()
        assert not others
        assert "left vastus lateralis" in place
        assert "flat line" in problem.message
