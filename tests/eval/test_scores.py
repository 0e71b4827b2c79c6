"""Scores in answers: 237 texts with the score that a reader takes, or none."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval import score_context
from eval.score_numbers import plain, written_numbers
from eval.score_parse import parse_score

DATA = Path(__file__).parent / "data" / "scores.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["text"][:60])
def test_the_score_that_a_reader_takes(row: dict[str, Any]) -> None:
    parsed = parse_score(row["text"])
    assert parsed.value == row["right"]
    assert (parsed.kind == "stated") == (row["right"] is not None)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Score: 80~90", "range"),
        ("8,5/10", "other scale"),
        ("score of 1,00", "unclear"),
        ("Score: 0.72", "unclear"),
        ("Score: 1,000", "out of range"),
        ("1e999", "out of range"),
        ("-5", "out of range"),
        ("80 points for form, 90 points for tempo", "ambiguous"),
        ("I cannot give a score.", "refused"),
    ],
)
def test_why_there_is_none(text: str, kind: str) -> None:
    assert parse_score(text).kind == kind


def test_numbers_as_people_write_them() -> None:
    text = "**87,5** ８５ 1e2 1,000.5 1,000 eighty-two 87½ 2:35 ET014 5th 3'000"
    assert [n.value for n in written_numbers(plain(text))] == [87.5, 85, 100, 1000, 82, 87.5, 3000]


@pytest.mark.parametrize("unit", ["85 ", "ninety points, ", "Score: 85. ", "8/", "70-80 "])
def test_the_cost_is_linear_in_the_text(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in characters that are searched for words beside a number."""
    searched = 0
    has = score_context._has

    def counting(name: str, text: str) -> bool:
        nonlocal searched
        searched += len(text)
        return has(name, text)

    monkeypatch.setattr(score_context, "_has", counting)

    def cost(length: int) -> int:
        nonlocal searched
        searched = 0
        parse_score((unit * length)[:length])
        return searched

    assert cost(40_000) < 12 * cost(4_000)
