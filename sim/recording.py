"""The time line of one set: ten repetitions in one recording, with a lead-in and rests between.

    recording = recording_of(study, subject, "A16")
    recording.starts_s[2]                     # when the third repetition begins
    fatigue(study, subject, "A16", repetition=3, share=0.5)

Clips are cut out of such a recording. Heart and breath know what came before a clip; the muscles
tire from one repetition to the next.
"""

from dataclasses import dataclass

import numpy as np

from sim.signal_settings import load_signals
from sim.study import Floats, Study
from sim.subjects import Subject, recruit
from sim.timing import draw_frames


@dataclass(frozen=True)
class Recording:
    """When each of R repetitions begins, from the start of the recording, and how long it takes.

    Attributes:
        starts_s: (R,) seconds.
        durations_s: (R,) seconds.
    """

    starts_s: Floats
    durations_s: Floats

    @property
    def ends_s(self) -> Floats:
        """(R,) when each repetition ends, seconds."""
        return self.starts_s + self.durations_s

    @property
    def rests_s(self) -> Floats:
        """(R,) the pause before each repetition, seconds; the lead-in comes first."""
        before = np.concatenate([[0.0], self.ends_s[:-1]])
        return np.asarray(self.starts_s - before)


def lay_out(study: Study, subject: Subject, action: str, durations_s: Floats) -> Recording:
    """Return the time line of a set whose repetitions take (R,) seconds; rests grow with it."""
    settings, count = load_signals().recording, len(durations_s)
    luck = study.draws("rests", subject.id, action).normal(scale=settings.rest_sd, size=count)
    growth = 1 + settings.rest_growth * np.linspace(0, 1, count)
    rests_s = settings.rest_s * growth * np.exp(luck)
    rests_s[0] = settings.lead_in_s * np.exp(luck[0])
    starts_s = np.cumsum(rests_s) + np.concatenate([[0.0], np.cumsum(durations_s)[:-1]])
    return Recording(starts_s, np.asarray(durations_s, dtype=float))


def recording_of(study: Study, subject: Subject, action: str) -> Recording:
    """Return the time line of a subject's set, with the durations that the labels have."""
    _, _, cohort = subject.id.partition(".")
    people = recruit(study, int(cohort or 1))
    place = [person.id for person in people].index(subject.id)
    frames = draw_frames(study, people, action)[place]
    return lay_out(study, subject, action, frames / study.settings.recording.frame_rate_hz)


def fatigue(
    study: Study, subject: Subject, action: str, repetition: int, share: Floats | float
) -> Floats:
    """Return how tired the muscles are: 0 fresh, about 1 at the end of the set.

    Args:
        study: the study.
        subject: who lifts; some tire sooner.
        action: what is lifted.
        repetition: 1 for the first.
        share: how much of the repetition is done, 0 to 1, of any shape.
    """
    settings = load_signals().fatigue
    own = study.draws("fatigue", subject.id, action).normal(scale=settings.person_sd)
    done = (repetition - 1 + np.asarray(share)) / study.settings.trials.repetitions
    return np.asarray(np.exp(own) * done**settings.exponent)
