"""The fact check passes what the labels say, and names whatever a text adds, drops or twists."""

from collections.abc import Callable, Sequence

import pytest

from flex.graph import Occurrence
from flex.graph_file import load_graph
from flex.sample import Annotation, ErrorLabel
from qa_gen.check import check_dialogue
from qa_gen.check_evaluation import check_evaluation
from qa_gen.dialogue import Finding, Sentence, Turn
from qa_gen.facts import Facts, facts_of
from qa_gen.sentences import sentences_of
from qa_gen.template_writer import TemplateWriter
from qa_gen.turns import dialogue_turns

GRAPH = load_graph()
SWAY = "AK04:ET005"
KNEE_DRIVE = "AK04:ET015"
GRIP = "AK02:ET006"
FAST = "AK05:ET018"

GOOD = [
    Sentence(
        text="As you took hold of the bar, your thumbs were not wrapped around it, an open grip.",
        role="error",
        errors=(GRIP,),
    ),
    Sentence(text="Wrap your thumbs fully around the bar.", role="correction", errors=(GRIP,)),
    Sentence(
        text="As you pressed the bar overhead, your trunk swayed forward and backward.",
        role="error",
        errors=(SWAY,),
    ),
    Sentence(text="Brace your core and keep your trunk still.", role="correction", errors=(SWAY,)),
]


def facts(*errors: str, action: str = "A01", labelled: Sequence[str] | None = None) -> Facts:
    parsed = map(Occurrence.parse, errors)
    labels = [ErrorLabel(key_step=o.key_step, error_type=o.error_type) for o in parsed]
    annotation = Annotation.model_validate(
        {"clip": "A01/001", "action": action, "errors": labels, "labelled": labelled}
    )
    return facts_of(GRAPH, annotation)


Strip = Callable[[Sequence[Sentence]], Sequence[Sentence]]


