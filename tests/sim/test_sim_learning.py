"""The checks that the simulation is worth learning from: scores, features, and small trainings."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from flex.graph_file import load_graph
from flex.skeleton import mirror
from sim.checks import learn_pose, learn_video
from sim.checks.scores import best_thresholds, f1_by_type, f1_of, macro
from sim.checks.skeleton_features import features
from sim.choreography import load_choreography
from sim.clips import simulate_selection
from sim.lift import Stage, frame_times, lift
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Bools, Study

STAGE = Stage(Study(load_graph(), load_settings(), seed=0), load_choreography())


@dataclass
class Truth:
    errors: Bools
    asked: Bools


def test_f1_by_hand() -> None:
    found = np.array([True, True, False, False])
    assert f1_of(found, np.array([True, False, True, False])) == 0.5
    assert f1_of(found, found) == 1
    assert f1_of(found, ~found) == 0
    truth = Truth(
        errors=np.array([[True, False, True], [False, True, False]]),
        asked=np.array([[True, True, False], [True, True, True]]),
    )
    everything = np.ones((2, 3), dtype=np.bool_)
    # Columns 0 and 1 are one type: 2 shown of 4 asked. The third shows nothing where it is asked.
    scores = f1_by_type(everything, truth, ["ET1", "ET1", "ET2"])
    assert scores == {"ET1": pytest.approx(2 * 2 / (4 + 2))}
    assert macro({"ET1": 0.5, "ET2": 1.0}) == 0.75


def test_thresholds_lie_between_what_shows_and_what_does_not() -> None:
    scores = np.array([[0.2, 0.9], [0.3, 0.8], [0.6, 0.1], [0.7, 0.2]] * 50)
    shown = scores > 0.5
    truth = Truth(errors=shown, asked=np.ones_like(shown))
    limits = best_thresholds(scores, truth)
    assert ((limits >= 0.3) & (limits <= 0.8)).all()
    assert (scores > limits).tolist() == shown.tolist()
    nothing = Truth(errors=np.zeros_like(shown), asked=np.ones_like(shown))
    assert best_thresholds(scores, nothing).tolist() == [0.5, 0.5]


def test_features_know_no_unit_and_unevenness_no_side() -> None:
    record = next(iter(simulate_selection(STAGE.study, Selection(1, 1, ("A05",)))))
    joints = lift(STAGE, STAGE.subject(record), record, frame_times(record)).joints
    seen = features(joints)
    assert seen.shape[:1] == (103,)
    assert np.isfinite(seen).all()
    assert np.allclose(features(joints * 1000), seen, atol=1e-4)
    assert not np.allclose(features(mirror(joints, axis=1)), seen, atol=1e-2)


def test_most_occurrences_are_meant_to_show_in_the_skeleton() -> None:
    columns = learn_pose.observable(STAGE)
    assert len(columns) > 300
    assert not {error for *_, error in columns} & {"ET014", "ET017", "ET006"}


def test_a_training_on_skeletons_says_what_it_found(tmp_path: Path) -> None:
    """How much is learnt is measured by `python -m benchmarks --only learning`."""
    pytest.importorskip("torch", reason="the train extra is not installed")
    out = tmp_path / "pose.json"
    options = ["--out", str(out), "--clips", "120", "--epochs", "1"]
    done = CliRunner().invoke(learn_pose.app, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    result = json.loads(out.read_text())
    assert result["data"] == "simulated"
    assert sum(result["clips"].values()) == 120
    assert 0 <= result["macro_f1"] <= 1
    assert result["macro_f1_of_always_yes"] > 0.3


def test_films_of_training_and_test_people_have_their_exercise() -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    records = list(simulate_selection(STAGE.study, Selection(3, 1, ("A02", "A15"))))
    parts = learn_video.film_parts(STAGE, records, "plain", seed=0)
    for part in parts.values():
        assert part.films.shape[1:] == (4, 3, 84, 84)
        assert len(part.films) == len(part.actions) > 0
        numbers = [list(STAGE.study.graph.actions).index(action) for action in ("A02", "A15")]
        assert set(part.actions) == set(numbers)
    model = learn_video.train(parts["train"], epochs=1, seed=0)
    assert 0 <= learn_video.accuracy(model, parts["test"]) <= 1
