"""Repetitions and phases from a skeleton alone."""

from pathlib import Path

import numpy as np
import pytest
from small_raw import RATE_HZ, SET_S, TRUTH, skeleton
from typer.testing import CliRunner

from flex.graph_file import load_graph
from flex.problems import InputError
from flex.skeleton import INDEX
from prepare.__main__ import app as prepare_app
from prepare.movements import Movement, course_of, load_movements
from prepare.segmentation import propose
from sim.__main__ import app as sim_app

CURL = Movement(angle="elbow", rises=True)


def test_every_action_of_the_graph_has_a_movement() -> None:
    assert set(load_movements()) == set(load_graph().actions)


def test_a_wrong_movement_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("A01: {angle: elbo, rises: true}\n")
    with pytest.raises(InputError, match=r"m.yaml:1.*elbo"):
        load_movements(tmp_path / "m.yaml")


def test_angles_are_those_of_a_hand_made_pose() -> None:
    points = skeleton(np.zeros(1))
    # The forearm hangs 15° from straight; upper arms and legs hang straight down.
    assert course_of(points, CURL) == pytest.approx([15.0])
    assert course_of(points, Movement(angle="knee", rises=False)) == pytest.approx([0.0], abs=1e-6)
    assert course_of(points, Movement(angle="shoulder", rises=True)) == pytest.approx([0.0], abs=1)
    points[:, INDEX["left_elbow"]] = points[:, INDEX["left_shoulder"]] + (0, 0.3, 0)
    points[:, INDEX["right_elbow"]] = points[:, INDEX["right_shoulder"]] + (0.3, 0, 0)
    assert course_of(points, Movement(angle="opening", rises=True)) == pytest.approx([90.0])
    # One arm straight ahead, one sideways: 0° and 90° to straight ahead.
    assert course_of(points, Movement(angle="extension", rises=True)) == pytest.approx([45.0])


def test_three_curls_are_found_to_a_few_hundredths_of_a_second() -> None:
    found = propose(skeleton(np.arange(0, SET_S, 1 / RATE_HZ)), RATE_HZ, CURL)
    errors = np.array([one.times_s for one in found]) - np.array(TRUTH)
    assert errors.shape == (3, 4)
    assert np.abs(errors[:, 1:]).max() < 0.05
    assert all(one.confidence > 0.95 for one in found)


def test_the_same_is_found_from_any_side_and_in_other_units() -> None:
    points = skeleton(np.arange(0, SET_S, 1 / RATE_HZ))
    turned = points[..., [1, 2, 0]] * 1000 + 5000
    assert propose(turned, RATE_HZ, CURL) == propose(points, RATE_HZ, CURL)


def test_standing_still_is_no_repetition() -> None:
    assert propose(skeleton(np.zeros(300)), RATE_HZ, CURL) == []


def test_noise_and_a_small_start_and_stop_are_no_repetition() -> None:
    times_s = np.arange(0, SET_S, 1 / RATE_HZ)
    points = skeleton(times_s)
    false_start = skeleton(np.interp(times_s, [0, 0.3, 0.6, 0.9], [0, 2.2, 2.2, 0]))
    points[: round(0.9 * RATE_HZ)] = false_start[: round(0.9 * RATE_HZ)]
    points += np.random.default_rng(0).normal(scale=0.002, size=points.shape)
    assert len(propose(points, RATE_HZ, CURL)) == 3


def test_sets_of_the_simulation_are_counted_and_cut(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    options = ["raw", "--out", str(raw), "--subjects", "1", "--actions", "A02,A16"]
    assert CliRunner().invoke(sim_app, options).exit_code == 0
    said = CliRunner().invoke(prepare_app, ["measure", str(raw)])
    assert said.exit_code == 0, said.output
    assert "Simulated sets." in said.output
    assert "exactly in 2 of 2 sets" in said.output
