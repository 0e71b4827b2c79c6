"""From raw recordings to a data folder that the loader and the check accept."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_raw import (
    CHANNELS,
    FPS,
    RATE_HZ,
    SEMG_HZ,
    SET_S,
    TRUTH,
    Run,
    skeleton,
    write_film,
    write_raw,
)
from waiting import until

from flex.annotations import load_annotations
from flex.data_check import check_data
from flex.dataset import load_skeleton
from flex.graph_file import load_graph
from flex.physiology import load_physiology
from flex.video import probe
from flex.video_reader import picture_times
from prepare.table import read_segments


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "prepare" not in path.relative_to(root).parts
    }


def label(repetition: int) -> str:
    row = {"clip": f"A02/{repetition + 40:03d}", "action": "A02", "subject": "P01"}
    return json.dumps({**row, "repetition": repetition, "load_kg": 20}) + "\n"


def test_a_set_becomes_clips_that_the_check_accepts(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    (tmp_path / "raw" / "annotations.jsonl").write_text("".join(map(label, (1, 2, 3))))
    done = run()
    root = tmp_path / "root"
    assert (done.clips, done.labelled, done.quarantined) == (3, 3, ())
    assert check_data(root, load_graph()).problems == ()
    record = load_annotations(root / "annotations.jsonl", load_graph())[1]
    assert record.clip == "A02/042"
    assert record.duration_s == pytest.approx(2.3, abs=0.15)
    assert record.frame_rate_hz == pytest.approx(FPS, abs=0.01)
    assert record.semg is not None
    assert record.duration_s is not None
    assert list(record.semg.channels) == CHANNELS
    frames = probe(root / "A02/042/View-1.mp4").frames
    assert abs(frames - record.duration_s * FPS) <= 1
    assert len(list((root / "A02/042/View-1").glob("*.JPG"))) == 103


def test_streams_are_cut_at_the_same_moments(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    (tmp_path / "raw/segments.csv").write_text(
        "recording,repetition,start_s,phase_2_s,phase_3_s,end_s\nP01-A02,1,4.1,4.5,5.4,6.4\n"
    )
    assert run().clips == 1
    root = tmp_path / "root"
    points = load_skeleton(root / "Skeleton/A02/001/skeleton_points.csv")
    assert np.allclose(points, skeleton(np.linspace(4.1, 6.4, 103)), atol=2e-3)
    semg = np.loadtxt(root / "EMG/A02/001/EMG.csv", delimiter=",")
    assert semg[:, 0] == pytest.approx(np.arange(820, 1280) / SEMG_HZ)
    vitals = load_physiology(root / "Physiology/A02/001/physiology.csv")
    assert vitals.times_s[0] == pytest.approx(0.0, abs=0.1)
    assert len(vitals.times_s) == 23


def test_proposals_are_near_the_truth_and_a_corrected_table_is_read(
    tmp_path: Path, run: Run
) -> None:
    write_raw(tmp_path / "raw")
    done = run()
    table = tmp_path / "root/segments.csv"
    assert done.proposed == table
    rows = read_segments(table, {"P01-A02": RATE_HZ})
    found = np.array([row.times_s for row in rows])
    assert found.shape == (3, 4)
    assert np.abs(found - np.array(TRUTH)).max() < 0.1
    before = tree(tmp_path / "root")
    lines = table.read_text().splitlines()
    cells = lines[2].split(",")
    cells[5] = f"{float(cells[5]) + 0.2:.4f}"
    table.write_text("\n".join([lines[0], lines[1], ",".join(cells), lines[3]]) + "\n")
    again = run()
    after = tree(tmp_path / "root")
    assert again.made == 1
    changed = {name for name in before if before[name] != after.get(name)}
    assert {name.split("/View")[0] for name in changed if name.startswith("A02")} == {"A02/002"}


def test_frames_keep_their_true_times_at_a_variable_rate(tmp_path: Path, run: Run) -> None:
    rng = np.random.default_rng(0)
    times_s = np.cumsum(rng.uniform(0.02, 0.06, size=260))
    times_s = times_s[times_s < SET_S]
    films = {"View-1": lambda path: write_film(path, times_s)}
    stated = {"View-1": {"file": "View-1.mp4", "offset_s": float(times_s[0])}}
    write_raw(tmp_path / "raw", films=films, views=stated)
    assert run().clips == 3
    row = json.loads((tmp_path / "root/prepare/clips.jsonl").read_text().splitlines()[0])
    assert "frame_rate_hz" not in row
    path = tmp_path / "root/A02/001/View-1.mp4"
    start, end = row["start_s"], row["start_s"] + row["duration_s"]
    inside = times_s[(times_s >= start) & (times_s < end)]
    found = picture_times(path, range(len(inside)))
    assert found == pytest.approx(inside - inside[0], abs=1e-3)


def test_fewer_frames_a_second_keep_every_other(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    run(fps=15.0, form="mp4")
    path = tmp_path / "root/A02/001/View-1.mp4"
    assert np.diff(picture_times(path, range(20))) == pytest.approx(1 / 15, abs=1e-3)
    assert not (tmp_path / "root/A02/001/View-1").exists()


def test_a_finished_run_does_nothing(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    assert run().made == 3
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "root").rglob("*.mp4")}
    assert run().made == 0
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "root").rglob("*.mp4")} == before


def test_the_encoder_does_without_what_gives_other_bytes_at_times(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    run()
    settings_of_x264 = (tmp_path / "root/A02/001/View-1.mp4").read_bytes()
    assert b"mbtree=0" in settings_of_x264  # with it, one run in a hundred differs on AVX-512
    assert b"threads=1 " in settings_of_x264


@pytest.mark.slow
def test_two_workers_make_the_same_bytes_as_one(tmp_path: Path) -> None:
    write_raw(tmp_path / "raw")
    for jobs in ("1", "2"):
        command = [sys.executable, "-m", "prepare", "clips", str(tmp_path / "raw")]
        options = ["--out", str(tmp_path / jobs), "--jobs", jobs, "--lines", "64"]
        subprocess.run([*command, *options], check=True, capture_output=True)
    assert len(list((tmp_path / "1").rglob("*.mp4"))) == 3
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    run("whole")
    command = [sys.executable, "-m", "prepare", "clips", str(tmp_path / "raw")]
    options = ["--out", str(tmp_path / "root"), "--jobs", "1", "--lines", "64"]
    process = subprocess.Popen(
        [*command, *options], stderr=subprocess.DEVNULL, start_new_session=True
    )
    done = tmp_path / "root/prepare/done.jsonl"
    until(lambda: done.exists() and done.read_text().count("\n"), process)
    os.killpg(process.pid, signal.SIGKILL)  # as when the power fails
    process.wait()
    finished = run()
    assert finished.clips == 3
    assert tree(tmp_path / "root") == tree(tmp_path / "whole")
