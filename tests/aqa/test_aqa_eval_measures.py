"""Figures of an evaluation: by hand, against the plain measures, and against repeated clips."""

import numpy as np
import pytest

from aqa.evaluate import evaluate, ranges_of
from aqa.evaluate_intervals import (
    f1,
    mean_r_l2,
    mean_rho,
    pooled_rho,
    within_rho,
)
from aqa.evaluate_tables import error_counts
from aqa.measures import mean_r_l2 as plain_mean_r_l2
from aqa.measures import mean_spearman, spearman
from aqa.predictions import Prediction
from flex.problems import InputError
from flex.splits import Part
from learn.intervals import draws, percentiles


def said(
    clip: str,
    score: float,
    truth: float | None,
    *,
    variant: str = "mv",
    seed: int = 0,
    part: Part = "test",
    subject: str | None = None,
    errors: tuple[str, ...] = (),
    true_errors: tuple[str, ...] | None = None,
    labelled: tuple[str, ...] | None = None,
    probabilities: dict[str, float] | None = None,
) -> Prediction:
    return Prediction(
        clip=clip,
        action=clip[:3],
        subject=subject,
        part=part,
        variant=variant,
        head="core",
        seed=seed,
        score=score,
        truth=truth,
        errors=errors,
        true_errors=true_errors,
        labelled=labelled,
        probabilities=probabilities or {},
    )


def several(
    noise: float, *, variant: str = "mv", seeds: int = 2, start: int = 0
) -> list[Prediction]:
    """12 subjects lift in two exercises; scores are the truth with noise."""
    random = np.random.default_rng(0)
    truth = random.uniform(40, 95, size=(2, 12)).round(2)
    rows = []
    for seed in range(seeds):
        wrong = np.random.default_rng([start, seed]).normal(0, noise, size=truth.shape)
        for action, subject in np.ndindex(2, 12):
            true = float(truth[action, subject])
            given = true + float(wrong[action, subject])
            clip, who = f"A0{action + 1}/{subject:03d}", f"P{subject:02d}"
            rows.append(said(clip, given, true, variant=variant, seed=seed, subject=who))
    return rows


def test_weighted_ranks_agree_with_repeated_clips_and_plain_measures() -> None:
    random = np.random.default_rng(1)
    scores, truth = random.integers(0, 8, (2, 30)).astype(float)
    actions = [f"A{n % 3}" for n in range(30)]
    ranges = {"A0": (0.0, 9.0), "A1": (0.0, 5.0), "A2": (-3.0, 9.0)}
    weights = draws([f"P{n // 3}" for n in range(30)], resamples=20, seed=3)
    assert weights.shape == (21, 30)
    assert set(weights[0]) == {1.0}
    rho = pooled_rho(scores, truth, weights)
    mean = mean_rho(scores, truth, actions, weights)
    lost = mean_r_l2(scores, truth, actions, ranges, weights)
    for row, counts in enumerate(weights.astype(int)):
        one, other = np.repeat(scores, counts), np.repeat(truth, counts)
        names = np.repeat(actions, counts).tolist()
        assert rho[row] == pytest.approx(spearman(one, other))
        assert mean[row] == pytest.approx(mean_spearman(one, other, names), nan_ok=True)
        assert lost[row] == pytest.approx(plain_mean_r_l2(one, other, names, ranges))


def test_whole_subjects_are_drawn() -> None:
    weights = draws(["P1", "P1", "P2", "P3"], resamples=50)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert set(weights[1:, [0, 2, 3]].sum(axis=1)) == {3.0}
    assert weights[1:].std() > 0


def test_rho_within_exercises_forgets_their_levels() -> None:
    # Levels are right and lifts are ranked the wrong way round in each exercise.
    scores = np.array([10.0, 11, 12, 50, 51, 52])
    truth = np.array([12.0, 11, 10, 52, 51, 50])
    actions, once = ["A", "A", "A", "B", "B", "B"], np.ones((1, 6))
    assert within_rho(scores, truth, actions, once)[0] == pytest.approx(-1)
    assert pooled_rho(scores, truth, once)[0] > 0.5
    # A constant guess per exercise ranks nothing.
    assert np.isnan(within_rho(np.array([1.0, 1, 1, 9, 9, 9]), truth, actions, once)[0])


