"""Baselines: by hand, against the reference library, and that they learn what is there."""

from pathlib import Path

import numpy as np
import pytest

from aqa.baselines import (
    MEAN,
    MLP,
    RIDGE,
    mean_scores,
    ridge,
    skeleton_ridge,
    skeleton_statistics,
)
from aqa.baselines_mlp import feature_mlp
from aqa.measures import mae, spearman
from aqa.predictions import Prediction
from aqa.report_baselines import parts_of_run
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.sample import Annotation, ErrorLabel
from flex.skeleton import INDEX

GRAPH = load_graph()
SHOWN = ("AK01:ET001", "AK02:ET006")


def record(number: int, score: float, errors: tuple[str, ...] = ()) -> Annotation:
    pairs = [text.split(":") for text in errors]
    labels = tuple(ErrorLabel(key_step=step, error_type=error) for step, error in pairs)
    clip, subject = f"A01/{number:03d}", f"P{number:02d}"
    return Annotation(clip=clip, action="A01", subject=subject, errors=labels, score=score)


def asked(one: Annotation) -> Prediction:
    return Prediction(
        clip=one.clip,
        action=one.action,
        subject=one.subject,
        part="test",
        variant="mv",
        head="core",
        seed=3,
        score=1,
        truth=one.score,
        votes=(1, 1),
        voters=("A01/001", "A01/002"),
        true_errors=tuple(map(str, one.occurrences)),
    )


def skeleton(depth: float) -> np.ndarray:
    """A skeleton whose right hand goes down by `depth` and comes back."""
    points = np.random.default_rng(7).normal(size=(21, 3))
    moving = np.tile(points, (9, 1, 1))
    moving[:, INDEX["right_hand"], 2] -= depth * np.sin(np.linspace(0, np.pi, 9))
    return moving


def test_the_usual_score_and_errors_by_hand() -> None:
    # ET001 is in three of four clips, ET006 in one: above 0.25 and below 0.75 is the best cut.
    training = [
        record(1, 60, (SHOWN[0],)),
        record(2, 70, (SHOWN[0],)),
        record(3, 80, SHOWN),
        record(4, 90),
    ]
    (row,) = mean_scores(GRAPH, training, [asked(record(9, 50))])
    assert (row.variant, row.score, row.seed, row.votes, row.truth) == (MEAN, 75, 0, (), 50)
    assert row.probabilities[SHOWN[0]] == 0.75
    assert row.probabilities[SHOWN[1]] == 0.25
    assert set(row.probabilities) == set(map(str, GRAPH.occurrences("A01")))
    assert row.errors == (SHOWN[0],)
    unlabelled = asked(record(9, 50)).model_copy(update={"true_errors": None})
    assert mean_scores(GRAPH, training, [unlabelled])[0].errors == ()
    with pytest.raises(InputError, match="A01: has no scored training clip"):
        mean_scores(GRAPH, [], [asked(record(9, 50))])


def test_ridge_agrees_with_the_reference_library() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    x, y, other = (
        random.normal(3, 2, (20, 40)),
        random.normal(70, 9, 20),
        random.normal(3, 2, (5, 40)),
    )
    scaler = StandardScaler().fit(x)
    reference = Ridge(alpha=0.3 * 40 * 20 / 100).fit(scaler.transform(x), y)
    assert ridge(x, y, other, 0.3) == pytest.approx(reference.predict(scaler.transform(other)))
    assert ridge(np.ones((3, 2)), np.array([1.0, 2, 6]), np.zeros((2, 2)), 1).tolist() == [3, 3]


def test_skeleton_statistics_forget_place_and_size() -> None:
    points = skeleton(1.0)
    assert skeleton_statistics(points).shape == (315,)
    assert skeleton_statistics(3 * points + 5) == pytest.approx(skeleton_statistics(points))
    assert not np.allclose(skeleton_statistics(skeleton(1.2)), skeleton_statistics(points))


def test_ridge_on_skeletons_learns_what_they_show() -> None:
    depths = np.random.default_rng(1).uniform(0.5, 1.5, 30)
    lifts = [record(n, float(40 + 40 * (depth - 0.5))) for n, depth in enumerate(depths)]
    skeletons = {one.clip: skeleton(depth) for one, depth in zip(lifts, depths, strict=True)}
    said = skeleton_ridge(skeletons, lifts[:22], [asked(one) for one in lifts[22:]])
    assert {row.variant for row in said} == {RIDGE}
    truth = [row.truth or 0 for row in said]
    assert spearman([row.score for row in said], truth) > 0.9
    assert mae([row.score for row in said], truth) < 3
    del skeletons[lifts[25].clip]
    with pytest.raises(InputError, match="A01/025: has no skeleton"):
        skeleton_ridge(skeletons, lifts[:22], [asked(one) for one in lifts[22:]])


def test_the_mlp_learns_and_is_the_same_again() -> None:
    features = np.random.default_rng(2).normal(size=(90, 6))
    lifts = [record(n, float(np.clip(65 + 8 * row[0], 0, 100))) for n, row in enumerate(features)]
    known = {one.clip: row for one, row in zip(lifts, features, strict=True)}
    rows = [asked(one) for one in lifts[75:]]
    said = feature_mlp(known, lifts[:60], lifts[60:75], rows, hidden=32, epochs=60)
    assert {(row.variant, row.seed) for row in said} == {(MLP, 0)}
    assert spearman([r.score for r in said], [r.truth or 0 for r in said]) > 0.8
    again = feature_mlp(known, lifts[:60], lifts[60:75], rows, hidden=32, epochs=60)
    assert [r.score for r in again] == [r.score for r in said]
    with pytest.raises(InputError, match="has no features"):
        feature_mlp({}, lifts[:60], [], rows)


def test_a_run_without_its_recipe_says_why_it_has_no_baselines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts_of_run(tmp_path, [], tmp_path) == {}
    assert capsys.readouterr().err == ""
    assert parts_of_run(tmp_path, [record(1, 80)], tmp_path) == {}
    said = f"{tmp_path / 'recipe.yaml'} is missing: its split is not known, so no baselines"
    assert said in capsys.readouterr().err
