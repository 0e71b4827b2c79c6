"""The assessment: what answers come to, whole or still streaming, and by whose exercise."""

import math
from collections.abc import Iterator

import pytest
from coach_clips import GRAPH

from coach.assess import Assessment, assess
from coach.confidence import Rated
from coach.timing import moment_of
from flex.graph import Occurrence
from flex.problems import InputError
from flex.sample import PhaseSpan
from flex.scoring import score
from qa_gen.dialogue import Stage

SQUAT = "This is a squat with a barbell."
CAVED = "Your knees caved in as you came up. Push your knees out over your toes."
RATED = Rated({"A15": math.log(0.2), "A16": math.log(0.8)})
TEXTS: dict[Stage, str] = {
    "recognise": SQUAT,
    "standard": "Keep your back straight.",
    "evaluate": CAVED,
    "score": "I give it 81.5 out of 100.",
}


def test_nothing_said_yet() -> None:
    assert assess(GRAPH, {}) == Assessment(stages=())
    assert assess(GRAPH, {"recognise": "  "}).stages == ()


def test_all_four_stages() -> None:
    found = assess(GRAPH, TEXTS, duration_s=4.0, rated=RATED, view="front")
    assert (found.action, found.action_name, found.named) == ("A16", "Squat", "A16")
    assert found.confidence is not None
    assert found.confidence.named == pytest.approx(0.8)
    assert (found.chosen, found.verdict) == (False, "faulty")
    assert {error.error_type for error in found.errors} == {"ET056"}
    error = found.errors[0]
    occurrence = Occurrence(error.key_step, error.error_type)
    assert (error.weight, error.severity) == (10, "heavy")
    assert error.correction == GRAPH.corrections(occurrence)[0]
    assert error.phase == GRAPH.key_steps[error.key_step].phase
    assert error.moment is not None
    assert error.moment.source == "estimated"
    occurrences = [Occurrence(e.key_step, e.error_type) for e in found.errors]
    assert found.score == score(GRAPH, "A16", occurrences)
    assert found.lost == sum(e.weight for e in found.errors)
    assert found.total == GRAPH.total("A16")
    assert (found.stated, found.stated_kind) == (81.5, "stated")
    assert [step.name for step in found.standard] == [
        GRAPH.key_steps[step].name for step in GRAPH.actions["A16"].key_steps
    ]


def prefixes(text: str) -> Iterator[str]:
    yield from (text[:end] for end in range(len(text) + 1))


@pytest.mark.parametrize("stage", ["recognise", "evaluate", "score"])
def test_a_text_may_stop_anywhere_while_it_streams(stage: Stage) -> None:
    last = None
    for text in prefixes(TEXTS[stage]):
        last = assess(GRAPH, {**TEXTS, stage: text}, duration_s=2.0)
    assert last == assess(GRAPH, TEXTS, duration_s=2.0)


def test_the_user_knows_better() -> None:
    found = assess(GRAPH, TEXTS, user_action="Deadlift")
    assert (found.action, found.named, found.named_name) == ("A15", "A16", "Squat")
    assert found.chosen
    assert found.total == GRAPH.total("A15")
    assert "ET056" not in {error.error_type for error in found.errors}
    with pytest.raises(InputError, match="did you mean"):
        assess(GRAPH, TEXTS, user_action="Dedlift")


def test_without_an_exercise_nothing_is_judged() -> None:
    found = assess(GRAPH, {"recognise": "A person waves.", "evaluate": CAVED}, rated=RATED)
    assert (found.action, found.verdict, found.score, found.errors) == (None, None, None, ())
    assert found.confidence is not None
    assert found.confidence.named is None


def test_a_later_answer_may_name_the_exercise() -> None:
    assert assess(GRAPH, {"evaluate": f"In this squat, {CAVED.lower()}"}).action == "A16"


@pytest.mark.parametrize(
    ("text", "verdict", "expected"),
    [
        ("Everything looks right; there were no errors.", "correct", 100.0),
        ("I cannot judge this video.", "refused", None),
        ("There was a mistake, but I cannot name it.", "faulty", None),
        ("It was a Tuesday.", "unclear", None),
    ],
)
def test_no_score_where_the_answer_leaves_it_open(
    text: str, verdict: str, expected: float | None
) -> None:
    found = assess(GRAPH, {"recognise": SQUAT, "evaluate": text})
    assert (found.verdict, found.score) == (verdict, expected)


def test_a_score_that_cannot_be_read_is_no_score() -> None:
    found = assess(GRAPH, {"recognise": SQUAT, "score": "Between 60 and 70 points."})
    assert (found.stated, found.stated_kind) == (None, "range")


def test_times_are_said_known_or_estimated() -> None:
    spans = [PhaseSpan(phase="concentric", start_s=1.5, end_s=2.5)]
    said = assess(
        GRAPH, {**TEXTS, "evaluate": "Your knees caved in from 0.5 s to 9 s."}, duration_s=4
    )
    assert said.errors[0].moment is not None
    assert said.errors[0].moment.model_dump() == {"start_s": 0.5, "end_s": 4.0, "source": "said"}
    known = moment_of(GRAPH, "A16", "concentric", 4.0, spans=spans)
    assert known is not None
    assert (known.start_s, known.end_s, known.source) == (1.5, 2.5, "known")
    assert moment_of(GRAPH, "A16", "concentric", None) is None
    after_the_end = moment_of(GRAPH, "A16", "concentric", 4.0, said=(7.0, 8.0))
    assert after_the_end is not None
    assert after_the_end.source == "estimated"


def test_estimated_phases_fill_the_clip_in_order() -> None:
    for action in GRAPH.actions.values():
        moments = [moment_of(GRAPH, action.id, phase, 6.0) for phase in action.phases]
        ends = [0.0, *(m.end_s for m in moments if m)]
        assert [m.start_s for m in moments if m] == pytest.approx(ends[:-1])
        assert ends[-1] == pytest.approx(6.0)


def test_what_the_view_hides_is_said_at_the_error() -> None:
    assert assess(GRAPH, TEXTS, view="side").errors[0].needs == "a view from the front"
    assert assess(GRAPH, TEXTS, view="front").errors[0].needs == ""
    assert "ET014" in {hidden.error_type for hidden in assess(GRAPH, TEXTS).hidden}
