"""Labels of repetitions, and what is known of each clip when it is cut.

    labels = Labels.read(raw / "annotations.jsonl", graph)
    labels.of(recording)               # its labelled repetitions, in order

RAW/annotations.jsonl holds records as of the data folder (docs/data-format.md). A record belongs to
the recording of its subject and action, and to its repetition there. Phases, duration, views and
sEMG are filled in from what was cut. A clip without a label gets no record, since a record without
errors would say that the lift was faultless.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flex.annotation_checks import record_problems
from flex.annotations import load_annotations
from flex.dataset import FRAMES_PER_CLIP
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.sample import Annotation, PhaseSpan, Semg
from prepare.cut import ClipItem, CutSettings
from prepare.recording import Recording

_DECIMALS = 4
_SAME_RATE = 0.01
_STEADY = 1.25  # the longest time between frames over the usual one


@dataclass(frozen=True)
class Labels:
    """Records by subject and action, in the order of their repetitions."""

    path: Path
    by_set: Mapping[tuple[str | None, str], Sequence[Annotation]]

    @classmethod
    def read(cls, path: Path, graph: Graph) -> "Labels":
        """Return the labels of a file; none if it is not there.

        Raises:
            InputError: everything that is wrong with it, a record without subject or repetition
                among that.
        """
        records = load_annotations(path, graph) if path.exists() else []
        problems = [
            Problem(str(path), f"{record.clip} needs subject and repetition to find its clip")
            for record in records
            if record.subject is None or record.repetition is None
        ]
        if problems:
            raise InputError(problems)
        found: dict[tuple[str | None, str], list[Annotation]] = {}
        for record in sorted(records, key=lambda record: record.repetition or 0):
            found.setdefault((record.subject, record.action), []).append(record)
        return cls(path, found)

    def of(self, recording: Recording) -> Sequence[Annotation]:
        """Return the labelled repetitions of a recording, in order; none if there are none."""
        return self.by_set.get((recording.card.subject, recording.card.action), ())


class KnownClip(BaseModel):
    """A line of clips.jsonl: all but errors and score."""

    clip: str
    recording: str
    action: str
    subject: str | None
    repetition: int
    start_s: float
    phases: tuple[PhaseSpan, ...]
    duration_s: float
    views: dict[str, str]
    frame_rate_hz: float | None
    semg: Semg | None
    labelled: bool


def records_of(
    items: Sequence[ClipItem],
    made: Mapping[str, Any],
    surveys: Mapping[str, Any],
    labels: Labels,
    settings: CutSettings,
    graph: Graph,
) -> Iterator[tuple[KnownClip, Annotation | None]]:
    """Yield what is known of each clip that was made, and its record if it is labelled.

    Raises:
        InputError: a label that does not fit its clip, such as an error after its end.
    """
    problems: list[Problem] = []
    for item in items:
        if item.clip not in made:
            continue
        clip, record = _known(item, surveys[item.recording.name], labels, settings, graph)
        if record is not None:
            found = record_problems(record, graph)
            problems += [Problem(str(labels.path), f"{record.clip}: {text}") for text in found]
        yield clip, record
    if problems:
        raise InputError(problems)


def _known(
    item: ClipItem, survey: Any, labels: Labels, settings: CutSettings, graph: Graph
) -> tuple[KnownClip, Annotation | None]:
    card, start_s = item.recording.card, item.times_s[0]
    times = [round(time_s - start_s, _DECIMALS) for time_s in item.times_s]
    spans = zip(graph.action(card.action).phases, times, times[1:], strict=False)
    phases = tuple(PhaseSpan(phase=phase, start_s=a, end_s=b) for phase, a, b in spans)
    ending = "" if settings.form == "jpeg" else ".mp4"
    label = next((r for r in labels.of(item.recording) if r.repetition == item.repetition), None)
    known = KnownClip(
        clip=item.clip,
        recording=item.recording.name,
        action=card.action,
        subject=card.subject,
        repetition=item.repetition,
        start_s=round(start_s, _DECIMALS),
        phases=phases,
        duration_s=times[-1],
        views={view: f"{item.clip}/{view}{ending}" for view, _ in item.offsets_s},
        frame_rate_hz=_common_rate(survey, settings, times[-1]),
        semg=card.semg.semg if card.semg else None,
        labelled=label is not None,
    )
    if label is None:
        return known, None
    same = known.model_dump(include={"clip", "duration_s", "views", "frame_rate_hz"})
    filled = {"phases": phases, "semg": known.semg, "source": card.source, **same}
    for name in ("skill", "load_kg"):
        if getattr(label, name) is None:
            filled[name] = getattr(card, name)
    return known, label.model_copy(update=filled)


def _common_rate(survey: Any, settings: CutSettings, duration_s: float) -> float | None:
    """Return the rate of all views, or `None` if they differ, or one varies."""
    if settings.form == "jpeg":
        return round(FRAMES_PER_CLIP / duration_s, _DECIMALS)
    views = survey["views"].values()
    rates = {min(view["fps"], settings.fps or view["fps"]) for view in views}
    steady = all(view["longest_gap_s"] * view["fps"] < _STEADY for view in views)
    if not rates or not steady or max(rates) - min(rates) > _SAME_RATE * max(rates):
        return None
    if settings.fps:
        frames = [view["fps"] / settings.fps for view in views]
        if any(count > 1 and abs(count - round(count)) > _SAME_RATE for count in frames):
            return None  # a tick that is no whole number of frames leaves an uneven rate
    return float(max(rates))
