"""Whole sets, uncut: repetitions as in the data set, and rests that join them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from flex.graph_file import load_graph
from flex.skeleton import limb_lengths
from sim.__main__ import app
from sim.choreography import load_choreography
from sim.clips import simulate_selection
from sim.lift import Stage, lift
from sim.raw import Take, make_take, set_motion
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(Study(load_graph(), load_settings(), 0), load_choreography())


@pytest.fixture(scope="module")
def take(stage: Stage) -> Take:
    return make_take(stage, list(simulate_selection(stage.study, Selection(1, 10, ("A05",)))))


def test_repetitions_are_those_of_the_data_set(stage: Stage, take: Take) -> None:
    record = take.records[3]
    within_s = np.linspace(0, (record.duration_s or 0) - 1e-3, 20)
    motion = set_motion(stage, take, take.start_s(record) + within_s)
    assert np.allclose(motion.joints, lift(stage, take.subject, record, within_s).joints)


def test_rests_join_the_repetitions_without_a_jump_and_keep_limbs_whole(
    stage: Stage, take: Take
) -> None:
    times_s = np.arange(take.start_s(take.records[0]), take.duration_s, 1 / 60)
    joints = set_motion(stage, take, times_s).joints
    assert np.abs(np.diff(joints, axis=0)).max() * 60 < 8.0  # metres a second
    arms = limb_lengths(joints)[:, [0, 1, 3, 4]]
    assert np.ptp(arms, axis=0).max() < 0.02


def test_a_recording_is_written_once_with_its_truth(tmp_path: Path) -> None:
    options = ["raw", "--out", str(tmp_path), "--subjects", "1", "--actions", "A20"]
    assert CliRunner().invoke(app, options).exit_code == 0
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    before = (folder / "skeleton.csv").stat().st_mtime_ns
    assert CliRunner().invoke(app, options).exit_code == 0
    assert (folder / "skeleton.csv").stat().st_mtime_ns == before
    rows = list(csv.DictReader((tmp_path / "truth.csv").read_text().splitlines()))
    starts = [float(row["start_s"]) for row in rows]
    ends = [float(row["end_s"]) for row in rows]
    assert starts == sorted(starts)
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    assert (folder / "recording.yaml").read_text().startswith("source: simulated")
