"""How sure the model is of the exercise: from its likelihoods to what the panel is told."""

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from coach_clips import GRAPH, write_film

from coach.chat import Chat
from coach.coaching import Coaching
from coach.confidence import Rated, confidence_of, threshold
from coach.desk import Desk
from coach.doubt import doubt_notice
from coach.intake import Intake
from coach.limits import Limits
from coach.log import Log
from coach.questions import exercise_answers
from coach.talk import LocalTalker, Mode, open_local_talker, open_served_talker
from coach.talk_loading import Loading
from eval.recognise import recognised_action
from flex.problems import InputError
from flex.video import Frames, Sampler
from vlm.card import CoachCard
from vlm.generate import Conversation, Decoding
from vlm.tiny import tiny_coach_folder

SAMPLER = Sampler(frames=4, pixels=56 * 56)
SHORT = Decoding(max_new_tokens=8)


class Scripted:
    """A talker that names the squat, and holds it as likely as it is told to."""

    modes: tuple[Mode, ...] = ("base", "tuned")
    simulated = False
    at_once = 1
    responder: Any = SimpleNamespace(count_tokens=lambda text: len(text.split()))

    def __init__(self, squat: float | Exception | None) -> None:
        self.squat, self.events = squat, list[str]()
        self.rates = squat is not None

    def name(self, mode: Mode) -> str:
        return mode

    def stream(self, conversation: Conversation, mode: Mode, decoding: Decoding) -> Any:
        for piece in ("This is ", "the Squat."):
            self.events.append(piece)
            yield piece

    def rate(
        self, conversation: Conversation, mode: Mode, answers: Sequence[str]
    ) -> list[float] | None:
        self.events.append("rated")
        if isinstance(self.squat, Exception):
            raise self.squat
        if self.squat is None:
            return None
        rest = math.log((1 - self.squat) / (len(answers) - 2))
        *each, own = answers
        assert own == "This is the Squat.", "what it said itself comes last"
        found = [math.log(self.squat) if "the Squat." in one else rest for one in each]
        return [*found, -2.0]


def asked(
    talker: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: Any = "recognise",
    mode: Mode = "tuned",
    seed: int | None = None,
) -> tuple[Chat, list[str]]:
    """Ask once; returns the chat, and what was shown each time, with the last thing done."""
    prompt = Conversation((), [{"role": "user", "content": "?"}])
    monkeypatch.setattr("coach.writing.conversation_of", lambda *_: prompt)
    loading = Loading(lambda: talker)
    loading.start()
    intake = Intake(Limits(), SAMPLER, tmp_path)
    log = Log(tmp_path / "log.jsonl")
    coaching = Coaching(GRAPH, loading, Desk(1, 2), intake, log, SHORT)
    chat = Chat([intake.take(write_film(tmp_path / "squat.mp4"))])
    assert chat.lift is not None
    shown = []
    for _ in coaching.ask(chat, "Which exercise is it?", stage, mode, seed=seed):
        shown.append(f"{chat.lift.turns[-1].answer}|{talker.events[-1:]}")
    return chat, shown


def test_shares_are_a_softmax() -> None:
    found = confidence_of(GRAPH, "A15", Rated({"A15": -9000.0, "A16": -9000 + math.log(3)}))
    assert found.named == pytest.approx(0.25)
    assert found.share == pytest.approx(0.75)
    assert (found.likeliest, found.likeliest_name, found.exercises) == ("A16", "Squat", 2)
    assert confidence_of(GRAPH, None, Rated({"A15": 0.0})).named is None


@pytest.mark.parametrize("own", [None, 0.0])
@pytest.mark.parametrize(("past", "doubt"), [(0.02, ""), (-0.02, "spread")])
def test_a_small_share_is_doubted(past: float, doubt: str, own: float | None) -> None:
    share = threshold("share") + past
    rest = (1 - share) / 19
    shares = {action: share if action == "A16" else rest for action in GRAPH.actions}
    rated = Rated({action: math.log(one) for action, one in shares.items()}, own)
    assert confidence_of(GRAPH, "A16", rated).doubt == doubt


@pytest.mark.parametrize(("past", "doubt"), [(0.01, ""), (-0.01, "unlike"), (None, "")])
def test_who_is_unsure_of_its_own_words_is_doubted(past: float | None, doubt: str) -> None:
    own = None if past is None else threshold("own") + past
    rated = Rated({"A15": -900.0, "A16": -1.0}, own)
    assert confidence_of(GRAPH, "A16", rated).doubt == doubt


def test_the_rated_sentences_each_name_one_exercise() -> None:
    answers = exercise_answers(GRAPH)
    assert list(answers) == list(GRAPH.actions)
    assert [recognised_action(GRAPH, answer) for answer in answers.values()] == list(answers)
    assert answers["A16"] == "This is the Squat."


