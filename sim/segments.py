"""Where each clip lies in the recording of its set: `ROOT/recordings.jsonl`.

One line for a person and an action: ten repetitions with rests between, of which the data set holds
all or some. Heart rate and fatigue go on from clip to clip along this time line.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from flex.files import write_jsonl
from flex.sample import Annotation
from sim.lift import Stage
from sim.recording import recording_of

RECORDINGS_FILE = "recordings.jsonl"
_DECIMALS = 3


class Segment(BaseModel):
    """A clip within its recording; its phases count from `start_s`."""

    clip: str
    repetition: int
    start_s: float
    end_s: float


class SetRecording(BaseModel):
    """The recording of a set, and what was cut out of it."""

    action: str
    subject: str
    duration_s: float
    segments: tuple[Segment, ...]
    source: str


def write_segments(stage: Stage, root: Path, records: Iterable[Annotation]) -> None:
    """Write one line for each set that has a clip among the records."""
    sets: dict[tuple[str, str], list[Annotation]] = {}
    for record in records:
        sets.setdefault((record.action, record.subject or ""), []).append(record)
    write_jsonl(root / RECORDINGS_FILE, (_set(stage, clips) for clips in sets.values()))


def _set(stage: Stage, clips: list[Annotation]) -> SetRecording:
    first = clips[0]
    line = recording_of(stage.study, stage.subject(first), first.action)
    ends = line.ends_s.round(_DECIMALS).tolist()
    starts = line.starts_s.round(_DECIMALS).tolist()
    return SetRecording(
        action=first.action,
        subject=first.subject or "",
        duration_s=ends[-1],
        segments=tuple(
            Segment(clip=r.clip, repetition=n, start_s=starts[n - 1], end_s=ends[n - 1])
            for r in clips
            for n in (r.repetition or 1,)
        ),
        source=first.source,
    )
