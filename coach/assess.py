"""What the coach's answers come to, held against the graph: what the panel and the report show.

    assess(graph, {"recognise": "It is a squat.", "evaluate": "Your knees fall in."}, duration_s=3)

Texts may still be missing, or end in the middle while they stream. Errors are read as in
evaluation (`eval.reading`), so that the panel and the measured numbers mean the same.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from coach.confidence import Confidence, Doubt, Rated, Unrated, confidence_of, doubt_of
from coach.timing import Moment, moment_of
from coach.visibility import Hidden, View, not_visible
from eval.answers import STAGES, Answer, Stage, Truth
from eval.reading import Reading, read_evaluation
from eval.recognise import recognised_action
from eval.score_parse import ParsedScore, parse_score
from eval.verdict import Verdict
from flex.graph import Graph, Occurrence, Phase
from flex.sample import PhaseSpan
from flex.scoring import penalty, score

Severity = Literal["light", "medium", "heavy"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FoundError(_Record):
    """An error that the answers name, at one key step.

    Attributes:
        weight: penalty in Eq. 1, 2–10.
        moment: when the phase, or what the model says of it, lies in the clip; `None` for a clip
            of unknown length.
        needs: what would show this error, if this view cannot; else empty.
    """

    error_type: str
    key_step: str
    name: str
    description: str
    weight: int
    phase: Phase
    step_name: str
    correction: str
    moment: Moment | None
    needs: str = ""

    @property
    def severity(self) -> Severity:
        """The class of the weight: light 2–5, medium 6–7, heavy 8–10."""
        return "light" if self.weight <= 5 else "medium" if self.weight <= 7 else "heavy"


class StandardStep(_Record):
    """One key step of the exercise and how it is done right."""

    phase: Phase
    name: str
    standard: str


class Assessment(_Record):
    """All that is known of one lift so far; where there is doubt, no more than the exercise.

    Attributes:
        stages: the stages with a text.
        action: id of the exercise that all the rest is about; `None` while nobody named one.
        action_name: its name, empty without one.
        named: id of the exercise that the model named, also where the user says otherwise.
        named_name: its name, empty without one.
        chosen: whether `action` is the user's choice.
        confidence: of the model in the exercise, where its answers could be rated.
        unrated: why they could not.
        doubt: why nothing is judged, whatever the answers say; empty unless so.
        verdict: of the evaluation; `None` without one, or without an exercise to read it by.
        errors: in phase order.
        advised: names of error types that it gives advice on without naming an error.
        score: Eq. 1 by the graph from `errors`; `None` where the evaluation does not say enough.
        lost: the summed weights of `errors`.
        total: the denominator of Eq. 1.
        stated: the model's own score; `None` where it states none that can be read.
        stated_kind: how the score answer was read, such as "stated" or "range".
        standard: the key steps of the exercise.
        hidden: what cannot be judged from this view.
        view: from where the clip was filmed, if known.
    """

    stages: tuple[Stage, ...]
    action: str | None = None
    action_name: str = ""
    named: str | None = None
    named_name: str = ""
    chosen: bool = False
    confidence: Confidence | None = None
    unrated: Unrated = ""
    doubt: Doubt = ""
    verdict: Verdict | None = None
    errors: tuple[FoundError, ...] = ()
    advised: tuple[str, ...] = ()
    score: float | None = None
    lost: int = 0
    total: int | None = None
    stated: float | None = None
    stated_kind: str | None = None
    standard: tuple[StandardStep, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    view: View | None = None


def assess(
    graph: Graph,
    texts: Mapping[Stage, str],
    *,
    user_action: str | None = None,
    rated: Rated | None = None,
    unrated: Unrated = "",
    duration_s: float | None = None,
    spans: Sequence[PhaseSpan] = (),
    view: View | None = None,
) -> Assessment:
    """Return what the answers come to.

    Args:
        graph: the knowledge graph.
        texts: stage → answer; stages may be missing, answers may be unfinished.
        user_action: id or name of the exercise, where the user knows better than the model.
        rated: how likely the model held each exercise, where that is known.
        unrated: why it is not.
        duration_s: length of the clip.
        spans: where its phases lie, if that is known.
        view: from where it was filmed, if that is known.

    Raises:
        InputError: the graph has no exercise `user_action`.
    """
    given = {stage: texts[stage] for stage in STAGES if texts.get(stage, "").strip()}
    named = _named(graph, given)
    confidence = confidence_of(graph, named, rated) if rated else None
    doubt = doubt_of(confidence, unrated)
    if not doubt and "recognise" in given and named is None and user_action is None:
        doubt = "unnamed"
    parsed = parse_score(given["score"]) if "score" in given and not doubt else None
    so_far = Assessment(
        stages=tuple(given),
        named=named,
        named_name=graph.actions[named].name if named else "",
        confidence=confidence,
        unrated=unrated,
        doubt=doubt,
        chosen=user_action is not None,
        view=view,
        **_stated(parsed),
    )
    action = graph.action(user_action).id if user_action is not None else named
    if action is None:
        return so_far
    so_far = so_far.model_copy(update={"action": action, "action_name": graph.actions[action].name})
    if doubt:
        return so_far
    hidden = not_visible(graph, action, view)
    found = so_far.model_copy(
        update={
            "standard": _standard(graph, action),
            "hidden": hidden,
            "total": graph.total(action),
        }
    )
    if "evaluate" not in given:
        return found
    reading = read_errors(graph, action, given["evaluate"])
    errors = [
        _found(graph, action, one, reading, hidden, duration_s, spans)
        for one in reading.occurrences
    ]
    return found.model_copy(
        update={
            "verdict": reading.verdict,
            "errors": tuple(errors),
            "advised": _advised(graph, reading),
            "score": _score(graph, action, reading),
            "lost": penalty(graph, reading.occurrences),
        }
    )


def _named(graph: Graph, given: Mapping[Stage, str]) -> str | None:
    """Return the exercise of the first answer, in the order of stages, that names just one."""
    found = (recognised_action(graph, given[stage]) for stage in STAGES if stage in given)
    return next((action for action in found if action), None)


def _stated(parsed: ParsedScore | None) -> dict[str, float | str | None]:
    return {"stated": parsed.value, "stated_kind": parsed.kind} if parsed else {}


def read_errors(graph: Graph, action: str, text: str) -> Reading:
    """Return what a text says of a lift, read as an evaluation of one exercise."""
    answer = Answer(
        clip="upload", action=action, mode="coach", stage="evaluate", answer=text, truth=Truth()
    )
    return read_evaluation(graph, answer)


def _score(graph: Graph, action: str, reading: Reading) -> float | None:
    """Return the score, unless the answer leaves open what was wrong: that is not a perfect 100."""
    if not reading.occurrences and reading.verdict != "correct":
        return None
    return score(graph, action, reading.occurrences)


def _found(
    graph: Graph,
    action: str,
    one: Occurrence,
    reading: Reading,
    hidden: Sequence[Hidden],
    duration_s: float | None,
    spans: Sequence[PhaseSpan],
) -> FoundError:
    error, step = graph.error_types[one.error_type], graph.key_steps[one.key_step]
    said = reading.times.get(one.error_type)
    return FoundError(
        error_type=one.error_type,
        key_step=one.key_step,
        name=error.name,
        description=error.description,
        weight=error.weight,
        phase=step.phase,
        step_name=step.name,
        correction=graph.corrections(one)[0],
        moment=moment_of(graph, action, step.phase, duration_s, spans=spans, said=said),
        needs=next((h.needs for h in hidden if h.error_type == one.error_type), ""),
    )


def _advised(graph: Graph, reading: Reading) -> tuple[str, ...]:
    only = sorted(reading.advised - set(reading.found))
    return tuple(graph.error_types[error_type].name for error_type in only)


def _standard(graph: Graph, action: str) -> tuple[StandardStep, ...]:
    steps = [graph.key_steps[step] for step in graph.actions[action].key_steps]
    return tuple(StandardStep(phase=s.phase, name=s.name, standard=s.standard) for s in steps)