def test_the_whole_answer_is_shown_before_it_is_rated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = Scripted(0.9)
    chat, shown = asked(talker, tmp_path, monkeypatch)
    assert "This is the Squat.|['the Squat.']" in shown
    assert shown[-1] == "This is the Squat.|['rated']"
    assert chat.lift is not None
    confidence = chat.lift.assessment(GRAPH).confidence
    assert confidence is not None
    assert confidence.named == pytest.approx(0.9)
    assert confidence.exercises == len(GRAPH.actions)


@pytest.mark.parametrize(("simulated", "own"), [(True, -0.5), (False, None)])
@pytest.mark.parametrize(
    ("seed", "stage", "written"), [(None, "recognise", 1), (1, "recognise", 2), (None, "score", 2)]
)
def test_own_words_are_those_of_the_most_likely_answer(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    simulated: bool,
    own: float | None,
    seed: int | None,
    stage: Any,
    written: int,
) -> None:
    """Where it was drawn or not asked for, that one is written out of sight."""
    talker = Scripted(0.9)
    talker.simulated = simulated
    chat, _ = asked(talker, tmp_path, monkeypatch, stage, seed=seed)
    assert chat.lift is not None
    rated = chat.lift.checks["tuned"].rated
    assert rated is not None
    assert rated.own == own
    # The tiny coach is unsure of these words, so that no score is asked for.
    doubted = chat.lift.turns[-1].state == "doubted"
    assert doubted == simulated
    assert talker.events.count("This is ") == written - (doubted and stage == "score")
    assert len(chat.lift.turns) == 1


def test_an_untuned_model_is_not_rated_but_doubted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = Scripted(0.9)
    chat, _ = asked(talker, tmp_path, monkeypatch, mode="base")
    assert chat.lift is not None
    assert "rated" not in talker.events
    found = chat.lift.assessment(GRAPH)
    assert (found.doubt, found.confidence, found.named) == ("untuned", None, "A16")


def test_other_questions_come_after_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = Scripted(0.9)
    asked(talker, tmp_path, monkeypatch, stage="score")
    assert talker.events == ["This is ", "the Squat.", "rated", "This is ", "the Squat."]


@pytest.mark.parametrize(
    ("squat", "reason", "state", "doubt"),
    [(None, "served", "done", ""), (MemoryError("too large"), "failed", "doubted", "failed")],
)
def test_an_answer_stands_without_its_rating(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    squat: Any,
    reason: str,
    state: str,
    doubt: str,
) -> None:
    chat, _ = asked(Scripted(squat), tmp_path, monkeypatch)
    assert chat.lift is not None
    turn = chat.lift.turns[-1]
    assert (turn.state, turn.answer) == (state, "This is the Squat.")
    found = chat.lift.assessment(GRAPH)
    assert turn.note == doubt_notice(found)
    assert (found.action_name, found.confidence, found.unrated) == ("Squat", None, reason)
    assert found.doubt == doubt


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalTalker:
    texts = list(exercise_answers(GRAPH).values())
    folder = tiny_coach_folder(tmp_path_factory.mktemp("tiny"), texts)
    return open_local_talker(str(folder), None, SAMPLER)


def test_a_local_model_rates_and_then_talks_as_before(local: LocalTalker) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (4, 56, 56, 3)).astype(np.uint8)
    messages = [{"role": "user", "content": "Which exercise is it?"}]
    prompt = Conversation((Frames(pixels, (0, 1, 2, 3), 4.0, 4),), messages)
    before = "".join(local.stream(prompt, "base", SHORT))
    rated = local.rate(prompt, "base", list(exercise_answers(GRAPH).values()))
    assert len(set(rated)) == len(GRAPH.actions)
    assert "".join(local.stream(prompt, "base", SHORT)) == before


def test_a_served_model_rates_nothing_and_its_base_is_another(
    chat_server: Any, tmp_path: Path
) -> None:
    CoachCard(sampler=SAMPLER).write(tmp_path)
    prompt = Conversation((), [{"role": "user", "content": "Which exercise is it?"}])
    with chat_server(lambda body: f"I am {body['model']}.") as (address, _):
        talker = open_served_talker(address, "tuned-3b", "plain-3b", adapter=tmp_path)
        said = {mode: "".join(talker.stream(prompt, mode, SHORT)) for mode in talker.modes}
        alone = open_served_talker(address, "tuned-3b", adapter=tmp_path)
        assert "".join(alone.stream(prompt, "tuned", SHORT)) == "I am tuned-3b."
    assert said == {
        "base": "I am plain-3b.",
        "prompted": "I am plain-3b.",
        "tuned": "I am tuned-3b.",
    }
    assert talker.rate(prompt, "tuned", ["This is the Squat."]) is None
    assert alone.modes == ("tuned",)
    with pytest.raises(InputError, match="--base-endpoint-model"):
        list(alone.stream(prompt, "base", SHORT))
