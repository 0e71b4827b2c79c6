"""Simulated skeletons are bodies: rigid limbs, planted feet, and errors where the labels say."""

from collections.abc import Iterator

import numpy as np
import pytest
import yaml

from flex.graph import Occurrence
from flex.graph_file import load_graph
from flex.sample import Annotation, ErrorLabel
from flex.skeleton import INDEX, limb_lengths
from sim.checks.features import elbow_bend, face_forward, knee_flexion, pitch, trunk_lean
from sim.checks.geometry import (
    GOAL,
    REASONS_FILE,
    choose_records,
    evaluate,
    f1_by_type,
    load_lifts,
    observable,
)
from sim.checks.rules import RULES, find_rule
from sim.checks.step import SAMPLES, bulge, by_phase, end, sway
from sim.checks.thresholds import calibrate, count
from sim.choreography import COURSE, load_choreography
from sim.lift import Stage, frame_times, lift
from sim.motion import Motion
from sim.settings import load_settings
from sim.study import Floats, Study
from sim.subjects import recruit

CHOREOGRAPHY = load_choreography()
STAGE = Stage(Study(load_graph(), load_settings(), seed=0), CHOREOGRAPHY)
PLACES = list(observable(STAGE))
RATE_HZ = 120.0
MOMENTARY = {"hold", "bump", "early", "rock", "wave"}


def joints(motion: Motion, *names: str) -> Floats:
    return motion.joints[:, [INDEX[name] for name in names]]


def hands(motion: Motion) -> Floats:
    return joints(motion, "right_hand", "left_hand")


@pytest.fixture(scope="module")
def records() -> dict[str, list[Annotation]]:
    found: dict[str, list[Annotation]] = {}
    for record in choose_records(STAGE.study, 60)[0]:
        found.setdefault(record.action, []).append(record)
    return found


@pytest.fixture(scope="module")
def lifts(records: dict[str, list[Annotation]]) -> list[tuple[Annotation, Motion]]:
    """Three clips of each action, as they are labelled, at the full frame rate."""
    return [
        (r, lift(STAGE, STAGE.subject(r), r, np.arange(0, r.duration_s or 0.0, 1 / RATE_HZ)))
        for group in records.values()
        for r in group
    ]


def test_limbs_keep_their_length(lifts: list[tuple[Annotation, Motion]]) -> None:
    for record, motion in lifts:
        change = np.ptp(limb_lengths(motion.joints), axis=0).max()
        assert change < 1e-3, f"{record.clip}: {change * 1000:.1f} mm"


def test_feet_of_those_who_stand_stay_where_they_are(
    lifts: list[tuple[Annotation, Motion]],
) -> None:
    feet = [f"{side}_{part}" for side in ("right", "left") for part in ("ankle", "heel", "toe")]
    for record, motion in lifts:
        if motion.bench is None:
            slide = np.ptp(joints(motion, *feet), axis=0).max()
            assert slide < 2e-3, f"{record.clip}: {slide * 1000:.1f} mm"


def test_hands_on_a_bar_keep_their_distance(lifts: list[tuple[Annotation, Motion]]) -> None:
    for record, motion in lifts:
        if motion.equipment != "dumbbell":
            grip = np.linalg.norm(np.diff(hands(motion), axis=1), axis=-1)
            assert np.ptp(grip) < 1e-3, f"{record.clip}: {np.ptp(grip) * 1000:.1f} mm"


def test_nothing_sinks_into_the_floor_or_jumps(lifts: list[tuple[Annotation, Motion]]) -> None:
    for record, motion in lifts:
        assert motion.joints[..., 2].min() > 0, record.clip
        step = np.linalg.norm(np.diff(motion.joints, axis=0), axis=-1)
        assert step.max() < 0.09, f"{record.clip}: {step.max() * 100:.1f} cm at 1/120 s"


def test_the_deadlift_starts_from_the_floor(records: dict[str, list[Annotation]]) -> None:
    for record in records["A15"]:
        height = hands(lift_at(record, (), np.zeros(1)))[0, :, 2]
        assert height == pytest.approx([0.225, 0.225], abs=0.02), record.clip


def test_a_t_bar_turns_about_its_pivot(lifts: list[tuple[Annotation, Motion]]) -> None:
    seen = 0
    for record, motion in lifts:
        if motion.pivot is not None:
            lever = np.linalg.norm(hands(motion).mean(axis=1) - motion.pivot, axis=-1)
            assert np.ptp(lever) < 2e-3, f"{record.clip}: {np.ptp(lever) * 1000:.1f} mm"
            seen += 1
    assert seen


def lift_at(record: Annotation, errors: tuple[Occurrence, ...], times_s: Floats) -> Motion:
    labels = tuple(ErrorLabel(key_step=k, error_type=e) for k, e in errors)
    changed = record.model_copy(update={"errors": labels})
    return lift(STAGE, STAGE.subject(record), changed, times_s)


def twins(
    records: dict[str, list[Annotation]],
) -> Iterator[tuple[str, Annotation, Occurrence, Floats]]:
    """Yield per occurrence how far a faulty clip's joints are from its correct twin's: (T,) m."""
    for action, item in PLACES:
        record = records[action][0]
        times_s = frame_times(record)
        faulty, correct = (lift_at(record, errors, times_s) for errors in ((item,), ()))
        apart = np.linalg.norm(faulty.joints - correct.joints, axis=-1).max(axis=1)
        yield f"{action} {item}", record, item, apart