def codes(findings: Sequence[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def evaluate(sentences: Sequence[Sentence], *errors: str) -> set[str]:
    return codes(check_evaluation(GRAPH, facts(*errors), sentences))


def without_ids(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    return sentences_of(" ".join(sentence.text for sentence in sentences))


@pytest.mark.parametrize("strip", [list, without_ids], ids=["with ids", "plain text"])
class TestEvaluation:
    def test_the_labelled_errors_with_corrections_pass(self, strip: Strip) -> None:
        assert check_evaluation(GRAPH, facts(GRIP, SWAY), strip(GOOD)) == []

    def test_a_missing_error(self, strip: Strip) -> None:
        assert evaluate(strip(GOOD[:2]), GRIP, SWAY) == {"missing_error"}

    def test_an_extra_error(self, strip: Strip) -> None:
        assert "extra_error" in evaluate(strip(GOOD), GRIP)

    def test_the_wrong_order(self, strip: Strip) -> None:
        assert "out_of_order" in evaluate(strip([*GOOD[2:], *GOOD[:2]]), GRIP, SWAY)

    def test_a_missing_correction(self, strip: Strip) -> None:
        assert evaluate(strip(GOOD[:3]), GRIP, SWAY) == {"missing_correction"}

    def test_a_denied_error(self, strip: Strip) -> None:
        denial = Sentence(text="There was no trunk sway.", role="praise")
        assert "negated_error" in evaluate(strip([denial, *GOOD]), GRIP, SWAY)

    def test_faultless_praise_of_a_faulty_clip(self, strip: Strip) -> None:
        praise = Sentence(text="That was a flawless lift.", role="summary")
        assert "negated_error" in evaluate(strip([*GOOD, praise]), GRIP, SWAY)

    def test_a_number_from_nowhere(self, strip: Strip) -> None:
        invented = Sentence(text="Hold the lockout for 12 seconds.", role="summary")
        assert evaluate(strip([*GOOD, invented]), GRIP, SWAY) == {"wrong_number"}

    def test_a_body_part_from_nowhere(self, strip: Strip) -> None:
        action = "A05"
        extra = Sentence(text="Watch your heels during the curl.", role="summary")
        found = check_evaluation(GRAPH, facts(action=action), strip([extra]))
        assert codes(found) == {"wrong_body_part"}


def test_an_id_whose_error_the_words_do_not_name() -> None:
    vague = GOOD[2].model_copy(update={"text": "As you pressed the bar, something was off."})
    found = evaluate([*GOOD[:2], vague, GOOD[3]], GRIP, SWAY)
    assert {"id_without_words", "missing_error"} <= found


def test_one_type_at_two_key_steps_has_to_be_named_twice() -> None:
    errors = ("AK02:ET008", "AK04:ET008")
    once = [
        Sentence(text="Your elbows were bent too much or locked out hard.", role="error"),
        Sentence(text="Keep a soft bend in your elbows.", role="correction"),
    ]
    assert evaluate(once, *errors) == {"missing_error"}
    assert evaluate([*once, *once], *errors) == set()


class TestPartialLabels:
    labelled = (KNEE_DRIVE, "AK04:ET013")

    def found(self, text: str) -> set[str]:
        partial = facts(labelled=self.labelled)
        return codes(check_evaluation(GRAPH, partial, sentences_of(text)))

    def test_praise_inside_the_scope_passes(self) -> None:
        assert self.found("You pressed without a knee drive.") == set()

    def test_praise_outside_the_scope_is_found(self) -> None:
        assert self.found("There was no trunk sway.") == {"unlabelled_praise"}

    def test_sweeping_praise_is_found(self) -> None:
        assert self.found("Everything else was right.") == {"unlabelled_praise"}


def test_times_have_to_be_those_of_the_error() -> None:
    label = ErrorLabel(key_step="AK44", error_type="ET056", start_s=2.62, end_s=4.53)
    timed = facts_of(GRAPH, Annotation(clip="x", action="A16", errors=(label,)))
    advice = " Push your knees out over your toes."
    good = "From 2.62 s to 4.53 s your knees caved inward." + advice
    untimed = "Your knees caved inward." + advice
    wrong = "From 1.2 s to 4.53 s your knees caved inward." + advice
    assert check_evaluation(GRAPH, timed, sentences_of(good)) == []
    assert codes(check_evaluation(GRAPH, timed, sentences_of(untimed))) == {"missing_time"}
    found = codes(check_evaluation(GRAPH, timed, sentences_of(wrong)))
    assert found == {"missing_time", "wrong_number"}


def dialogue(known: Facts) -> dict[str, Turn]:
    sentences = TemplateWriter(GRAPH, seed=0).sentences(known, "train")
    turns = dialogue_turns(GRAPH, known, sentences, family="train", seed=0)
    return {turn.stage: turn for turn in turns}


@pytest.mark.parametrize(
    ("stage", "old", "new", "code"),
    [
        ("recognise", "Standing Barbell Overhead Press", "exercise", "no_action"),
        ("recognise", "Standing Barbell Overhead Press", "Deadlift", "wrong_action"),
        ("score", "92.55", "93.55", "wrong_score"),
        ("score", "161", "171", "wrong_number"),
        ("standard", "collarbones", "knees", None),
    ],
)
def test_an_edited_turn(stage: str, old: str, new: str, code: str | None) -> None:
    known = facts(GRIP, "AK01:ET001")
    turns = dialogue(known)
    assert check_dialogue(GRAPH, known, list(turns.values())) == []
    turn = turns[stage]
    assert old in turn.answer
    turns[stage] = turn.model_copy(update={"answer": turn.answer.replace(old, new)})
    found = codes(check_dialogue(GRAPH, known, list(turns.values())))
    assert code is None or code in found


def test_a_standard_without_a_key_step() -> None:
    known = facts(GRIP)
    turns = dialogue(known)
    short = turns["standard"].model_copy(update={"answer": "Press the bar overhead."})
    found = check_dialogue(GRAPH, known, list({**turns, "standard": short}.values()))
    assert codes(found) == {"missing_standard"}
    assert len(found) == 5


def test_sentences_that_are_not_the_answer() -> None:
    known = facts(GRIP)
    turns = dialogue(known)
    edited = turns["evaluate"].model_copy(update={"answer": "All good."})
    found = check_dialogue(GRAPH, known, list({**turns, "evaluate": edited}.values()))
    assert codes(found) == {"sentences"}


def test_a_partial_score_is_marked_so() -> None:
    known = facts(labelled=TestPartialLabels.labelled)
    turns = dialogue(known)
    assert check_dialogue(GRAPH, known, list(turns.values())) == []
    plain = turns["score"].model_copy(update={"answer": "100 out of 100."})
    found = check_dialogue(GRAPH, known, list({**turns, "score": plain}.values()))
    assert codes(found) == {"partial_unsaid"}
