"""Verdicts: does a text call the lift right or wrong? 506 sentences, and whole texts.

Six sets were written one after the other, each before its misreadings were mended; the share that
was right at first sight is in docs/judging.md. `misread` marks what still is.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.answers import Answer, Truth
from eval.reading import read_evaluation
from eval.verdict import overall, says_refusal
from eval.verdict_words import has
from flex.graph_file import load_graph

DATA = Path(__file__).parent / "data" / "verdicts.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
READ = [row for row in ROWS if not row.get("misread")]
GRAPH = load_graph()


@pytest.mark.parametrize("row", READ, ids=lambda row: row["text"][:60])
def test_verdicts_know_negation_condition_and_advice(row: dict[str, Any]) -> None:
    assert overall(row["text"]) == row["right"]


def test_few_are_misread() -> None:
    assert len(ROWS) > 500
    assert len(ROWS) - len(READ) <= 8
    assert {row["right"] for row in ROWS} == {"correct", "faulty", "unclear", "refused"}


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "refused"),
        ("As an AI I cannot watch videos.", "refused"),
        ("## Correct form:\n- Keep your back flat.\n- Breathe out.", "unclear"),
        ("## Errors\n- The bar is uneven in a way that no list has.", "faulty"),
        ("**Errors:**\n- None", "correct"),
        ("Errors:\n- Keep your back flat next time.", "unclear"),
        ("Is the form correct?\n\nNot quite.", "faulty"),
        ("What went wrong? Nothing.", "correct"),
        ("- Grip ✅\n- Stance ✅", "correct"),
        ("- Grip ✅\n- Stance ❌", "faulty"),
        ("Grip: correct\nBreathing: incorrect", "faulty"),
        ("I like your shoes. See you next week.", "unclear"),
    ],
)
def test_titles_fields_questions_and_marks(text: str, verdict: str) -> None:
    assert overall(text) == verdict


def test_praise_of_parts_is_no_fault_named_and_an_error_named_decides() -> None:
    def verdict(text: str) -> str:
        answer = Answer(
            clip="c", action="A16", mode="m", stage="evaluate", answer=text, truth=Truth()
        )
        return read_evaluation(GRAPH, answer).verdict

    assert verdict("Your lower back stayed neutral.") == "correct"
    assert verdict("The correct form is to keep the bar over the middle of the foot.") == "unclear"
    assert verdict("Correct breathing means exhaling on the way up.") == "unclear"
    assert verdict("Correct your posture.") == "unclear"
    assert verdict("A perfect squat, but your knees caved in.") == "faulty"
    assert verdict("It would be perfect if you kept your knees out.") == "faulty"


def test_refusals_are_told_from_finding_nothing() -> None:
    assert says_refusal("I'm unable to assess the form from this image.")
    assert not says_refusal("I can't see any mistakes.")


@pytest.mark.parametrize("unit", ["the form is right and ", "Not correct. ", "not ", "a: ", "if "])
def test_the_cost_is_linear_in_the_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in characters that are searched for words."""
    searched = 0

    def counting(name: str, text: str) -> bool:
        nonlocal searched
        searched += len(text)
        return has(name, text)

    monkeypatch.setattr("eval.verdict_clause.has", counting)

    def cost(length: int) -> int:
        nonlocal searched
        searched = 0
        overall((unit * length)[:length])
        return searched

    assert cost(40_000) < 12 * cost(4_000)
