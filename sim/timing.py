"""How long a clip is, and where its phases lie in it.

    frames = draw_frames(study, subjects, "A16")          # (subjects, repetitions) int, 100 to 1000
    shares = draw_phases(study, subjects, "A16", shown)   # (subjects, repetitions, phases), sum 1

Durations follow a log-normal cut at the shortest and the longest clip; its median is solved for,
so that the expected mean duration is met. People keep their tempo, slow down as they tire, and
hurry through the phase in which they are labelled as lowering too quickly.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from flex.graph import Phase
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan
from sim.settings import Duration
from sim.study import Bools, Floats, Study, solve
from sim.subjects import Subject

SECONDS_DECIMALS = 4
_GRID = (np.arange(16) + 0.5) / 16


def draw_frames(study: Study, subjects: Sequence[Subject], action: str) -> npt.NDArray[np.int64]:
    """Return the length of every repetition in frames: (S, R) int.

    Raises:
        InputError: the mean that is asked for cannot be met between the shortest and the longest.
    """
    duration, repetitions = study.settings.duration, study.settings.trials.repetitions
    slowing = duration.slowing * np.linspace(0, 1, repetitions)
    tempo, luck = [], []
    for subject in subjects:
        draws = study.draws("duration", subject.id, action)
        own = subject.tempo + draws.normal(scale=duration.action_tempo_sd)
        tempo.append(own + slowing)
        luck.append(draws.uniform(size=repetitions))
    logs = np.array(tempo)
    base = _log_median(study, logs, action)
    return np.rint(_cut_lognormal(duration, base + logs, np.array(luck))).astype(np.int64)


def draw_phases(study: Study, subjects: Sequence[Subject], action: str, shown: Bools) -> Floats:
    """Return each phase's share of its clip in the action's own order: (S, R, P), summing to 1.

    Args:
        study: the study.
        subjects: S subjects.
        action: id of the action.
        shown: (S, R, O) errors, some of which shorten their phase.
    """
    duration, phases = study.settings.duration, study.graph.action(action).phases
    usual = np.array([duration.phases[phase] for phase in phases])
    size = (study.settings.trials.repetitions, len(phases))
    luck = [
        study.draws("phases", subject.id, action).normal(scale=duration.phase_sd, size=size)
        for subject in subjects
    ]
    shortening = _shortening(study, action, phases)  # (O, P)
    lengths = usual * np.exp(np.stack(luck) + shown @ np.log(shortening))
    return np.asarray(lengths / lengths.sum(axis=-1, keepdims=True))


def phase_spans(
    frames: int, shares: Floats, phases: Sequence[Phase], frame_rate_hz: float
) -> tuple[PhaseSpan, ...]:
    """Cut a clip into its phases, at whole frames and without a gap."""
    inner = np.rint(np.cumsum(shares)[:-1] * frames).astype(int).tolist()
    times = [seconds(cut, frame_rate_hz) for cut in (0, *inner, frames)]
    return tuple(
        PhaseSpan(phase=phase, start_s=start, end_s=end)
        for phase, start, end in zip(phases, times, times[1:], strict=False)
    )


def seconds(frames: int, frame_rate_hz: float) -> float:
    """Return the duration of frames in seconds, rounded for the file."""
    return round(frames / frame_rate_hz, SECONDS_DECIMALS)


def _shortening(study: Study, action: str, phases: Sequence[Phase]) -> Floats:
    """Return what each error leaves of the length of each phase: (O, P)."""
    graph, errors = study.graph, study.settings.errors
    factors = np.ones((len(graph.occurrences(action)), len(phases)))
    for row, item in enumerate(graph.occurrences(action)):
        column = phases.index(graph.key_steps[item.key_step].phase)
        factors[row, column] = errors.kind_of(item.error_type).phase_length
    return factors


def _log_median(study: Study, logs: Floats, action: str) -> float:
    duration = study.settings.duration
    relative = [duration.relative.get(name, 1.0) for name in study.graph.actions]
    target = duration.mean_frames * duration.relative.get(action, 1.0) / float(np.mean(relative))

    def expected_mean(base: float) -> float:
        return float(_cut_lognormal(duration, base + logs[..., None], _GRID).mean())

    limits = np.log(duration.fewest_frames), np.log(duration.most_frames)
    try:
        return solve(expected_mean, target, float(limits[0]) - 1, float(limits[1]) + 1)
    except ValueError as error:
        message = f"the mean duration in frames cannot be met: {error}"
        raise InputError([Problem(action, message)]) from error


def _cut_lognormal(duration: Duration, log_median: Floats, share: Floats) -> Floats:
    """Return quantiles of a log-normal cut to the allowed durations, in frames."""
    sd = duration.repetition_sd
    low = ndtr((np.log(duration.fewest_frames) - log_median) / sd)
    high = ndtr((np.log(duration.most_frames) - log_median) / sd)
    frames = np.exp(log_median + sd * ndtri(low + share * (high - low)))
    # The inverse is inexact far out in the tails, where a slow person's base may lie.
    return np.asarray(np.clip(frames, duration.fewest_frames, duration.most_frames))