def test_f1_of_draws_by_hand() -> None:
    # Clip 1: 1 hit of 2 claims and 1 error. Clip 2: nothing claimed of 3 errors.
    counts, weights = np.array([[1.0, 2, 1], [0, 0, 3]]), np.array([[1.0, 1], [2, 0], [0, 2]])
    assert f1(counts, weights).tolist() == pytest.approx([2 / 6, 2 / 3, 0])


def test_percentiles_need_enough_draws() -> None:
    assert percentiles(np.arange(101.0)) == (2.5, 97.5)
    assert np.isnan(percentiles(np.array([1.0, np.nan, np.nan]))).all()


def test_errors_are_counted_within_what_was_labelled() -> None:
    row = said(
        "A01/1",
        50,
        60,
        errors=("K1:E1", "K2:E1", "K3:E3"),
        true_errors=("K1:E1", "K2:E2"),
        labelled=("K1:E1", "K2:E1", "K2:E2"),
    )
    assert error_counts([row], "occurrence").tolist() == [[1, 2, 2]]
    assert error_counts([row], "type").tolist() == [[1, 1, 2]]


def test_a_variant_is_the_mean_of_its_seeds_and_better_ones_are_known_to_be() -> None:
    rows = [*several(3.0, variant="good", start=1), *several(30.0, variant="poor")]
    ranges = ranges_of((row.action, row.truth) for row in rows)
    found = evaluate(rows, ranges, order=["poor", "good"], resamples=200)
    assert list(found.variants) == ["poor", "good"]
    assert (found.clips, found.subjects, found.actions, found.fewest) == (24, 12, 2, 12)
    for name in ("poor", "good"):
        runs = [[r for r in rows if (r.variant, r.seed) == (name, s)] for s in (0, 1)]
        each = [
            mean_spearman([r.score for r in x], [r.truth or 0 for r in x], [r.action for r in x])
            for x in runs
        ]
        figure = found.variants[name].figures["rho"]
        assert figure.seeds == pytest.approx(each)
        assert figure.value == pytest.approx(np.mean(each))
        assert figure.low < figure.value < figure.high
    lead = found.leads["good", "poor"]
    assert lead["mae"].high < 0 < lead["rho"].low
    assert lead["rho"].sure
    same = evaluate(
        [*rows[:24], *(r.model_copy(update={"variant": "b"}) for r in rows[:24])], ranges
    )
    assert same.leads["b", "good"]["rho"].value == 0
    assert not same.leads["b", "good"]["rho"].sure


def test_ranges_of_action_and_of_judged_clips_both_count() -> None:
    rows = [said("A01/1", 60, 50), said("A01/2", 60, 70)]
    figures = evaluate(rows, {"A01": (0.0, 100.0)}, resamples=10).variants["mv"].figures
    assert figures["r_l2"].value == pytest.approx(1)
    assert figures["r_l2 test"].value == pytest.approx(25)


def test_calibration_of_what_names_errors() -> None:
    rows = [
        said("A01/1", 60, 50, probabilities={"K1:E1": 0.9, "K2:E2": 0.2}, true_errors=("K1:E1",)),
        said("A01/2", 60, 70, probabilities={"K1:E1": 0.9, "K2:E2": 0.2}, true_errors=()),
    ]
    judged = evaluate(rows, {"A01": (0.0, 100.0)}, resamples=10).variants["mv"]
    # 0.9 is claimed twice and true once, 0.2 twice and never.
    assert judged.figures["ece"].value == pytest.approx((0.4 + 0.2) / 2)
    assert [(each.claims, each.true) for each in judged.bins] == [(2, 0), (2, 0.5)]


def test_runs_must_be_of_the_same_clips() -> None:
    one = [said("A01/1", 60, 50), said("A01/2", 60, 70)]
    other = [row.model_copy(update={"variant": "sv"}) for row in one]
    with pytest.raises(InputError, match=r"sv, seed 0: lacks 1 of the 2 clips.*A01/2"):
        evaluate([*one, other[0]], {})
    with pytest.raises(InputError, match="predicts A01/1 twice"):
        evaluate([*one, one[0]], {})
    with pytest.raises(InputError, match="no clip with a true score"):
        evaluate([said("A01/1", 60, None)], {})
    assert evaluate([*one, said("A01/3", 1, None)], {}, resamples=10).left_out == 1
