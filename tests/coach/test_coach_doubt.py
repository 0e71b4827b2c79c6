"""Nothing is judged where the model may not know what a clip shows, whatever is pressed."""

import html
import json
import math
import re
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from coach_clips import GRAPH, write_film

from coach.chat import Chat, Lift
from coach.coaching import Coaching
from coach.desk import Desk
from coach.doubt import states_number
from coach.intake import Intake
from coach.limits import Limits
from coach.log import Log
from coach.page_events import Events
from coach.page_view import head_html
from coach.questions import stage_questions
from coach.talk import MODES, Mode
from coach.talk_loading import Loading
from flex.video import Sampler
from vlm.generate import Conversation, Decoding

SQUAT = "This is the Squat."
JUDGED = "I give it 81.5 out of 100. Your knees caved in as you came up."


class Confident:
    """A talker that names the squat and judges it, whatever the clip shows.

    Args:
        named: what it says when it is asked for the exercise.
        share: of the squat, by its likelihoods; or what rating fails with.
        judged: all else that it says.
    """

    modes = MODES
    simulated = False
    at_once = 1
    rates = True
    responder: Any = SimpleNamespace(context=None, count_tokens=len)

    def __init__(
        self, named: str = SQUAT, share: float | Exception = 0.05, judged: str = JUDGED
    ) -> None:
        self.named, self.share, self.judged = named, share, judged
        self.asked: list[tuple[Mode, str]] = []

    def name(self, mode: Mode) -> str:
        return mode

    def stream(self, conversation: Conversation, mode: Mode, decoding: Decoding) -> Generator[str]:
        question = conversation.messages[-1]["content"]
        self.asked.append((mode, question))
        said = self.named if question == stage_questions()["recognise"] else self.judged
        yield from re.findall(r"\S+\s*", said)

    def rate(
        self, conversation: Conversation, mode: Mode, answers: Sequence[str]
    ) -> list[float] | None:
        if isinstance(self.share, Exception):
            raise self.share
        rest = math.log((1 - self.share) / (len(GRAPH.actions) - 1))
        return [math.log(self.share) if answer == SQUAT else rest for answer in answers]


