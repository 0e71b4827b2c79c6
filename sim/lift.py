"""One repetition of one person as a motion: key poses, personal manner, and the labelled errors.

    stage = Stage(study, load_choreography())
    motion = lift(stage, stage.subject(record), record, times_s)

The phases of the record say when; `sim/poses.yaml` says between which poses; `sim/errors.yaml` says
what the record's errors change. Phases follow minimum-jerk profiles (Flash and Hogan 1985).
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from flex.dataset import FRAMES_PER_CLIP
from flex.graph import Occurrence
from flex.problems import InputError, Problem
from flex.sample import Annotation
from sim.bodies import Body, build_body
from sim.choreography import COURSE, SIDED, Choreography, Effect, Fit, Values
from sim.motion import Motion
from sim.profiles import minimum_jerk, weight
from sim.rig import pose_body
from sim.study import Floats, Study, solve
from sim.subjects import Subject, recruit

_LEAST_TRAVEL = 0.25


@dataclass(frozen=True)
class Stage:
    """What all repetitions of a data set share."""

    study: Study
    choreography: Choreography

    @functools.cached_property
    def _people(self) -> dict[str, Subject]:
        return {}

    def subject(self, record: Annotation) -> Subject:
        """Return who lifts in a record of this study."""
        name = record.subject or ""
        if name not in self._people:
            _, _, cohort = name.partition(".")
            self._people.update((s.id, s) for s in recruit(self.study, int(cohort or 1)))
        return self._people[name]


@dataclass(frozen=True)
class Shown:
    """An error of a record as this person makes it.

    Attributes:
        change: parameter → change at its full weight.
        sides: (2,) how much of it each side has, right then left.
        span: start and end of its phase, seconds.
        fade_s: end of the phase after it.
    """

    effect: Effect
    change: Values
    sides: Floats
    span: tuple[float, float]
    fade_s: float


def lift(stage: Stage, subject: Subject, record: Annotation, times_s: Floats) -> Motion:
    """Return the motion of a record at the given times.

    Args:
        stage: study and choreography.
        subject: who lifts; must be the record's subject.
        record: a simulated record with phases, errors, load and repetition.
        times_s: (T,) seconds from the start of the clip.

    Raises:
        InputError: the choreography does not have the record's action.
    """
    poses = stage.choreography.poses
    if record.action not in poses.actions:
        known = ", ".join(poses.actions)
        message = f"sim/poses.yaml has no poses for {record.action}; it has {known}"
        raise InputError([Problem("action", message)])
    action = poses.actions[record.action]
    body = build_body(stage.study, subject)
    shown = [_shown(stage, subject, record, item) for item in record.occurrences]
    errors = [error for error in shown if error is not None]
    manner = _manner(stage, subject, record)
    start, middle, end = (
        _offset(pose, manner) for pose in (action.start, action.middle, action.end)
    )
    if action.setup.fit is not None:
        start = {**start, **_fitted(body, action.setup.fit, start, stage, record)}
    way = _progress(stage, subject, record, errors, times_s)
    values = {name: _between(name, start, middle, end, way) for name in start}
    _wander(stage, subject, record, times_s, values)
    for error in errors:
        _apply(error, times_s, values)
    motion = pose_body(body, action.setup, values, times_s, record.load_kg or 0.0)
    return motion if action.setup.bench else _placed(stage, subject, record, motion)


def frame_times(record: Annotation, frames: int = FRAMES_PER_CLIP) -> Floats:
    """Return the times of frames spread evenly over a clip from its first to its last moment."""
    return np.linspace(0, record.duration_s or 0.0, frames)


def _shown(stage: Stage, subject: Subject, record: Annotation, item: Occurrence) -> Shown | None:
    """Return how this person makes an error; `None` for one that does not show in the motion."""
    study, errors = stage.study, stage.choreography.errors
    effect = errors.effect(record.action, item.key_step, item.error_type)
    if effect is None or not effect.options:
        return None
    habit = study.draws("direction", subject.id, record.action, *item)
    option = effect.options[int(habit.integers(len(effect.options)))]
    weaker = int(habit.integers(2))
    moment = study.draws("severity", subject.id, record.action, record.repetition or 0, *item)
    severity = float(moment.uniform(*errors.severity))
    phase = study.graph.key_steps[item.key_step].phase
    number = next(n for n, span in enumerate(record.phases) if span.phase == phase)
    span = record.phases[number]
    after = record.phases[number + 1].end_s if number + 1 < len(record.phases) else span.end_s
    sides = np.eye(2)[weaker] if effect.sides == "one" else np.ones(2)
    change = {name: value * severity for name, value in option.items()}
    if "thumbs" in change:
        change["thumbs"] = 1.0
    return Shown(effect, change, sides, (span.start_s, span.end_s), after)


def _manner(stage: Stage, subject: Subject, record: Annotation) -> dict[str, Floats]:
    """Return the small offsets of this person and repetition: parameter → (2,)."""
    study, spread = stage.study, stage.choreography.poses.spread
    person = study.draws("manner", subject.id, record.action)
    moment = study.draws("moment", subject.id, record.action, record.repetition or 0)
    offsets = dict.fromkeys((*spread.person, *spread.repetition), np.zeros(2))
    for draws, scales in ((person, spread.person), (moment, spread.repetition)):
        for name, scale in scales.items():
            offsets[name] = offsets[name] + draws.normal(scale=scale)
    uneven = person.normal(scale=spread.handedness)
    offsets["elbow"] = offsets["elbow"] + np.array([0.5, -0.5]) * uneven
    return offsets


def _offset(pose: Values | None, manner: dict[str, Floats]) -> dict[str, Floats]:
    return {name: value + manner.get(name, np.zeros(2)) for name, value in (pose or {}).items()}


def _fitted(
    body: Body, fit: Fit, start: dict[str, Floats], stage: Stage, record: Annotation
) -> dict[str, Floats]:
    """Solve one parameter of the start pose so that the hands are at the height it states."""
    action = stage.choreography.poses.actions[record.action]
    setup = action.setup.model_copy(update={"fit": None})  # which keeps the bar above the floor

    def minus_height(value: float) -> float:
        pose = {**start, fit.parameter: np.full(2, value)}
        once = {n: v[None] if n in SIDED else v.mean(keepdims=True) for n, v in pose.items()}
        motion = pose_body(body, setup, once, np.zeros(1), 0.0)
        return -float(motion.joints[0, [6, 10], 2].mean())

    try:
        value = solve(minus_height, -fit.hand_height_m, fit.low, fit.high)
    except ValueError as error:
        place = f"{record.action}, {body.subject}"
        raise InputError([Problem(place, f"{fit.parameter} cannot be fitted: {error}")]) from error
    return {fit.parameter: np.full(2, value)}


def _progress(
    stage: Stage, subject: Subject, record: Annotation, errors: list[Shown], times_s: Floats
) -> Floats:
    """Return how far each side is from the start pose (0) to the end pose (1): (T, 2)."""
    draws = stage.study.draws("range", subject.id, record.action, record.repetition or 0)
    spare = np.abs(draws.normal(scale=stage.choreography.poses.spread.range, size=2))
    way = np.zeros((len(times_s), 2))
    level = np.zeros(2)
    for number, phase in enumerate(record.phases[1:]):
        missed, late, rush = np.full(2, spare[number]), np.zeros(2), 0.0
        for error in errors:
            if error.span == (phase.start_s, phase.end_s):
                missed = missed + error.change.get("range", 0.0) * error.sides
                late = late + error.change.get("late", 0.0) * error.sides
                rush += error.change.get("rush", 0.0)
        goal = 1 - missed if number == 0 else missed
        goal = np.maximum(goal, level + _LEAST_TRAVEL) if number == 0 else goal
        goal = np.minimum(goal, level - _LEAST_TRAVEL) if number else goal
        length = max(phase.end_s - phase.start_s, 1e-6)
        done = (times_s[:, None] - phase.start_s) / length
        share = np.clip((done - late) / (1 - late) / (1 - min(rush, 0.7)), 0, 1)
        way += (goal - level) * minimum_jerk(share)
        level = goal
    return way


def _between(
    name: str,
    start: dict[str, Floats],
    middle: dict[str, Floats],
    end: dict[str, Floats],
    way: Floats,
) -> Floats:
    """Return a parameter over the way: (T, 2) for one of the sides, (T,) for one of the body."""
    one, last = start[name], end[name]
    if name not in SIDED:
        way, one, last = way.mean(axis=1), one.mean(), last.mean()
    if name not in middle:
        return np.asarray(one + (last - one) * way)
    half = middle[name] if name in SIDED else middle[name].mean()
    early, between, late = 2 * (way - 0.5) * (way - 1), 4 * way * (1 - way), 2 * way * (way - 0.5)
    return np.asarray(one * early + half * between + last * late)


def _wander(
    stage: Stage, subject: Subject, record: Annotation, times_s: Floats, values: dict[str, Floats]
) -> None:
    """Add slow, small movement that nobody holds back: two sines below 2 Hz."""
    draws = stage.study.draws("wander", subject.id, record.action, record.repetition or 0)
    for name, scale in stage.choreography.poses.spread.wander.items():
        rates, turns = draws.uniform(0.3, 1.8, size=2), draws.uniform(0, 2 * np.pi, size=2)
        moved = scale * np.sin(2 * np.pi * times_s[:, None] * rates + turns).sum(axis=1)
        values[name] = values[name] + (moved[:, None] if name in SIDED else moved)


def _apply(error: Shown, times_s: Floats, values: dict[str, Floats]) -> None:
    share = weight(error.effect.when, times_s, error.span, error.fade_s)
    for name, value in error.change.items():
        if name in COURSE:
            continue
        added = value * share
        sided = added[:, None] * error.sides if name in SIDED else added
        values[name] = values[name] + sided


def _placed(stage: Stage, subject: Subject, record: Annotation, motion: Motion) -> Motion:
    """Move a standing person to where the feet are in this repetition."""
    spread = stage.choreography.poses.spread
    repetition = record.repetition or 1
    steps = stage.study.draws("steps", subject.id, record.action).normal(size=(repetition, 3))
    # The same draws for every repetition, so each stands where the one before has left it.
    drift = 0.5 * steps[1:].sum(axis=0) + steps[0]
    turn = np.radians(spread.turn_deg * np.clip(drift[2], -3, 3))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    place = np.array([*(spread.step_m * np.clip(drift[:2], -4, 4)), 0.0])
    return replace(
        motion,
        joints=motion.joints @ matrix.T + place,
        lumbar=motion.lumbar @ matrix.T + place,
        handles=motion.handles @ matrix.T,
        palms=motion.palms @ matrix.T,
        pivot=None if motion.pivot is None else matrix @ motion.pivot + place,
    )