def test_an_error_shows_in_its_phase_and_little_elsewhere(
    records: dict[str, list[Annotation]],
) -> None:
    for name, record, item, apart in twins(records):
        phase = STAGE.study.graph.key_steps[item.key_step].phase
        span = next(p for p in record.phases if p.phase == phase)
        length = span.end_s - span.start_s
        times_s = frame_times(record)
        inside = (times_s >= span.start_s) & (times_s <= span.end_s)
        assert apart[inside].max() > 0.015, f"{name}: {apart[inside].max() * 100:.1f} cm"
        effect = CHOREOGRAPHY.errors.effect(record.action, *item)
        assert effect is not None
        if effect.when in MOMENTARY and not any(COURSE & set(o) for o in effect.options):
            margin = max(0.3 * length, 0.3)
            far = (times_s < span.start_s - margin) | (times_s > span.end_s + margin)
            assert apart[far].max(initial=0) < 0.005, f"{name}: {apart[far].max() * 100:.1f} cm"


def test_every_observable_error_has_a_rule_and_every_rule_a_place() -> None:
    for action, item in PLACES:
        assert find_rule(action, item).__doc__
    types = {item.error_type for _, item in PLACES}
    assert {key.partition(" ")[0] for key in RULES} == types
    places = {p for a, o in PLACES for p in (a, o.key_step, f"{a}:{o.key_step}")}
    assert {key.partition(" ")[2] for key in RULES} <= places | {""}
    explained = yaml.safe_load(REASONS_FILE.read_text(encoding="utf-8"))
    assert explained
    assert set(explained) <= {f"{action} {item}" for action, item in PLACES}


@pytest.mark.slow
def test_rules_recover_errors_of_unseen_people() -> None:
    known, unseen = choose_records(STAGE.study, 1000, 400)
    before, after = load_lifts(STAGE, known), load_lifts(STAGE, unseen)
    outcomes = list(evaluate(STAGE, before, after))
    f1 = f1_by_type(outcomes)
    assert min(f1[name] for name in ("ET001", "ET005", "ET032", "ET036", "ET043")) > GOAL
    assert np.mean(list(f1.values())) > 0.85
    assert all(0 <= o.precision <= 1 and 0 <= o.recall <= 1 for o in outcomes)


def test_people_of_the_two_cohorts_are_not_the_same() -> None:
    known, unseen = choose_records(STAGE.study, 40, 40)
    assert len(known) == 40
    assert {r.subject for r in known} <= {s.id for s in recruit(STAGE.study, 1)}
    assert {r.subject for r in unseen} <= {s.id for s in recruit(STAGE.study, 2)}
    assert len(unseen) == 40


def test_limits_separate_what_they_can() -> None:
    values = np.array([1.0, 5.0, 5.5, 6.0, 9.0, 9.5])
    limits = calibrate(values, np.array([True, False, False, False, True, True]))
    assert (limits.low, limits.high) == (3.0, 7.5)
    assert count(limits.outside(values), values > 8).precision == pytest.approx(2 / 3)
    above = calibrate(values, values > 8)
    assert (above.low, above.high) == (-np.inf, 7.5)
    assert count(values > 8, values < 0).f1 == 0


def test_angles_of_known_poses() -> None:
    points = np.zeros((1, 21, 3))
    for side, y in (("right", -0.2), ("left", 0.2)):
        arm = {"shoulder": (0, 1.4), "elbow": (0, 1.1), "wrist": (0.3, 1.1), "hand": (0.4, 1.1)}
        leg = {"hip": (0, 0.9), "knee": (0.4, 0.9), "ankle": (0.4, 0.5)}
        for part, (x, z) in (arm | leg).items():
            points[0, INDEX[f"{side}_{part}"]] = x, y, z
    points[0, INDEX["upper_spine"]] = 0.5, 0, 1.4
    assert trunk_lean(points) == pytest.approx([45])
    assert knee_flexion(points) == pytest.approx([90])
    points[0, INDEX["upper_spine"]] = 0, 0, 1.4
    assert elbow_bend(points) == pytest.approx(np.array([[90, 90]]))
    points[0, [INDEX["right_wrist"], INDEX["left_wrist"]], 0] = -0.3
    assert elbow_bend(points) == pytest.approx(np.array([[-90, -90]]))
    assert pitch(np.array([1.0, 0, 0])) == pytest.approx(90)


def test_phases_are_sampled_evenly_and_summed_up() -> None:
    clip = np.zeros((1, 103, 21, 3))
    clip[0, :, :, 0] = np.linspace(0, 1, 103)[:, None]
    spans = np.array([[[0, 0.25], [0.25, 0.5], [0.5, 1]]])
    x = by_phase(clip, spans)[..., 0, 0]
    assert x.shape == (1, 3, SAMPLES)
    assert x[0, 2] == pytest.approx(np.linspace(0.5, 1, SAMPLES))
    assert end(x[:, 1]) == pytest.approx([0.5], abs=0.01)
    assert bulge(x[:, 1]) == pytest.approx([0], abs=1e-9)
    assert sway(x[:, 1]) == pytest.approx([0], abs=1e-9)
    turned = face_forward(np.ones((1, 5, 21, 3)) * np.arange(21)[:, None])
    assert np.linalg.norm(turned, axis=-1) == pytest.approx(
        np.linalg.norm(np.ones((1, 5, 21, 3)) * np.arange(21)[:, None], axis=-1)
    )
