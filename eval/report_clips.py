"""The clips that a report shows: the worst and the best, with the frames that the model saw."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.answers import STAGES, Answer
from eval.coach_metrics import Judged
from eval.report_measure import Measures
from flex.pictures import jpeg
from flex.problems import InputError, Problem
from flex.video import Frames, Sampler, sample
from vlm.dialogues import DEFAULT_VIEW, DialogueRecord, view_path

# Of mjpeg's 2 (best) to 31.
_JPEG_QUALITY = 4


@dataclass(frozen=True)
class ShownFrame:
    """A frame as a data URI, and when it was taken."""

    source: str
    time_s: float


@dataclass(frozen=True)
class ShownClip:
    """A clip with its truth and what every mode said.

    Attributes:
        f1: of the main mode's error types; 1 if it rightly names none.
        score: what the errors named by the main mode give.
        turns: for each stage the question, the reference, and mode → answer.
        fault: why there are no frames.
    """

    judged: Judged
    f1: float
    score: float
    turns: list[tuple[str, str, str, dict[str, str]]]
    frames: list[ShownFrame]
    fault: str

    @property
    def answer(self) -> Answer:
        """The main mode's evaluation."""
        return self.judged.answer


def clip_f1(judged: Judged) -> float:
    """Return the F1 of one answer's error types; 1 if none is there and none is named."""
    hits = len(judged.wanted & judged.found)
    both = len(judged.wanted) + len(judged.found)
    return 2 * hits / both if both else 1.0


def ranked(measures: Measures) -> list[tuple[Judged, float]]:
    """Return the main mode's evaluations, the worst first: by F1, then by how wrong the score is.

    Clips without errors that are judged right come last.
    """

    def key(item: tuple[Judged, float]) -> tuple[float, float, str]:
        judged, value = item
        truth = judged.answer.truth.score
        wrong = 0.0 if truth is None else abs(truth - value)
        return clip_f1(judged), -wrong, judged.answer.clip

    return sorted(measures.judged, key=key)


def show_clips(
    items: Sequence[tuple[Judged, float]],
    measures: Measures,
    records: Mapping[str, DialogueRecord],
    data: Path,
    sampler: Sampler,
) -> list[ShownClip]:
    """Return clips ready for the page; where the film is missing, the page says so."""
    shown = []
    for judged, value in items:
        answer = judged.answer
        frames, fault = _frames(records.get(answer.clip), answer, data, sampler)
        turns = _turns(measures, answer)
        shown.append(ShownClip(judged, clip_f1(judged), value, turns, frames, fault))
    return shown


def _frames(
    record: DialogueRecord | None, answer: Answer, data: Path, sampler: Sampler
) -> tuple[list[ShownFrame], str]:
    # Phases are not known here: frames of that kind are shown as uniform ones.
    known = sampler.without_phases()
    try:
        if record is None:
            raise InputError([Problem(answer.clip, "is in none of the dialogues")])
        frames = sample(view_path(data, record, answer.view or DEFAULT_VIEW), known)
    except InputError as error:
        return [], str(error.problems[0])
    return list(_shown(frames)), ""


def _shown(frames: Frames) -> Iterable[ShownFrame]:
    for picture, time_s in zip(frames.pixels, frames.times_s, strict=True):
        code = base64.b64encode(jpeg(picture, _JPEG_QUALITY)).decode()
        yield ShownFrame(f"data:image/jpeg;base64,{code}", time_s)


def _turns(measures: Measures, answer: Answer) -> list[tuple[str, str, str, dict[str, str]]]:
    same = {
        (mode, one.stage): one
        for mode in measures.models
        for one in measures.answers[mode]
        if (one.clip, one.view) == (answer.clip, answer.view)
    }
    turns: list[tuple[str, str, str, dict[str, str]]] = []
    for stage in STAGES:
        given = {mode: same[mode, stage] for mode in measures.models if (mode, stage) in same}
        if given:
            first = next(iter(given.values()))
            said = {mode: one.answer for mode, one in given.items()}
            turns.append((stage, first.question, first.reference, said))
    return turns
