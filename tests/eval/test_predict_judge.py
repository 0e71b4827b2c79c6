"""`eval.judge` with a judge that the test plays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.answers import Answer, Truth, write_answers
from eval.judge import grade, means, read_grade, read_grades, rubric
from flex.graph_file import load_graph
from flex.problems import InputError
from vlm.generate import Conversation, Decoding

GRAPH = load_graph()
GOOD = '{"found": 5, "honest": 4, "advice": 3, "clear": 5, "reason": "It names the knees."}'


def answer(mode: str, text: str) -> Answer:
    return Answer(
        clip="A16/001",
        action="A16",
        mode=mode,
        stage="evaluate",
        answer=text,
        truth=Truth(errors=("AK44:ET056",)),
    )


@dataclass
class Played:
    replies: list[str]
    base_url: str = "http://judge/v1"
    model: str = "j"
    at_once: int = 1
    heard: list[str] = field(default_factory=list)

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[str]:
        self.heard += [conversation.messages[0]["content"] for conversation in conversations]
        return [self.replies.pop(0) for _ in conversations]


def test_the_rubric_holds_the_clips_own_errors() -> None:
    text = rubric(GRAPH, answer("tuned", "Your knees caved in."))
    assert GRAPH.error_types["ET056"].description in text
    assert "Your knees caved in." in text
    assert "- none" not in text


def test_grades_are_cached_and_a_bad_reply_is_asked_again(tmp_path: Path) -> None:
    answers = [answer("pretrained", "Perfect."), answer("tuned", "Your knees caved in.")]
    judge = Played(["I like it", GOOD, "No idea"])
    graded = grade(GRAPH, answers, judge, tmp_path)
    assert [one.grade is None for one in graded] == [True, False]
    assert graded[0].reply == "No idea"
    assert len(judge.heard) == 3
    assert grade(GRAPH, answers, judge, tmp_path) == graded
    assert len(judge.heard) == 3
    assert means(graded)["tuned"] == {
        "found": 5,
        "honest": 4,
        "advice": 3,
        "clear": 5,
        "graded": 1,
    }
    assert means(graded)["pretrained"] == {"graded": 0}


def test_the_command_grades_a_run_by_a_served_model(tmp_path: Path, chat_server: Any) -> None:
    answers = [answer(mode, "Your knees caved in.") for mode in ("pretrained", "tuned")]
    for one in answers:
        write_answers(tmp_path / f"answers-{one.mode}.jsonl", [one])
    with chat_server(lambda _: GOOD) as (address, asked):
        words = ["judge", "--endpoint", address, "--model", "j", "--out", str(tmp_path)]
        done = CliRunner().invoke(app, words, env={"OPENAI_API_KEY": "k"})
    assert done.exit_code == 0, done.output
    assert len(asked) == 1  # two equal evaluations of one clip
    assert "Your knees caved in." in str(asked[0]["messages"])
    assert [one.grade is not None for one in read_grades(tmp_path)] == [True, True]
    (tmp_path / "judge.jsonl").write_text('{"clip": 3}\n')
    with pytest.raises(InputError, match=r"judge\.jsonl:1"):
        read_grades(tmp_path)


def test_marks_outside_the_rubric_are_no_grade() -> None:
    assert read_grade(f"Here: {GOOD} Done.") is not None
    assert read_grade(GOOD.replace("5", "9")) is None
    assert read_grade("") is None
