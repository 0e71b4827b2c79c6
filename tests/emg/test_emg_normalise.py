"""Scales come from training trials, or from trials that are then not judged, and invert."""

from dataclasses import replace

import numpy as np
import pytest

from emg.normalise import Scales, Trial, calibration_trials
from flex.problems import InputError
from flex.semg_columns import MUSCLE_NAMES
from flex.splits import Part

BICEPS, TRICEPS, CHEST = (
    MUSCLE_NAMES.index(name)
    for name in ("left biceps brachii", "left triceps brachii", "left pectoralis major")
)


def trial(
    subject: str | None,
    part: Part,
    peak: float,
    *,
    muscles: tuple[int, ...] = (BICEPS,),
    repetition: int | None = 1,
    action: str = "A02",
) -> Trial:
    """A trial whose envelopes rise evenly from 0 to `peak` over 101 frames."""
    values = np.zeros((101, 18))
    recorded = np.zeros(18, dtype=np.bool_)
    for muscle in muscles:
        values[:, muscle] = np.linspace(0, peak, 101)
        recorded[muscle] = True
    clip = f"{action}/{subject}-{repetition}"
    return Trial(clip, subject, action, part, repetition, values, recorded)


STUDY = [
    trial("P01", "train", 2.0),
    trial("P02", "train", 4.0),
    trial("P03", "train", 6.0),
    trial("P04", "validation", 50.0),
    trial("P05", "test", 10.0, repetition=1),
    trial("P05", "test", 30.0, repetition=2),
    trial("P05", "test", 20.0, repetition=1, action="A05"),
]


def test_a_scale_is_the_95th_percentile_of_a_trial() -> None:
    scales = Scales.fit(STUDY)
    assert scales.of("P01")[BICEPS] == pytest.approx(1.9)
    assert scales.of("P02")[BICEPS] == pytest.approx(3.8)
    assert scales.typical[BICEPS] == pytest.approx(3.8)


def test_repetitions_count_by_their_median_and_actions_by_the_strongest() -> None:
    repetitions = [
        trial("P09", "train", peak, repetition=number, action=action)
        for action, peaks in {"A02": (2, 3, 90), "A05": (1, 8), "A20": (1, 1, 1)}.items()
        for number, peak in enumerate(peaks, 1)
    ]
    # Medians of the peaks: 3, 4.5, 1.
    assert Scales.fit(repetitions).of("P09")[BICEPS] == pytest.approx(0.95 * 4.5)


def test_the_scale_does_not_grow_with_the_number_of_repetitions() -> None:
    rng = np.random.default_rng(0)
    strengths = np.exp(rng.normal(scale=0.2, size=2000))
    few, many = (
        [
            Scales.fit(
                [
                    trial("P", "train", peak, repetition=n)
                    for n, peak in enumerate(strengths[start : start + count])
                ]
            ).of("P")[BICEPS]
            for start in range(0, 2000, count)
        ]
        for count in (1, 10)
    )
    assert np.median(many) == pytest.approx(np.median(few), rel=0.03)


def test_normalisation_uses_no_test_trial() -> None:
    before = Scales.fit(STUDY).model_dump_json()
    loud = [replace(one, values=one.values * 1000) if one.part != "train" else one for one in STUDY]
    assert Scales.fit(loud).model_dump_json() == before
    trained = [one for one in STUDY if one.part == "train"]
    assert Scales.fit(trained).model_dump_json() == before
    assert Scales.fit(STUDY).fitted_on == tuple(sorted(one.clip for one in trained))
    louder = [replace(STUDY[0], values=STUDY[0].values * 2), *STUDY[1:]]
    assert Scales.fit(louder).model_dump_json() != before


def test_somebody_unknown_gets_the_typical_scale() -> None:
    scales = Scales.fit(STUDY)
    assert scales.of("P05")[BICEPS] == scales.of(None)[BICEPS] == pytest.approx(3.8)
    assert len(scales.judged(STUDY)) == 4


