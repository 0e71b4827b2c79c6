"""How a lifter breathes: the volume of the chest during a clip, and breaths a minute over a set.

    chest_volume(study, record, times_s)      # (T,) 0 empty to 1 full

A correct lifter breathes out while lifting (concentric) and in while lowering (eccentric), in
whatever order an action has them, and breathes into the preparation so that air is there, or gone,
when the phase begins. An error of breathing (ET014, ET017) turns the direction round in the phase
of its key step. People hold the breath a little at the turn, do not breathe equally deep twice, and
move most of the air early or late in a phase, but the volume always ends a phase on the side that
the label says.
"""

from collections.abc import Mapping

import numpy as np

from flex.graph import Phase
from flex.problems import InputError, Problem
from flex.sample import Annotation
from sim.recording import Recording
from sim.signal_settings import load_signals
from sim.study import Floats, Study
from sim.subjects import Subject

_OUT, _IN = -1, 1
_STEP_S = 0.25  # of the breathing rate over a set


def directions(study: Study, record: Annotation) -> Mapping[Phase, int]:
    """Return which way the air goes in each phase with a rule: 1 in, −1 out."""
    ways: dict[Phase, int] = {"concentric": _OUT, "eccentric": _IN}
    wrong = load_signals().breathing.reversing_errors
    turned = {
        study.graph.key_steps[error.key_step].phase
        for error in record.errors
        if error.error_type in wrong
    }
    return {phase: -way if phase in turned else way for phase, way in ways.items()}


def chest_volume(study: Study, record: Annotation, times_s: Floats) -> Floats:
    """Return how full the chest is: (T,) about 0 (empty) to 1 (full).

    Args:
        study: the study.
        record: a simulated record with phases.
        times_s: (T,) seconds from the start of the clip.

    Raises:
        InputError: a record without phases.
    """
    if not record.phases:
        raise InputError([Problem(record.clip, "phases are needed to say when it breathes")])
    settings = load_signals().breathing
    draws = study.draws("breath", record.subject or "", record.action, record.repetition or 0)
    levels = _levels(study, record, draws)
    volume = np.full(np.shape(times_s), levels[0])
    for number, span in enumerate(record.phases):
        length_s = max(span.end_s - span.start_s, 1e-6)
        hold = draws.uniform(0, settings.hold_share)
        early = np.exp(draws.normal(scale=settings.shape_sd))
        share = ((times_s - span.start_s) / length_s - hold) / (1 - hold)
        way = (1 - np.cos(np.pi * np.clip(share, 0, 1) ** early)) / 2
        volume = volume + (levels[number + 1] - levels[number]) * way
    rates_hz = draws.uniform(*settings.ripple_hz, size=2)
    turns = draws.uniform(0, 2 * np.pi, size=2)
    ripple = np.sin(2 * np.pi * np.multiply.outer(times_s, rates_hz) + turns).mean(axis=-1)
    return np.asarray(np.clip(volume + settings.ripple * ripple, 0, 1))


def breathing_rate(
    study: Study, subject: Subject, action: str, recording: Recording, times_s: Floats
) -> Floats:
    """Return breaths a minute: (T,), as a belt shows them, which averages over some seconds.

    Each repetition is one breath; rests hold more of them, shorter ones as the set goes on.

    Args:
        study: the study.
        subject: who lifts.
        action: what is lifted.
        recording: the time line of the set.
        times_s: (T,) seconds from the start of the recording.
    """
    settings = load_signals().breathing
    rested = study.draws("breathing", subject.id).normal(
        settings.resting_per_min, settings.resting_sd
    )
    own = study.draws("breathing", subject.id, action).normal(scale=settings.action_sd)
    count = len(recording.starts_s)
    breath_s = settings.breath_in_rest_s * (1 - settings.faster * np.linspace(0, 1, count))
    pause_s = np.append(recording.rests_s[1:], recording.rests_s[-1])
    cycle_s = recording.durations_s + pause_s
    wanted = np.exp(own) * 60 * (1 + pause_s / breath_s) / cycle_s
    grid_s = np.arange(0, float(recording.ends_s[-1]) + _STEP_S, _STEP_S)
    number = np.searchsorted(recording.starts_s, grid_s, side="right")
    target = np.concatenate([[rested], wanted])[number]
    kept = np.exp(-_STEP_S / settings.lag_s)
    rate = lagged(target, kept, float(rested))
    return np.interp(times_s, grid_s, rate)


def lagged(target: Floats, kept: float, start: float) -> Floats:
    """Return a first-order lag behind a target (N,); `kept` of the distance is left each step."""
    from scipy.signal import lfilter

    course, _ = lfilter([1 - kept], [1, -kept], target, zi=[kept * start])
    return np.asarray(course)


def _levels(study: Study, record: Annotation, draws: np.random.Generator) -> Floats:
    """Return the volume at the start of the clip and at the end of each phase: (P + 1,)."""
    settings = load_signals().breathing
    ways = directions(study, record)
    asked = [ways.get(span.phase, 0) for span in record.phases]
    # A phase ends where the next has to begin.
    levels = [_start_level(way, before) for way, before in zip(asked, [0, *asked], strict=False)]
    levels.append(_end_level(asked[-1]))
    drawn = np.array(levels) + draws.normal(scale=settings.level_sd, size=len(levels))
    return np.clip(drawn, 0.02, 0.98)


def _end_level(way: int) -> float:
    settings = load_signals().breathing
    return {_IN: settings.full, _OUT: settings.empty}.get(way, settings.middle)


def _start_level(way: int, before: int) -> float:
    """Return where a phase begins that breathes `way`, after one that breathed `before`."""
    settings = load_signals().breathing
    if way in (0, before):
        return settings.middle  # two phases of one direction share one breath
    return settings.empty if way == _IN else settings.full
