"""Calibration and measures: hand-worked cases, and against scipy."""

import numpy as np
import pytest
import torch
from scipy import stats

from aqa.calibration import Calibration, best_threshold, calibration_error, reliability
from aqa.measures import fisher_mean, mae, mean_r_l2, mean_spearman, r_l2, spearman
from flex.problems import InputError


def test_calibration_finds_temperature_and_offset() -> None:
    random = torch.Generator().manual_seed(0)
    honest = torch.randn(4000, 5, generator=random) * 1.5 - 1
    labels = (torch.rand(honest.shape, generator=random) < honest.sigmoid()).float()
    known = torch.rand(honest.shape, generator=random) < 0.8
    claimed = torch.where(known, 3 * honest + 2, torch.full_like(honest, 99))
    calibration = Calibration(5)
    calibration.fit(claimed, labels, known)
    assert calibration.temperature.item() == pytest.approx(3, rel=0.08)
    assert calibration.offset.item() == pytest.approx(-2 / 3, abs=0.08)
    before = reliability(claimed[known].sigmoid(), labels[known])
    after = reliability(calibration(claimed)[known], labels[known])
    assert calibration_error(after) < 0.02 < calibration_error(before)


def test_weighted_positives_are_undone_column_by_column() -> None:
    calibration = Calibration(2)
    calibration.allow_for(torch.tensor([1.0, 9.0]))
    # Odds of 1 that count positives nine times are odds of 1 to 9.
    assert calibration(torch.zeros(1, 2))[0].tolist() == pytest.approx([0.5, 0.1])


def test_calibration_needs_both_kinds_of_labels() -> None:
    with pytest.raises(InputError, match="found 0 of 4"):
        Calibration(2).fit(torch.zeros(2, 2), torch.zeros(2, 2), torch.ones(2, 2).bool())


def test_reliability_by_hand() -> None:
    bins = reliability([0.1, 0.2, 0.6, 0.8, 1.0], [0, 1, 1, 1, 1], bins=2)
    assert [(b.low, b.high, b.claims) for b in bins] == [(0, 0.5, 2), (0.5, 1, 3)]
    assert [b.claimed for b in bins] == pytest.approx([0.15, 0.8])
    assert [b.true for b in bins] == [0.5, 1]
    assert calibration_error(bins) == pytest.approx((2 * 0.35 + 3 * 0.2) / 5)


def test_the_best_threshold_by_hand() -> None:
    # F1 after 1, 2, 3, 4 claims: 2/3, 1/2, 4/5, 2/3; the cut lies between 0.5 and 0.2.
    assert best_threshold([0.9, 0.6, 0.5, 0.2], [1, 0, 1, 0]) == pytest.approx(0.35)
    # Equal claims cannot be parted: all or none.
    assert best_threshold([0.6, 0.6, 0.6], [1, 0, 0]) == pytest.approx(0.3)
    assert best_threshold([0.6, 0.2], [0, 0]) == 0.5


def test_spearman_agrees_with_scipy_and_knows_ties() -> None:
    random = np.random.default_rng(0)
    one, other = random.integers(0, 6, (2, 40))
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert spearman([1, 2, 3], [10, 20, 15]) == pytest.approx(0.5)
    assert np.isnan(spearman([1, 1, 1], [1, 2, 3]))
    assert np.isnan(spearman([1], [1]))


def test_fishers_mean_by_hand() -> None:
    assert fisher_mean([0.0, 0.8]) == pytest.approx(np.tanh(np.arctanh(0.8) / 2))
    assert fisher_mean([0.0, 0.8]) == pytest.approx(0.5)
    assert 0.99 < fisher_mean([1.0, 0.9]) < 1
    assert np.isnan(fisher_mean([]))
    assert np.isnan(fisher_mean([0.5, float("nan")]))


def test_r_l2_by_hand() -> None:
    # Errors of 5 and 10 on a range of 50: 100 · (0.01 + 0.04) ÷ 2.
    assert r_l2([55, 60], [50, 70], (40, 90)) == pytest.approx(2.5)
    assert mae([55, 60], [50, 70]) == 7.5
    with pytest.raises(ValueError, match="found 1 and 50–50"):
        r_l2([1], [1], (50, 50))
    with pytest.raises(ValueError, match="two arrays of one length"):
        r_l2([1, 2], [1], (0, 1))


def test_actions_count_alike() -> None:
    scores, truth = [55, 60, 10, 20, 31], [50, 70, 10, 30, 20]
    actions = ["A01", "A01", "A02", "A02", "A02"]
    ranges = {"A01": (40.0, 90.0), "A02": (0.0, 100.0)}
    second = 100 * (0 + 0.01 + 0.0121) / 3
    assert mean_r_l2(scores, truth, actions, ranges) == pytest.approx((2.5 + second) / 2)
    each = [1.0, 0.5]
    assert mean_spearman(scores, truth, actions) == pytest.approx(fisher_mean(each))
    with pytest.raises(ValueError, match="no score range is given for A02"):
        mean_r_l2(scores, truth, actions, {"A01": (40.0, 90.0)})
