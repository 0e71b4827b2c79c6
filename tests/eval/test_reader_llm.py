"""`eval.reader_llm` with a model that the test plays: blind, cached, and no failure stops a run."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from eval import report
from eval.answers import Answer, Truth, write_answers
from eval.asking import IN_A_ROW, json_object
from eval.ceilings import STYLES, labelled, measure_ceilings
from eval.coach_metrics import error_statistics, judge, verdict_statistics
from eval.numbers import graph_scores
from eval.reader_llm import LlmReader, find_quote, prompt
from eval.readers import MatcherReader, choose
from eval.reading import Reading
from flex.graph_file import load_graph
from flex.problems import InputError, Problem
from vlm.endpoint import UnreachableError
from vlm.generate import Conversation, Decoding

GRAPH = load_graph()
TEXT = (
    "Your knees did that inward thing as you went down. No early hips, well done. "
    "Think of your toes pointing at the wall."
)
Message = dict[str, str]


def claims(*rows: tuple[str, str, str], overall: str = "faulty") -> str:
    return json.dumps(
        {
            "claims": [{"id": i, "said": said, "quote": quote} for i, said, quote in rows],
            "overall": overall,
        }
    )


GOOD = claims(
    ("ET056", "present", "knees did that inward thing"),
    ("ET052", "denied", "No early hips"),
    ("ET061", "advised", "your toes pointing"),
)


def answer(text: str, clip: str = "c", **truth: Any) -> Answer:
    return Answer(
        clip=clip, action="A16", mode="m", stage="evaluate", answer=text, truth=Truth(**truth)
    )


@dataclass
class Played:
    """Says what `say` returns for the messages; raises what it raises."""

    say: Callable[[list[Message]], str]
    base_url: str = "http://reader/v1"
    model: str = "r"
    at_once: int = 1
    heard: list[list[Message]] = field(default_factory=list)

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[str]:
        (one,) = conversations
        self.heard.append(one.messages)
        return [self.say(one.messages)]


def one(reader: LlmReader, text: str = TEXT) -> Reading | None:
    (found,) = reader.read(GRAPH, [answer(text)])
    return found


def test_it_is_told_the_text_and_the_types_and_nothing_of_the_clip(tmp_path: Path) -> None:
    played = Played(lambda _: GOOD)
    clip = answer(TEXT, clip="secret", errors=["AK44:ET039"]).model_copy(update={"mode": "tuned"})
    LlmReader(played, tmp_path).read(GRAPH, [clip])
    (asked,) = (messages[0]["content"] for messages in played.heard)
    assert asked == prompt(GRAPH, "A16", TEXT)
    assert TEXT in asked
    for error in GRAPH.error_types_of("A16"):
        assert f"{error} {GRAPH.error_types[error].name}" in asked
    for foreign in ("ET020", "secret", "tuned", "AK44"):
        assert foreign not in asked


def test_claims_come_with_places_and_phases(tmp_path: Path) -> None:
    reading = one(LlmReader(Played(lambda _: GOOD), tmp_path))
    assert reading is not None
    assert reading.found == ("ET056",)
    assert [str(o) for o in reading.occurrences] == ["AK44:ET056"]
    assert reading.advised == {"ET061"}
    assert reading.verdict == "faulty"


@pytest.mark.parametrize("overall", ["correct", "unclear", "refused", "faulty"])
def test_without_an_error_the_model_says_the_verdict(tmp_path: Path, overall: str) -> None:
    reply = claims(("ET052", "denied", "No early hips"), overall=overall)
    reading = one(LlmReader(Played(lambda _: reply), tmp_path))
    assert reading is not None
    assert (reading.found, reading.verdict) == ((), overall)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("I like it.", "no JSON object"),
        ('{"claims": []}', "overall"),
        (claims(("ET999", "present", "knees did")), "no error type of this exercise"),
        (claims(("ET056", "present", "knees caved in badly")), "does not stand in the text"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "no JSON object"),
    ],
)
def test_a_reply_that_cannot_be_used_is_asked_again_with_the_reason(
    tmp_path: Path, bad: str, why: str
) -> None:
    played = Played(lambda messages: bad if len(messages) == 1 else GOOD)
    reading = one(LlmReader(played, tmp_path))
    assert reading is not None
    assert reading.found == ("ET056",)
    assert why in played.heard[1][2]["content"]
    assert played.heard[1][1]["content"] == bad


def test_what_is_still_wrong_is_left_out_and_what_is_no_reading_is_unread(tmp_path: Path) -> None:
    half = claims(("ET056", "present", "knees did"), ("ET055", "present", "no such words"))
    reading = one(LlmReader(Played(lambda _: half), tmp_path / "half"))
    assert reading is not None
    assert reading.found == ("ET056",)
    reader = LlmReader(Played(lambda _: "No."), tmp_path / "none")
    assert one(reader) is None
    assert dict(reader.failures) == {"it holds no JSON object": 1}


def test_replies_are_kept_and_equal_texts_are_asked_once(tmp_path: Path) -> None:
    played = Played(lambda _: GOOD)
    answers = [answer(TEXT, clip=f"c{n}") for n in range(3)]
    assert LlmReader(played, tmp_path).read(GRAPH, answers)[2] is not None
    assert len(played.heard) == 1
    again = Played(lambda _: "must not be asked")
    assert one(LlmReader(again, tmp_path)) is not None
    assert again.heard == []
    other = Played(lambda _: GOOD, model="another")
    assert one(LlmReader(other, tmp_path)) is not None
    assert len(other.heard) == 1


def test_one_failure_stops_nothing_and_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    def say(messages: list[Message]) -> str:
        if "text 3 " in messages[0]["content"]:
            raise InputError([Problem("http://reader/v1", "refused with status 400")])
        return claims(overall="unclear")

    answers = [answer(f"This is text {n} of many.", clip=f"c{n}") for n in range(12)]
    reader = LlmReader(Played(say), tmp_path)
    found = reader.read(GRAPH, answers)
    assert [n for n, reading in enumerate(found) if reading is None] == [3]
    assert dict(reader.failures) == {"refused with status 400": 1}
    mended = Played(lambda _: claims(overall="unclear"))
    assert None not in LlmReader(mended, tmp_path).read(GRAPH, answers)
    assert len(mended.heard) == 1


def test_an_endpoint_that_is_gone_stops_the_run_and_keeps_what_it_said(tmp_path: Path) -> None:
    def say(messages: list[Message]) -> str:
        if len(played.heard) > 4:
            raise UnreachableError([Problem("http://reader/v1", "cannot be reached")])
        return claims(overall="unclear")

    played = Played(say)
    answers = [answer(f"This is text {n}.", clip=f"c{n}") for n in range(30)]
    with pytest.raises(InputError, match="4 replies are kept"):
        LlmReader(played, tmp_path).read(GRAPH, answers)
    assert len(played.heard) == 4 + IN_A_ROW
    rest = Played(lambda _: claims(overall="unclear"))
    assert None not in LlmReader(rest, tmp_path).read(GRAPH, answers)
    assert len(rest.heard) == 26


def test_a_limit_of_requests_leaves_the_rest_unread(tmp_path: Path) -> None:
    played = Played(lambda _: claims(overall="unclear"))
    answers = [answer(f"This is text {n}.", clip=f"c{n}") for n in range(10)]
    reader = LlmReader(played, tmp_path, most=4)
    assert reader.read(GRAPH, answers).count(None) == 6
    assert len(played.heard) == 4
    assert reader.read(GRAPH, [answer("Another text.")]) == [None]
    assert len(played.heard) == 4


def test_unread_answers_count_nowhere(tmp_path: Path) -> None:
    def say(messages: list[Message]) -> str:
        return "No." if "unreadable" in messages[0]["content"] else GOOD

    errors = {"errors": ["AK44:ET056"], "score": 80.0}
    answers = [answer(TEXT, clip="a", **errors), answer("This is unreadable.", clip="b", **errors)]
    judged = judge(GRAPH, answers, LlmReader(Played(say), tmp_path))
    figures = {s.name: s.value for s in [*error_statistics(GRAPH, judged)]}
    assert figures["errors/micro/f1"] == 1
    verdicts = {s.name: s.value for s in verdict_statistics(judged)}
    assert verdicts["no error named"] == 0
    assert verdicts["evaluations unread"] == 0.5
    assert graph_scores(GRAPH, judged)[1] is None


def test_baselines_and_empty_answers_need_no_model(tmp_path: Path) -> None:
    played = Played(lambda _: GOOD)
    ids = answer("").model_copy(update={"found": ("AK44:ET056",)})
    found = LlmReader(played, tmp_path).read(GRAPH, [ids, answer("  ")])
    assert [reading.verdict for reading in found if reading] == ["faulty", "refused"]
    assert played.heard == []


def honest(messages: list[Message]) -> str:
    """Read the labelled texts as they are labelled, by a quote of their beginning."""
    for style in STYLES:
        for row in labelled(style):
            if row.text.strip() in messages[0]["content"]:
                quote = " ".join(row.text.split()[:4])
                types = dict.fromkeys(error.partition(":")[2] for error in row.errors)
                said = [(error, "present", quote) for error in types]
                return claims(*said, overall="faulty" if types else "correct")
    return GOOD


def test_the_ceiling_is_measured_with_the_same_model(tmp_path: Path) -> None:
    played = Played(honest, at_once=4)
    found = measure_ceilings(GRAPH, LlmReader(played, tmp_path), resamples=20)
    assert len(played.heard) == sum(len(labelled(style)) for style in STYLES)
    for ceiling in found.values():
        assert ceiling.figures["errors/micro/f1"].value == 1
        assert ceiling.figures["called correct"].value == 0


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("knees did that", "knees did that"),
        ("KNEES  did\nthat,", "knees did that"),
        ("Your knees … went down", "Your knees"),
        ("knee", None),
        ("", None),
        ("...", None),
    ],
)
def test_quotes_stand_in_the_text(quote: str, found: str | None) -> None:
    span = find_quote(TEXT, quote)
    assert (span and TEXT[slice(*span)]) == found


def test_json_in_replies() -> None:
    assert json_object('<think>{"a": 0}</think>Here:\n```json\n{"a": 1}\n```') == {"a": 1}
    assert json_object("[1]") is None
    assert json_object("") is None


def test_options_that_do_not_fit_are_named(tmp_path: Path) -> None:
    assert isinstance(choose("matcher", out=tmp_path), MatcherReader)
    with pytest.raises(InputError, match="needs --reader-endpoint and --reader-model"):
        choose("llm", out=tmp_path)
    with pytest.raises(InputError, match="--reader-model: is for --reader llm"):
        choose("matcher", out=tmp_path, model="m")


def test_a_served_model_reads_and_a_refusal_is_one_unread_answer(
    tmp_path: Path, chat_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with chat_server(lambda _: GOOD) as (address, asked):
        reader = choose("llm", out=tmp_path, endpoint=address, model="r")
        (found,) = reader.read(GRAPH, [answer(TEXT)])
        gone = choose("llm", out=tmp_path, endpoint=address, model="gone")
        assert gone.read(GRAPH, [answer(TEXT)]) == [None]
    assert found is not None
    assert found.found == ("ET056",)
    assert reader.name == f"r at {address}"
    assert [body["model"] for body in asked] == ["r", "gone"]
    assert "refused with status 404" in next(iter(gone.failures))


def test_the_report_names_its_reader_and_what_it_reaches(tmp_path: Path) -> None:
    answers = [
        answer(TEXT if n else "Unreadable.", clip=f"c{n}", errors=["AK44:ET056"]).model_copy(
            update={"subject": f"P{n}"}
        )
        for n in range(4)
    ]
    write_answers(tmp_path / "answers-m.jsonl", answers)
    turns = [{"stage": "evaluate", "question": "?", "answer": "Well."}]
    record = {"clip": "c0", "action": "A16", "split": "test", "turns": turns, "simulated": False}
    (tmp_path / "dialogues.jsonl").write_text(json.dumps(record) + "\n")

    def say(messages: list[Message]) -> str:
        return "No." if "Unreadable." in messages[0]["content"] else honest(messages)

    report.run(
        data=tmp_path,
        dialogues=tmp_path / "dialogues.jsonl",
        out=tmp_path,
        workers=1,
        resamples=50,
        reader=LlmReader(Played(say), tmp_path),
    )
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["reader"]["name"] == "r at http://reader/v1"
    assert content["reader"]["ceilings"]["spoken"]["figures"]["errors/micro/f1"]["value"] == 1
    assert content["reader"]["failures"] == {"it holds no JSON object": 1}
    figures = content["modes"]["m"]["figures"]
    assert figures["errors/micro/f1"]["value"] == 1
    assert figures["evaluations unread"]["value"] == 0.25
    for name in ("report.md", "report.html"):
        text = (tmp_path / name).read_text()
        assert "100.0 · 100.0 · 100.0 · 100.0" in text
        assert "read by r at http" in text
        assert "Unread: 1 (it holds no JSON object)" in text
        assert "Evaluations that the reader could not read" in text
