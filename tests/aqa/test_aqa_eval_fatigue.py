"""The study of repetitions: slopes and drops by hand, chance on sets that tire and that do not."""

import numpy as np
import pytest

from aqa.fatigue import LiftSet, first_drops, sets_of, slopes_of, study_sets
from aqa.predictions import Prediction
from flex.problems import InputError


def lift_set(subject: str, given: list[float], truth: list[float]) -> LiftSet:
    numbers = np.arange(1, len(given) + 1)
    return LiftSet(subject, "A01", numbers, np.array(given), np.array(truth))


def row(repetition: int, score: float, *, seed: int = 0, variant: str = "mv") -> Prediction:
    return Prediction(
        clip=f"A01/{repetition:03d}",
        action="A01",
        subject="P1",
        repetition=repetition,
        part="test",
        variant=variant,
        head="core",
        seed=seed,
        score=score,
        truth=80,
    )


def test_slope_by_hand_also_where_a_repetition_is_missing() -> None:
    assert slopes_of(np.array([1, 2, 3]), np.array([5.0, 3, 1])) == pytest.approx(-2)
    assert slopes_of(np.array([1, 2, 5]), np.array([10.0, 8, 2])) == pytest.approx(-2)


def test_the_first_drop_by_hand() -> None:
    base = [80.0, 81, 79]
    assert first_drops(np.array([*base, 76, 75, 60]), 5) == 4  # exactly five points under 80
    assert first_drops(np.array([*base, 76, 76, 90]), 5) == -1
    many = np.array([[*base, 70, 90, 90], [*base, 90, 90, 70]])
    assert first_drops(many, 5).tolist() == [3, 5]


def test_tiring_sets_are_told_from_steady_ones() -> None:
    random = np.random.default_rng(0)
    tiring, steady = [], []
    for number in range(6):
        noise = random.normal(0, 1, (2, 10))
        true = (90 - 2 * np.arange(10) + noise[0]).tolist()
        tiring.append(lift_set(f"P{number}", (70 + noise[1]).tolist(), true))
        steady.append(lift_set(f"P{number}", true, (70 + noise[1]).tolist()))
    study = study_sets(tiring, permutations=400)
    assert study.true.slope == pytest.approx(-2, abs=0.15)
    assert study.true.low < study.true.slope < study.true.high < 0
    assert study.true.p < 0.01
    assert study.true.falling == 1
    # Sorted scores drop near the end; in any other order a low one comes early more often.
    assert study.true.early == 1
    assert study.given.p > 0.05
    assert abs(study.given.slope) < 0.3
    assert study.both_early[1] == sum(d is not None and d < 10 for d in study.given.drops)
    other = study_sets(steady, permutations=400)
    assert other.given.slope == pytest.approx(study.true.slope)
    assert other.given.p == study.true.p


def test_a_drop_in_the_last_repetition_is_not_early() -> None:
    late = lift_set("P1", [80.0] * 9 + [60], [80.0] * 10)
    study = study_sets([late], permutations=400)
    assert study.given.drops == (10,)
    assert study.given.early == 0
    # In any other order, the low one is in repetitions 4 to 9 six times of ten.
    assert study.given.early_by_chance == pytest.approx(0.6, abs=0.08)
    assert study.both_early == (0, 0)
    assert np.isnan(study.agreement)
    assert np.isnan(study.given.low)


def test_sets_average_seeds_and_need_enough_repetitions() -> None:
    rows = [row(n, 50 + n, seed=seed) for n in (3, 1, 2, 5, 4) for seed in (0, 1)]
    rows[0] = row(3, 63, seed=0)
    (found,) = sets_of(rows)
    assert found.repetitions.tolist() == [1, 2, 3, 4, 5]
    assert found.given.tolist() == [51, 52, 58, 54, 55]
    assert sets_of(rows[:-2]) == []
    assert sets_of([r.model_copy(update={"subject": None}) for r in rows]) == []
    with pytest.raises(InputError, match="one variant, found mv, sv"):
        sets_of([*rows, row(1, 50, variant="sv")])
    with pytest.raises(InputError, match="no set with 5 or more"):
        study_sets([])
