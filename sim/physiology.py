"""Heart and breath of one clip, 25 times a second, as the rows of its physiology.csv.

    physiology(study, subject, record)           # (T, 4), columns as `flex.physiology.COLUMNS`
    physiology_table(study, subject, record)     # the same as CSV text with a header

A clip is cut out of the recording of its set, so neighbouring repetitions fit together.
"""

import numpy as np

from flex.physiology import COLUMNS
from flex.problems import InputError, Problem
from flex.sample import Annotation
from sim.breathing import breathing_rate, chest_volume
from sim.heart import heart_rate
from sim.recording import Recording, recording_of
from sim.study import Floats, Study
from sim.subjects import Subject

RATE_HZ = 25.0
_ROW = "%.2f,%.1f,%.1f,%.3f\n"


def physiology(
    study: Study, subject: Subject, record: Annotation, recording: Recording | None = None
) -> Floats:
    """Return time, heart rate, breathing rate and chest volume of a clip: (T, 4).

    Args:
        study: the study.
        subject: who lifts; must be the record's subject.
        record: a simulated record with duration, phases and repetition.
        recording: the time line of the set; worked out from the study if it is left out.

    Returns:
        seconds from the start of the clip, beats per minute, breaths per minute, 0 to 1.

    Raises:
        InputError: a record without duration or repetition.
    """
    if record.duration_s is None or record.repetition is None:
        raise InputError([Problem(record.clip, "duration_s and repetition are needed")])
    recording = recording or recording_of(study, subject, record.action)
    times_s = np.arange(0, record.duration_s, 1 / RATE_HZ)
    in_set_s = recording.starts_s[record.repetition - 1] + times_s
    columns = (
        times_s,
        heart_rate(study, subject, record.action, recording, in_set_s),
        breathing_rate(study, subject, record.action, recording, in_set_s),
        chest_volume(study, record, times_s),
    )
    return np.stack(columns, axis=-1)


def physiology_table(
    study: Study, subject: Subject, record: Annotation, recording: Recording | None = None
) -> str:
    """Return `physiology` as the text of a CSV file with a header."""
    rows = physiology(study, subject, record, recording)
    return ",".join(COLUMNS) + "\n" + _ROW * len(rows) % tuple(rows.ravel().tolist())
