"""Whole sets as they are recorded, before anybody cuts them: repetitions with rests between.

    take = make_take(stage, records)           # records: the kept repetitions of one set
    motion = set_motion(stage, take, times_s)  # times on the clock of the set

Each repetition is that of the data set. In a rest a person goes from where the last repetition
ended to where the next one begins, and is settled when its preparation begins; some start to lift,
think better of it and go back. Before the first repetition they step into place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flex.sample import Annotation
from flex.skeleton import INDEX
from sim.breathing import chest_volume
from sim.lift import Stage, lift
from sim.motion import Motion
from sim.profiles import minimum_jerk
from sim.recording import Recording, recording_of
from sim.study import Floats
from sim.subjects import Subject

TAIL_S = 2.0  # recorded after the last repetition
_STEP_IN_S, _STEP_IN_M = 1.6, 0.25
_HESITATION = 0.15  # share of the rests in which somebody starts and stops
_HESITATION_REST_S = 1.2  # shorter rests have none
_HESITATION_SHARE = 0.3  # of the first moving phase; a sixth of its way
_LIMBS = tuple(
    (INDEX[f"{side}_{root}"], INDEX[f"{side}_{middle}"], INDEX[f"{side}_{end}"])
    for side in ("left", "right")
    for root, middle, end in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)


@dataclass(frozen=True)
class Take:
    """The recording of one set.

    Attributes:
        records: its repetitions in the order of time, with their labels.
        line: the time line of all ten repetitions of the set, those thrown away included.
    """

    subject: Subject
    records: tuple[Annotation, ...]
    line: Recording

    @property
    def name(self) -> str:
        """Such as N03-A16."""
        return f"{self.subject.id}-{self.records[0].action}"

    @property
    def duration_s(self) -> float:
        """How long the set is recorded."""
        return float(self.line.ends_s[-1]) + TAIL_S

    def start_s(self, record: Annotation) -> float:
        """Return when a repetition begins, seconds on the clock of the set."""
        return float(self.line.starts_s[(record.repetition or 1) - 1])

    def end_s(self, record: Annotation) -> float:
        """Return when a repetition ends, seconds on the clock of the set."""
        return self.start_s(record) + (record.duration_s or 0.0)


def make_take(stage: Stage, records: Sequence[Annotation]) -> Take:
    """Return the recording of a set from the records of one subject and action."""
    subject = stage.subject(records[0])
    ordered = sorted(records, key=lambda record: record.repetition or 0)
    return Take(subject, tuple(ordered), recording_of(stage.study, subject, records[0].action))


def set_motion(stage: Stage, take: Take, times_s: Floats) -> Motion:
    """Return the motion of a set.

    Args:
        stage: study and choreography.
        take: the set.
        times_s: (T,) rising, seconds on the clock of the set; before 0 the person stands still.
    """
    parts = [_before_first(stage, take, times_s)]
    for number, record in enumerate(take.records):
        start, end = take.start_s(record), take.end_s(record)
        here = times_s[(times_s >= start) & (times_s < end)]
        parts.append(lift(stage, take.subject, record, here - start))
        after = take.records[number + 1] if number + 1 < len(take.records) else None
        until = take.start_s(after) if after else np.inf
        rest = times_s[(times_s >= end) & (times_s < until)]
        parts.append(_rest(stage, take, record, after, rest))
    return replace(
        parts[1],
        times_s=times_s,
        joints=np.concatenate([part.joints for part in parts]),
        lumbar=np.concatenate([part.lumbar for part in parts]),
        handles=np.concatenate([part.handles for part in parts]),
        palms=np.concatenate([part.palms for part in parts]),
        thumbs=np.concatenate([part.thumbs for part in parts]),
    )


def set_chest(stage: Stage, take: Take, times_s: Floats) -> Floats:
    """Return how full the chest is over a set: (T,), 0 to 1; in rests from end to next start."""
    known_s, known = [], []
    for record in take.records:
        inside = np.arange(0, record.duration_s or 0.0, 0.04)
        known_s.append(inside + take.start_s(record))
        known.append(chest_volume(stage.study, record, inside))
    return np.interp(times_s, np.concatenate(known_s), np.concatenate(known))


def _before_first(stage: Stage, take: Take, times_s: Floats) -> Motion:
    """Return the lead-in: the person waits behind the place, then steps forward into it."""
    first = take.records[0]
    start = take.start_s(first)
    here = times_s[times_s < start] - start
    motion = lift(stage, take.subject, first, here)
    if motion.bench is not None:
        return motion
    way = minimum_jerk(1 + here / _STEP_IN_S)[:, None] - 1
    moved = np.concatenate([way * _STEP_IN_M, np.zeros((len(here), 2))], axis=1)
    return replace(motion, joints=motion.joints + moved[:, None], lumbar=motion.lumbar + moved)


def _rest(
    stage: Stage, take: Take, record: Annotation, after: Annotation | None, times_s: Floats
) -> Motion:
    """Return a rest: from the end of a repetition to the beginning of the next one."""
    stays = lift(stage, take.subject, record, times_s - take.start_s(record))
    if after is None or not len(times_s):
        return stays
    end, start = take.end_s(record), take.start_s(after)
    share = (times_s - end) / max(start - end, 1e-6)
    ready = lift(stage, take.subject, after, _hesitating(stage, after, times_s - start, share))
    way = minimum_jerk(share)
    return replace(
        stays,
        joints=_with_whole_limbs(_blend(stays.joints, ready.joints, way), stays.joints[0]),
        lumbar=_blend(stays.lumbar, ready.lumbar, way),
        handles=_unit(_blend(stays.handles, ready.handles, way)),
        palms=_unit(_blend(stays.palms, ready.palms, way)),
    )


def _hesitating(stage: Stage, record: Annotation, times_s: Floats, share: Floats) -> Floats:
    """Return times within a repetition (negative: before it) that somebody goes through in a rest.

    Args:
        stage: whose study draws who hesitates.
        record: the repetition to come.
        times_s: (T,) seconds from its start, negative.
        share: (T,) how much of the rest is over, 0 to 1.
    """
    draws = stage.study.draws("hesitation", record.subject or "", record.clip)
    rest_s = -float(times_s[0]) if len(times_s) else 0.0
    if draws.uniform() > _HESITATION or rest_s < _HESITATION_REST_S or len(record.phases) < 2:
        return times_s
    span = record.phases[1]
    reach = _HESITATION_SHARE * (span.end_s - span.start_s)
    gone = minimum_jerk(share / 0.4) - minimum_jerk((share - 0.45) / 0.4)
    return np.where(gone > 0, span.start_s + reach * gone, times_s)


def _blend(one: Floats, other: Floats, way: Floats) -> Floats:
    share = way.reshape(-1, *[1] * (one.ndim - 1))
    return np.asarray(one + (other - one) * share)


def _with_whole_limbs(joints: Floats, like: Floats) -> Floats:
    """Move elbows and knees out to where arms and legs are as long as in `like` (21, 3).

    Between two poses that differ much, a joint on the straight line would shorten its limbs.
    """
    for root, middle, end in _LIMBS:
        upper = np.linalg.norm(like[middle] - like[root])
        lower = np.linalg.norm(like[end] - like[middle])
        reach = joints[:, end] - joints[:, root]
        along, length = _unit(reach), np.linalg.norm(reach, axis=-1, keepdims=True)
        bent = np.minimum(length, 0.999 * (upper + lower))
        share = (upper**2 - lower**2 + bent**2) / (2 * bent)
        away = joints[:, middle] - joints[:, root]
        aside = _unit(away - (away * along).sum(axis=-1, keepdims=True) * along)
        height = np.sqrt(np.maximum(upper**2 - share**2, 0))
        joints[:, middle] = joints[:, root] + share * along + height * aside
    return joints


def _unit(axes: Floats) -> Floats:
    return np.asarray(axes / np.linalg.norm(axes, axis=-1, keepdims=True))
