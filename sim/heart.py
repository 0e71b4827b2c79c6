"""Heart rate during a set: it follows effort with a lag, and no two beats are equally far apart.

    heart_rate(study, subject, "A16", recording, times_s)     # (T,) beats per minute

The target is the resting rate plus a share of the reserve that depends on the action; the rate
rises towards it while the person lifts and stands ready, and falls a little in the rests. What is
given is what a chest strap gives: the rate of the last whole beat.
"""

import numpy as np

from sim.breathing import lagged
from sim.recording import Recording
from sim.signal_settings import load_signals
from sim.study import Floats, Study
from sim.subjects import Subject

_STEP_S = 0.04


def heart_rate(
    study: Study, subject: Subject, action: str, recording: Recording, times_s: Floats
) -> Floats:
    """Return the heart rate of a set: (T,) beats per minute.

    Args:
        study: the study.
        subject: who lifts; trained people have a lower resting rate.
        action: what is lifted.
        recording: the time line of the set.
        times_s: (T,) seconds from the start of the recording.
    """
    settings = load_signals().heart
    own = study.draws("heart", subject.id)
    rest = own.normal(settings.resting_bpm[subject.skill], settings.resting_sd)
    reserve = settings.maximal_bpm - rest
    luck = study.draws("heart", subject.id, action)
    effort = settings.effort_of(action) * np.exp(luck.normal(scale=settings.effort_sd))
    start = rest + settings.ready_bpm
    grid_s = np.arange(0, float(recording.ends_s[-1]) + _STEP_S, _STEP_S)
    number = np.searchsorted(recording.starts_s, grid_s, side="right")
    lifting = grid_s < np.concatenate([[0.0], recording.ends_s])[number]
    share = np.where(lifting, 1.0, settings.in_rests) * effort
    target = np.where(number > 0, np.maximum(rest + share * reserve, start), start)
    rate = lagged(target, float(np.exp(-_STEP_S / settings.rise_s)), start)
    now = np.clip(np.rint(times_s / _STEP_S).astype(int), 0, len(grid_s) - 1)
    return np.asarray(_beats(rate, rest, luck)[now])


def _beats(rate: Floats, rest: float, luck: np.random.Generator) -> Floats:
    """Return the rate (N,) as it is told at each beat, with what differs from beat to beat."""
    settings = load_signals().heart
    beat = np.floor(np.cumsum(rate / 60 * _STEP_S)).astype(int)
    first = np.searchsorted(beat, np.arange(beat[-1] + 1))
    calm = np.clip((settings.maximal_bpm - rate[first]) / (settings.maximal_bpm - rest), 0.15, 1)
    uneven = settings.variability_bpm * calm * luck.normal(size=len(first))
    return np.asarray((rate[first] + uneven)[beat])
