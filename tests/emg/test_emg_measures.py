"""Measures against numbers worked by hand, and against NumPy's."""

import math

import numpy as np
import pytest

from emg.evaluate import Figure
from emg.measures import (
    asymmetry,
    correlation,
    explained,
    figures,
    level_share,
    onset_s,
    pooled,
    row_sums,
    summary,
)
from learn.intervals import draws, percentiles

TIMES = np.arange(30) / 30


def clip(said: list[float], true: list[float], muscle: int = 0) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.full((len(said), 18), 0.5), np.full((len(true), 18), np.nan)
    one[:, muscle], other[:, muscle] = said, true
    return one, other


def test_by_hand() -> None:
    # Gaps 1, 0, −1, 2: mean size 1, mean square 1.5; squares about the mean of 1, 2, 3, 4 are 5.
    found = summary(pooled(row_sums(*clip([2, 2, 2, 6], [1, 2, 3, 4]))))
    assert found["mae"] == pytest.approx(1.0)
    assert found["rmse"] == pytest.approx(math.sqrt(1.5))
    assert found["r2"] == pytest.approx(1 - 6 / 5)
    assert found["r"] == pytest.approx(6 / math.sqrt(12 * 5))


def test_pooled_clips_are_as_one_long_clip() -> None:
    random = np.random.default_rng(0)
    said, true = random.random((40, 18)), random.random((40, 18))
    true[:, 5:] = np.nan
    rows = row_sums(said[:15], true[:15]) + row_sums(said[15:], true[15:])
    sums = pooled(rows)
    for muscle in range(5):
        wanted = np.corrcoef(said[:, muscle], true[:, muscle])[0, 1]
        assert correlation(sums[0, muscle]) == pytest.approx(wanted)
    assert summary(sums)["mae"] == pytest.approx(np.abs(said - true)[:, :5].mean())
    assert summary(sums)["r"] == pytest.approx(float(correlation(sums[0, :5]).mean()))


def test_muscles_that_were_not_recorded_do_not_count() -> None:
    rows = row_sums(*clip([1, 2], [1, 2], muscle=4))
    assert [row.muscle for row in rows] == [4]
    sums = pooled(rows)
    assert np.isnan(correlation(sums[0, 0]))
    assert summary(sums)["r"] == pytest.approx(1)


def test_what_does_not_vary_has_no_r() -> None:
    flat = summary(pooled(row_sums(*clip([0.3, 0.3, 0.3], [1, 2, 3]))))
    assert math.isnan(flat["r"])
    assert flat["r2"] < 0
    assert math.isnan(float(explained(pooled(row_sums(*clip([1, 2], [0.1, 0.1])))[0, 0])))


def test_weights_count_a_clip_as_often_as_it_is_drawn() -> None:
    rows = row_sums(*clip([1, 1], [0, 0])) + row_sums(*clip([3, 3], [0, 0]))
    found = figures(pooled(rows, np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 1.0]])))
    assert found["mae"].tolist() == [2, 1, 3]


def test_level_and_course() -> None:
    # A clip that is too high as a whole, and one whose mean is right.
    high = row_sums(*clip([2, 3], [1, 2]))[0].sums
    wrong = row_sums(*clip([2, 1], [1, 2]))[0].sums
    assert level_share(high[None]) == pytest.approx(1)
    assert level_share(wrong[None]) == pytest.approx(0)
    assert level_share(np.stack([high, wrong])) == pytest.approx(0.5)


def test_onset_is_the_first_rise_that_lasts() -> None:
    course = np.where(TIMES >= 0.5, 1.0, 0.1)
    assert onset_s(course, TIMES) == pytest.approx(0.5)
    blip = course.copy()
    blip[6] = 1.0  # one frame of 33 ms
    assert onset_s(blip, TIMES) == pytest.approx(0.5)


def test_no_onset_where_nothing_starts() -> None:
    assert onset_s(np.full(30, 0.7), TIMES) is None
    assert onset_s(np.where(TIMES >= 0.5, 0.1, 1.0), TIMES) is None  # works from the beginning
    assert onset_s(np.where(TIMES >= 0.5, 0.15, 0.05), TIMES) is None  # no contraction to speak of


def test_asymmetry() -> None:
    assert asymmetry(np.array([3.0, 3.0]), np.array([1.0, 1.0])) == pytest.approx(0.5)
    assert asymmetry(np.ones(3), np.ones(3)) == 0
    assert math.isnan(asymmetry(np.zeros(3), np.zeros(3)))


def test_people_are_drawn_whole() -> None:
    weights = draws(["P01", "P02", "P01"], resamples=200)
    assert weights.shape == (201, 3)
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] + weights[:, 1] == 2).all()
    assert percentiles(np.arange(101.0)) == (2.5, 97.5)
    assert math.isnan(percentiles(np.array([1.0, np.nan, np.nan]))[0])


def test_two_figures_are_equal_whatever_was_drawn_for_their_interval() -> None:
    one, other = (Figure(1.0, 0.5, 1.5, drawn=np.array(drawn)) for drawn in ([0.5, 1.5], [1.0]))
    assert one == other
    assert one != Figure(1.0, 0.5, 1.6)
    assert (one.sure, Figure(0.0, -1.0, 1.0).sure) == (True, False)
