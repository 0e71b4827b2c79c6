"""`python -m sim`: what it writes, that it resumes, and what it refuses."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from typer.testing import CliRunner
from waiting import until

from flex.annotations import load_annotations
from flex.data_check import check_data
from flex.dataset import clip_semg, find_clips, load_skeleton
from flex.graph_file import load_graph
from flex.physiology import load_physiology, physiology_path
from flex.problems import InputError
from sim.__main__ import app
from sim.choreography import load_choreography
from sim.film import Video
from sim.lift import Stage
from sim.produce import make_plan, produce
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study

GRAPH = load_graph()
STAGE = Stage(Study(GRAPH, load_settings(), seed=0), load_choreography())
SMALL = Selection(3, 1, ("A05", "A17"))
FILMED = Video(views=(1,), size=64, fps=10.0)
Files = dict[str, bytes]


def write(root: Path, selection: Selection = SMALL, video: Video | None = None) -> list[str]:
    return list(produce(make_plan(STAGE, root, selection, video), jobs=1))


def files(root: Path, ending: str = "") -> Files:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name.endswith(ending)
    }


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sim") / "filmed"
    write(root, SMALL, FILMED)
    return root


def test_what_is_written_is_clean_and_has_the_shapes_of_the_authors_loader(filmed: Path) -> None:
    report = check_data(filmed, GRAPH)
    assert report.problems == ()
    assert (report.clips, report.subjects, report.views) == (6, 3, ("View-1",))
    records = load_annotations(filmed / "annotations.jsonl", GRAPH)
    clips = find_clips(filmed, GRAPH, records)
    assert len(clips) == 6
    for clip in clips:
        assert clip.skeleton is not None
        assert load_skeleton(clip.skeleton).shape == (103, 21, 3)
        semg = clip_semg(clip, GRAPH)
        assert clip.annotation is not None
        assert clip.annotation.duration_s is not None
        assert semg.values.shape[1] == (4 if clip.action == "A05" else 2)
        assert len(semg.values) == pytest.approx(2000 * clip.annotation.duration_s, abs=1)
        breath = load_physiology(physiology_path(filmed, clip.clip))
        assert breath.chest_volume.std() > 0.05
    lists = [
        scipy.io.loadmat(filmed / f"Split_4/split_4_{part}_list.mat")[f"consolidated_{part}_list"]
        for part in ("train", "test")
    ]
    assert [rows.shape[1] for rows in lists] == [3, 3]
    assert sum(map(len, lists)) == 6


def test_same_seed_same_bytes_however_many_processes(filmed: Path, tmp_path: Path) -> None:
    plan = make_plan(STAGE, tmp_path / "again", SMALL, FILMED)
    assert sorted(produce(plan, jobs=2)) == sorted(record.clip for record in plan.records)
    assert files(tmp_path / "again") == files(filmed)


def test_a_larger_set_adds_and_leaves_what_is_there(filmed: Path, tmp_path: Path) -> None:
    root = tmp_path / "grown"
    shutil.copytree(filmed, root)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.csv")}
    write(root, Selection(4, 1, ("A05", "A17")), Video(views=(5,), size=64, fps=10.0))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    report = check_data(root, GRAPH)
    assert report.problems == ()
    assert (report.clips, report.views) == (8, ("View-1", "View-5"))
    # Without video, what is filmed stays and is named.
    write(root, Selection(4, 1, ("A05", "A17")), None)
    assert check_data(root, GRAPH).views == ("View-1", "View-5")


def test_jpeg_frames_for_the_authors_loader(tmp_path: Path) -> None:
    write(tmp_path, Selection(3, 1, ("A05",)), Video(views=(2,), size=32, media="jpeg"))
    assert check_data(tmp_path, GRAPH).problems == ()
    folder = tmp_path / "A05" / "001" / "View-2"
    names = sorted(path.name for path in folder.iterdir())
    assert (names[0], names[-1], len(names)) == ("img_00001.JPG", "img_00103.JPG", 103)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_alike(filmed: Path, tmp_path: Path) -> None:
    root = tmp_path / "killed"
    options = ["--subjects", "3", "--reps", "1", "--actions", "A05,A17", "--views", "1"]
    command = [sys.executable, "-m", "sim", "--out", str(root), *options, "--size", "64"]
    command += ["--fps", "10", "--jobs", "2"]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    until(lambda: any(root.rglob("EMG.csv")), running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert len(files(root, ".mp4")) < 6
    subprocess.run(command, check=True, capture_output=True)
    finished = files(root)
    # What a killed process was about to write keeps a hidden name, and is no part of the data.
    finished = {name: content for name, content in finished.items() if "/." not in name}
    assert finished == files(filmed)
    assert check_data(root, GRAPH).problems == ()


@pytest.mark.parametrize(
    ("selection", "video", "seed", "message"),
    [
        (SMALL, FILMED, 1, "made with another seed (0, not 1)"),
        (Selection(3, 1, ("A05",)), None, 0, "holds 3 clips that this leaves out (A17/"),
        (SMALL, Video(views=(1,), size=96, fps=10.0), 0, "is filmed with another size"),
        (SMALL, Video(views=(1,), size=64, fps=25.0, plain=True), 0, "another fps and plain"),
    ],
)
def test_another_data_set_is_refused_and_left_alone(
    filmed: Path, selection: Selection, video: Video | None, seed: int, message: str
) -> None:
    before = files(filmed)
    stage = Stage(Study(GRAPH, load_settings(), seed), STAGE.choreography)
    with pytest.raises(InputError) as caught:
        make_plan(stage, filmed, selection, video)
    assert message in str(caught.value)
    assert files(filmed) == before


def test_foreign_folders_a_full_disk_and_labels_over_recordings_are_refused(
    filmed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "annotations.jsonl").write_text("precious\n")
    with pytest.raises(InputError, match="no simulation wrote this"):
        make_plan(STAGE, tmp_path, SMALL, None)
    assert (tmp_path / "annotations.jsonl").read_text() == "precious\n"
    result = CliRunner().invoke(app, ["labels", "--out", str(filmed)])
    assert "holds recordings" in str(result.exception)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("sim.produce.shutil.disk_usage", lambda _: usage)
    with pytest.raises(InputError, match="MiB are needed"):
        make_plan(STAGE, tmp_path / "new", SMALL, None)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["--views", "1,6"], ["--views: there is no camera 6; expected some of 1, 2, 3, 4, 5"]),
        (["--views", "left"], ["expected numbers such as 1,2 or none, found 'left'"]),
        (["--size", "225"], ["--size: expected an even number from 32 to 2160, found 225"]),
        (["--subjects", "0"], ["--subjects: expected 1 to 38, found 0"]),
        (["--actions", "sqat"], ["no action 'sqat' (did you mean"]),
        (["--jobs", "many"], ["--jobs: expected 1 or more, or auto, found 'many'"]),
        (["--size", "7", "--fps", "0"], ["--size", "--fps: expected 1 to 240"]),
    ],
)
def test_wrong_options_are_named_before_anything_is_written(
    tmp_path: Path, words: list[str], messages: list[str]
) -> None:
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "new"), *words])
    assert isinstance(result.exception, InputError)
    for message in messages:
        assert message in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_the_mark_says_what_a_set_was_made_from(filmed: Path) -> None:
    mark = json.loads((filmed / "simulation.json").read_text())
    assert mark["source"] == "simulated"
    assert (mark["seed"], mark["clips"], mark["video"]["size"]) == (0, 6, 64)
    records = load_annotations(filmed / "annotations.jsonl", GRAPH)
    assert {record.source for record in records} == {"simulated"}
    assert {record.frame_rate_hz for record in records} == {10}


def test_videos_are_as_long_as_their_clips(filmed: Path) -> None:
    import av

    records = load_annotations(filmed / "annotations.jsonl", GRAPH)
    assert len(records) == 6
    for record in records:
        with av.open(str(filmed / record.views["View-1"])) as container:
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        assert len(frames) == round(10 * (record.duration_s or 0))
        assert frames[0].shape == (64, 64)
        assert np.abs(frames[0].astype(int) - frames[len(frames) // 2].astype(int)).max() > 30


def test_clips_lie_in_the_recording_of_their_set_one_after_another(tmp_path: Path) -> None:
    write(tmp_path, Selection(1, 10, ("A05",)))
    lines = (tmp_path / "recordings.jsonl").read_text().splitlines()
    assert len(lines) == 1
    line = json.loads(lines[0])
    records = load_annotations(tmp_path / "annotations.jsonl", GRAPH)
    assert [segment["clip"] for segment in line["segments"]] == [r.clip for r in records]
    assert len(records) == 10
    for segment, record in zip(line["segments"], records, strict=True):
        length_s = segment["end_s"] - segment["start_s"]
        assert length_s == pytest.approx(record.duration_s, abs=0.01)
    for one, other in itertools.pairwise(line["segments"]):
        assert other["start_s"] > one["end_s"] + 0.2
    # The heart does not start anew with each clip.
    beats = [load_physiology(physiology_path(tmp_path, r.clip)).heart_rate_bpm for r in records]
    assert beats[-1].mean() > beats[0].mean() + 3