def test_own_calibration_takes_first_repetitions_and_they_are_not_judged() -> None:
    scales = Scales.fit(STUDY).calibrated(calibration_trials(STUDY))
    assert scales.calibrated_on == ("A02/P04-1", "A02/P05-1", "A05/P05-1")
    assert [one.clip for one in scales.judged(STUDY)] == ["A02/P05-2"]
    # Peaks are 10 and 20, in two actions.
    assert scales.of("P05")[BICEPS] == pytest.approx(0.95 * 20)
    # Nothing of the judged trial is in it.
    louder = [replace(one, values=one.values * 9) if one.repetition == 2 else one for one in STUDY]
    again = Scales.fit(louder).calibrated(calibration_trials(louder))
    assert again.model_dump_json() == scales.model_dump_json()


def test_training_people_keep_their_scales_when_others_are_calibrated() -> None:
    mixed = [*STUDY, trial("P01", "test", 77.0, repetition=9)]
    scales = Scales.fit(mixed).calibrated(calibration_trials(mixed))
    assert scales.of("P01")[BICEPS] == pytest.approx(1.9)
    assert "A02/P01-9" in [one.clip for one in scales.judged(mixed)]


def test_calibration_needs_numbers_of_repetitions() -> None:
    with pytest.raises(InputError, match="A02/P09-None: has no repetition number"):
        calibration_trials([trial("P09", "test", 1.0, repetition=None)])


def test_what_is_applied_is_inverted() -> None:
    scales = Scales.fit(STUDY)
    seen = STUDY[1].values
    target = scales.apply(seen, "P02")
    assert target[:, BICEPS].max() == pytest.approx(4 / 3.8)
    assert scales.invert(target, "P02")[:, BICEPS] == pytest.approx(seen[:, BICEPS])


def test_scales_survive_their_json() -> None:
    scales = Scales.fit(STUDY).calibrated(calibration_trials(STUDY))
    again = Scales.model_validate_json(scales.model_dump_json())
    assert again == scales
    np.testing.assert_array_equal(again.of("P05"), scales.of("P05"))


def test_muscles_in_another_order_are_refused() -> None:
    dumped = Scales.fit(STUDY).model_dump()
    with pytest.raises(ValueError, match="in another order"):
        Scales.model_validate({**dumped, "muscles": dumped["muscles"][::-1]})


def test_a_muscle_that_nobody_was_trained_on_has_no_scale() -> None:
    scales = Scales.fit(STUDY)
    assert not scales.known("P01")[CHEST]
    assert scales.known("P01").sum() == 1
    assert np.isnan(scales.apply(STUDY[0].values, "P01")[:, CHEST]).all()


def test_a_muscle_that_one_person_lacks_is_the_typical_one() -> None:
    more = [*STUDY, trial("P02", "train", 8.0, muscles=(TRICEPS,), action="A20")]
    scales = Scales.fit(more)
    assert scales.of("P01")[TRICEPS] == pytest.approx(7.6)
    assert scales.of("P01")[BICEPS] == pytest.approx(1.9)


def test_clips_without_subjects_count_as_one_person() -> None:
    scales = Scales.fit([trial(None, "train", 2.0)])
    assert scales.of(None)[BICEPS] == pytest.approx(1.9)


def test_one_spike_moves_a_scale_little() -> None:
    spiked = STUDY[0].values.copy()
    spiked[0, BICEPS] = 500
    scales = Scales.fit([replace(STUDY[0], values=spiked), *STUDY[1:]])
    assert scales.of("P01")[BICEPS] == pytest.approx(1.9, rel=0.02)


def test_what_cannot_be_a_scale_is_told() -> None:
    with pytest.raises(InputError, match="no training trial to normalise by"):
        Scales.fit([one for one in STUDY if one.part == "test"])
    with pytest.raises(InputError, match="subject P01: left biceps brachii is silent"):
        Scales.fit([trial("P01", "train", 0.0)])
