"""Answers that repeat themselves are ended, and no others."""

import pytest
from coach_clips import GRAPH

from coach.repetition import LONGEST, Repetition
from flex.sample import Annotation
from qa_gen.facts import facts_of
from qa_gen.template_writer import TemplateWriter
from qa_gen.turns import dialogue_turns


def ended(text: str, size: int = 3) -> str | None:
    """Return what is left of an answer that comes in pieces; `None` if it is not cut."""
    watch = Repetition()
    for start in range(0, len(text), size):
        if (end := watch.add(text[start : start + size])) is not None:
            return text[:end]
    return None


@pytest.mark.parametrize("size", [1, 7, 5000])
@pytest.mark.parametrize(
    ("once", "again", "left"),
    [
        ("It is a squat. You lean back.", " You lean back.", None),
        ("You can see the Dead", " Dead", None),
        ("Press the end of the bar and", " press the end of the bar and", None),
        ("First, lift. Then lower.\nThen rest.", " First, lift. Then lower.\nThen rest.", None),
        ("很好。膝盖太靠前。", "膝盖太靠前。", None),
        ("膝盖向前弯", "膝盖向前弯", None),
        ("Haha", "ha", "Ha"),
        ("Hm", "m", "Hm"),
        ("Well.", " ", "Well."),
        ("A bar.", "\n", "A bar."),
        ("👍🏽", "👍🏽", None),
        ("The bar.", " THE BAR. the bar.", None),
    ],
)
def test_what_is_said_again_and_again_is_said_once(
    once: str, again: str, left: str | None, size: int
) -> None:
    found = ended(once + 400 * again, size)
    assert found is not None
    assert found == (left or once)


def test_the_numbers_of_a_list_do_not_make_its_lines_differ() -> None:
    lines = [f"{number}. Keep your back straight." for number in range(1, 20)]
    assert ended("\n".join(lines)) == lines[0]


def test_it_is_ended_after_the_third_time() -> None:
    watch, sentence = Repetition(), "Push your knees out over your toes. "
    said = next(count for count in range(1, 99) if watch.add(sentence) is not None)
    assert said == 3


@pytest.mark.parametrize(
    "text",
    [
        "Very, very, very good. No, no, no: not so fast!",
        "Keep your back straight. As you lift, keep your back straight. Keep your knees out.",
        "\n".join(
            f"- Keep your {part} still." for part in ("head", "back", "feet", "hips", "neck")
        ),
        "\n".join(f"{n}. Rep {n}: knees in from {n}.0 s to {n}.5 s." for n in range(1, 12)),
        "Getting ready\n" + "-" * 40 + "\nLifting\n" + "-" * 40 + "\nWait ........................",
        "膝盖向前，背部挺直，双脚与肩同宽，保持核心收紧，慢慢下蹲，再慢慢站起。",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20",
        "",
    ],
)
def test_what_only_begins_alike_is_left_alone(text: str) -> None:
    assert ended(text) is None


def test_a_passage_longer_than_is_watched_for_is_left_alone() -> None:
    passage = " ".join(f"word{number}" for number in range(LONGEST))
    assert ended(passage * 4, 5000) is None


def test_no_answer_of_the_template_writer_is_cut() -> None:
    count = 0
    for action in GRAPH.actions:
        pairs = [
            {"key_step": step, "error_type": error}
            for step in GRAPH.actions[action].key_steps
            for error in GRAPH.key_steps[step].errors
        ]
        for family, errors in (("train", []), ("test", pairs[:2]), ("train", pairs)):
            labels = {"action": action, "clip": f"{action}/001", "errors": errors}
            facts = facts_of(GRAPH, Annotation.model_validate(labels))
            sentences = TemplateWriter(GRAPH, seed=0).sentences(facts, family)
            for turn in dialogue_turns(GRAPH, facts, sentences, family=family, seed=0):
                assert ended(turn.answer, 5000) is None, turn.answer
                count += 1
    assert count == 20 * 3 * 4