Start = Callable[..., tuple[Events, Chat]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return the page's events around a talker, and a chat with a clip."""

    def begin(talker: Confident, names: Sequence[Mode] = MODES) -> tuple[Events, Chat]:
        loading = Loading(lambda: talker)
        loading.start()
        intake = Intake(Limits(), Sampler(frames=4, pixels=56 * 56), tmp_path)
        log = Log(tmp_path / "log.jsonl")
        coaching = Coaching(GRAPH, loading, Desk(1, 2), intake, log, Decoding(max_new_tokens=8))
        named = {mode: f"the {mode} one" for mode in names}
        events = Events(coaching, named, False, list, tmp_path / "feedback.jsonl")
        chat = Chat()
        events.clip(chat, str(write_film(tmp_path / "clip.mp4")), "")
        return events, chat

    return begin


def figures(markup: str) -> list[str]:
    """Return what could be taken for a score in some HTML.

    That is every number but the clip's seconds, and those of a question.
    """
    shown = re.sub(r'<p class="(?:clip|bubble asked|bubble question)">.*?</p>', "", markup)
    found = re.findall(r'(?:aria-label|title)="([^"]*)"', shown)
    text = html.unescape(" ".join([re.sub(r"<[^>]*>", " ", shown), *found]))
    return re.findall(r"\S*\d\S*", text)


def press_everything(events: Events, chat: Chat, mode: Mode) -> str:
    """Press all that asks the model; returns what is shown in the end, and if untuned meanwhile."""
    shown: list[str] = []

    def show(parts: Any) -> None:
        shots = [[part for part in shot if part] for shot in parts]
        for shot in shots if mode != "tuned" else shots[-1:]:
            shown.extend(shot)
        shown.append(events.panel(chat))

    show(events.assess(chat, mode))
    for question in (*stage_questions().values(), "What do you think of it, in figures?"):
        show(events.ask(chat, question, mode))
    show(events.retry(chat, mode))
    for question in stage_questions().values():
        for answers in events.compare(chat, question):
            shown.append(answers[list(events.names).index(mode)])
    return "".join(shown)


def lift_of(chat: Chat) -> Lift:
    assert chat.lift is not None
    return chat.lift


@pytest.mark.parametrize(
    ("mode", "talker", "doubt", "chosen"),
    [
        ("base", Confident(), "untuned", None),
        ("base", Confident(), "untuned", "A15"),
        ("prompted", Confident(), "untuned", None),
        ("base", Confident(named=JUDGED), "untuned", None),
        ("tuned", Confident(named=f"{SQUAT} {JUDGED}"), "spread", None),
        ("tuned", Confident(), "spread", None),
        ("tuned", Confident(), "spread", "A15"),
        ("tuned", Confident(share=MemoryError()), "failed", None),
    ],
)
def test_no_number_is_shown_whatever_is_pressed(
    start: Start, mode: Mode, talker: Confident, doubt: str, chosen: str | None
) -> None:
    events, chat = start(talker, MODES if mode == "tuned" else MODES[:2])
    lift_of(chat).user_action = chosen
    shown = press_everything(events, chat, mode)
    assert figures(shown) == []
    assert "data-seek" not in shown
    assert "No score and no errors are shown." in shown
    assert {asked for _, asked in talker.asked} == {stage_questions()["recognise"]}
    assert lift_of(chat).assessment(GRAPH).doubt == doubt
    page, _ = events.report(chat, "html")
    columns = Path(page or "").read_text().split('<div class="columns">')[1].split("<details>")[0]
    assert figures(columns) == []
    assert "No score and no errors are shown." in columns
    data = json.loads(Path(events.report(chat, "json")[0] or "").read_text())
    assert data["assessment"]["doubt"] == doubt
    assert data["assessment"]["score"] is data["assessment"]["stated"] is None
    assert data["assessment"]["errors"] == []
    assert not any(character.isdigit() for turn in data["turns"] for character in turn["answer"])


def test_an_assessment_ends_with_what_was_seen_and_what_to_do(start: Start) -> None:
    events, chat = start(Confident(), MODES[:2])
    list(events.assess(chat, "base"))
    (turn,) = lift_of(chat).turns
    assert (turn.state, turn.answer) == ("doubted", SQUAT)
    assert "took the clip for this exercise: Squat" in turn.note
    assert "`make sft`" in turn.note
    assert lift_of(chat).messages() == []


@pytest.mark.parametrize("mode", ["base", "tuned"])
@pytest.mark.parametrize(
    "named", [f"{SQUAT} Your knees caved in.", "Your knees caved in.", "A squat; eighty percent."]
)
def test_words_that_judge_are_held_back(start: Start, named: str, mode: Mode) -> None:
    events, chat = start(Confident(named=named))
    shots = [shot[0] or "" for shot in events.assess(chat, mode)]
    (turn,) = lift_of(chat).turns
    assert (turn.state, turn.answer) == ("doubted", "")
    assert "words are not shown" in turn.note
    assert "caved in" not in (shots[-1] if mode == "tuned" else "".join(shots))


def test_a_tuned_model_is_sent_no_words_of_an_untuned_one(start: Start) -> None:
    talker = Confident(share=0.9)
    events, chat = start(talker)
    list(events.ask(chat, stage_questions()["recognise"], "base"))
    list(events.ask(chat, stage_questions()["evaluate"], "tuned"))
    first, last = lift_of(chat).turns
    assert (first.state, last.state, last.answer) == ("doubted", "done", JUDGED)
    found = lift_of(chat).assessment(GRAPH)
    assert (found.doubt, found.action_name) == ("", "Squat")
    assert found.score is not None, "it was asked for the exercise out of sight"
    list(events.ask(chat, stage_questions()["score"], "base"))
    assert lift_of(chat).assessment(GRAPH).score is None


def test_a_clip_is_checked_once(start: Start) -> None:
    talker = Confident(share=0.9)
    events, chat = start(talker)
    for stage in ("evaluate", "score", "evaluate"):
        list(events.ask(chat, stage_questions()[stage], "tuned"))
    assert [asked for _, asked in talker.asked].count(stage_questions()["recognise"]) == 1
    assert [turn.state for turn in lift_of(chat).turns] == ["done"] * 3


def test_a_rating_that_failed_is_tried_again(start: Start) -> None:
    talker = Confident(share=MemoryError())
    events, chat = start(talker)
    list(events.assess(chat, "tuned"))
    assert [turn.state for turn in lift_of(chat).turns] == ["doubted"]
    talker.share = 0.9
    list(events.assess(chat, "tuned"))
    assert lift_of(chat).assessment(GRAPH).stated == 81.5


@pytest.mark.parametrize(
    ("chosen", "states"), [(None, ["doubted"]), ("A16", ["told", *["done"] * 3])]
)
def test_who_names_no_exercise_is_not_asked_to_judge(
    start: Start, chosen: str | None, states: list[str]
) -> None:
    events, chat = start(Confident(named="A person waves.", share=0.9))
    lift_of(chat).user_action = chosen
    list(events.assess(chat, "tuned"))
    assert [turn.state for turn in lift_of(chat).turns] == states


def test_stopping_while_a_clip_is_checked_leaves_it_unchecked(start: Start) -> None:
    events, chat = start(Confident(share=0.9))
    for _ in events.ask(chat, stage_questions()["score"], "tuned"):
        events.stop(chat)
    assert [turn.state for turn in lift_of(chat).turns] == ["stopped"]
    assert lift_of(chat).checks == {}
    assert events.coaching.desk.length == 0


@pytest.mark.parametrize("served", [False, True])
def test_an_answer_that_repeats_itself_is_ended_and_says_so(start: Start, served: bool) -> None:
    talker = Confident(share=0.9, judged="Your knees caved in. " + "Push your knees out. " * 500)
    talker.rates = not served
    events, chat = start(talker)
    shots = [shot[0] or "" for shot in events.ask(chat, "And now?", "tuned")]
    (turn,) = lift_of(chat).turns
    assert (turn.state, turn.answer) == ("done", "Your knees caved in. Push your knees out.")
    assert "only repeated itself" in shots[-1]
    assert max(shot.count("Push your knees out.") for shot in shots) <= 3
    list(events.compare(chat, "And now?"))
    assert [said.note for said in lift_of(chat).said() if said.model == "tuned"] == [turn.note]


@pytest.mark.parametrize("untuned", [True, False])
def test_the_head_says_that_a_model_is_untuned(start: Start, untuned: bool) -> None:
    events, chat = start(Confident(), MODES[:2] if untuned else MODES)
    assert events.untuned == untuned
    head = head_html(events.coaching, "m", True, events.untuned)
    assert ("Untuned model" in head) == ("make sft" in head) == untuned
    assert ("make sft" in events.panel(chat)) == untuned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 81.", True),
        ("八十分", True),
        ("Eighty out of a hundred.", True),
        ("٨٠", True),
        ("A person who stands and bends the knees, one after the other.", False),
        ("一个人在做深蹲。", False),
    ],
)
def test_numbers_are_found_in_figures_and_words(text: str, expected: bool) -> None:
    assert states_number(text) == expected
