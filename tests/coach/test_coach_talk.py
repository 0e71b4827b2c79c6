"""Who talks and who is next: one model with the adapter on and off, stopping, the line, the log."""

import json
import threading
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from coach_clips import GRAPH, write_film

from coach.chat import Chat, Lift
from coach.coaching import Coaching
from coach.desk import Desk, DeskFullError
from coach.intake import Intake
from coach.limits import Limits
from coach.log import Log
from coach.questions import stage_of, stage_questions, told_exercise
from coach.talk import MODES, LocalTalker, open_local_talker
from coach.talk_loading import Loading
from coach.talk_prompt import conversation_of
from eval.recognise import recognised_action
from flex.problems import InputError
from flex.video import Frames, Sampler
from vlm.defaults import find_sampler, is_tiny
from vlm.generate import Conversation, Decoding
from vlm.tiny import tiny_coach_folder

SAMPLER = Sampler(frames=4, pixels=56 * 56)
SHORT = Decoding(max_new_tokens=12)


class Fake:
    """A served talker that counts words, and says three of them."""

    modes = MODES
    simulated = False
    at_once = 1
    rates = False

    def __init__(self) -> None:
        self.asked: list[Conversation] = []
        self.responder: Any = SimpleNamespace(
            context=None, count_tokens=lambda text: len(text.split())
        )

    def name(self, mode: str) -> str:
        return f"fake {mode}"

    def rate(self, *_: object) -> None: ...

    def stream(self, conversation: Conversation, mode: str, decoding: Decoding) -> Generator[str]:
        self.asked.append(conversation)
        if "break" in conversation.messages[-1]["content"]:
            raise RuntimeError("no")
        yield from ("This is ", "the ", "Squat.")


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def coaching(fake: Fake, tmp_path: Path) -> Coaching:
    loading = Loading(lambda: fake)
    loading.start()
    intake = Intake(Limits(), SAMPLER, tmp_path)
    return Coaching(GRAPH, loading, Desk(1, 2), intake, Log(tmp_path / "log.jsonl"), SHORT)


@pytest.fixture
def chat(coaching: Coaching, tmp_path: Path) -> Chat:
    return Chat([coaching.intake.take(write_film(tmp_path / "squat.mp4"))])


def lift_of(chat: Chat) -> Lift:
    assert chat.lift is not None
    return chat.lift


def test_an_assessment_asks_four_and_decodes_once(
    coaching: Coaching, chat: Chat, fake: Fake, tmp_path: Path
) -> None:
    for _ in coaching.assess(chat, "tuned"):
        assert chat.busy
    for _ in coaching.ask(chat, "And now?", None, "tuned"):
        pass
    lift = lift_of(chat)
    assert [turn.stage for turn in lift.turns] == [*stage_questions(), None]
    assert {turn.state for turn in lift.turns} == {"done"}
    assert [len(asked.messages) for asked in fake.asked] == [1, 3, 5, 7, 9]
    assert lift.assessment(GRAPH).action_name == "Squat"
    assert (coaching.intake.decoded, chat.busy) == (1, False)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(row["turn"], row["decoded"]) for row in rows] == [(n, 1) for n in range(1, 6)]
    assert "Squat" not in (tmp_path / "log.jsonl").read_text()


def test_a_new_assessment_forgets_the_one_before(
    coaching: Coaching, chat: Chat, fake: Fake
) -> None:
    list(coaching.assess(chat, "tuned"))
    lift_of(chat).user_action = "A15"
    list(coaching.assess(chat, "tuned"))
    first = fake.asked[4].messages
    assert [message["role"] for message in first] == ["user", "assistant", "user"]
    assert first[1]["content"] == told_exercise(GRAPH, "A15")
    assert len(lift_of(chat).turns) == 8


def test_stopping_ends_the_answer_and_the_round(coaching: Coaching, chat: Chat) -> None:
    for _ in coaching.assess(chat, "tuned"):
        chat.stopped = True
    assert [turn.state for turn in lift_of(chat).turns] == ["stopped"]
    assert coaching.desk.length == 0


def test_a_visitor_who_goes_frees_the_seat(coaching: Coaching, chat: Chat) -> None:
    asking = coaching.ask(chat, "Well?", None, "tuned")
    next(asking)
    assert coaching.desk.length == 1
    asking.close()  # type: ignore[attr-defined]
    assert (coaching.desk.length, chat.busy) == (0, False)


def test_a_failure_is_said_in_its_place(
    coaching: Coaching, chat: Chat, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list(coaching.ask(chat, "Please break.", None, "tuned"))
    turn = lift_of(chat).turns[-1]
    assert (turn.state, turn.answer) == ("failed", "")
    assert turn.note.startswith("Something went wrong")
    assert "RuntimeError" not in turn.note
    assert "RuntimeError" in capsys.readouterr().err
    list(coaching.ask(chat, "Well?", None, "tuned"))
    assert lift_of(chat).turns[-1].state == "done"


def test_a_model_that_does_not_load_is_said(coaching: Coaching, chat: Chat) -> None:
    def refuse() -> Any:
        raise MemoryError("too large")

    broken = Loading(refuse)
    broken.start()
    broken.over.wait(10)
    assert broken.failure == "MemoryError: too large"
    poor = Coaching(GRAPH, broken, coaching.desk, coaching.intake, coaching.log, coaching.decoding)
    list(poor.ask(chat, "Well?", None, "tuned"))
    assert "could not be loaded" in lift_of(chat).turns[-1].note


def test_a_full_line_is_said(coaching: Coaching, chat: Chat) -> None:
    for _ in range(3):
        coaching.desk.enter()
    list(coaching.ask(chat, "Well?", None, "tuned"))
    turn = lift_of(chat).turns[-1]
    assert (turn.state, turn.note[:31]) == ("failed", "The coach is busy with 3 people")


def test_the_line_is_first_come_first_served() -> None:
    desk, served = Desk(1, 10), []
    tickets = [desk.enter() for _ in range(4)]
    assert [desk.place(ticket, wait_s=0) for ticket in tickets] == [0, 1, 2, 3]

    def wait(ticket: int) -> None:
        while desk.place(ticket):
            pass
        served.append(ticket)
        desk.leave(ticket)

    threads = [threading.Thread(target=wait, args=(ticket,)) for ticket in reversed(tickets)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served == tickets
    for _ in range(11):
        desk.enter()
    with pytest.raises(DeskFullError):
        desk.enter()


def test_a_talk_that_is_too_long_loses_its_beginning(
    coaching: Coaching, chat: Chat, fake: Fake
) -> None:
    messages = [
        {"role": role, "content": f"{n} " + "word " * 50}
        for n in range(4)
        for role in ("user", "assistant")
    ]
    messages.append({"role": "user", "content": "last"})
    fake.responder.context = 400
    kept = conversation_of(fake, GRAPH, lift_of(chat), messages, "base", SHORT)
    assert kept.messages[-1]["content"] == "last"
    assert kept.messages[0]["content"].startswith("3 ")
    assert len(kept.messages) == 3


def test_rules_are_those_of_the_exercise(coaching: Coaching, chat: Chat, fake: Fake) -> None:
    asked = [{"role": "user", "content": "Well?"}]
    whole = conversation_of(fake, GRAPH, lift_of(chat), asked, "prompted", SHORT)
    assert whole.messages[0]["role"] == "system"
    fake.responder.context = 900
    lift_of(chat).user_action = "A15"
    few = conversation_of(fake, GRAPH, lift_of(chat), asked, "prompted", SHORT)
    assert len(few.messages[0]["content"]) < len(whole.messages[0]["content"]) / 5


def test_questions_are_those_that_the_coach_learnt() -> None:
    assert list(stage_questions()) == ["recognise", "standard", "evaluate", "score"]
    assert stage_of(stage_questions()["score"]) == "score"
    assert stage_of("Is it fun?") is None
    assert recognised_action(GRAPH, told_exercise(GRAPH, "A15")) == "A15"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    return tiny_coach_folder(folder, ["This is the squat. Your knees caved in."] * 3)


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes what is said, whatever it is."""
    import torch
    from peft import LoraConfig, get_peft_model

    from vlm.card import CoachCard
    from vlm.fingerprint import weights_fingerprint
    from vlm.model import load_coach

    folder = tmp_path_factory.mktemp("adapter")
    coach = load_coach(tiny)
    torch.manual_seed(1)
    layers = ["q_proj", "v_proj", "up_proj", "down_proj"]
    # So strong that a random model says something else.
    shape = LoraConfig(r=4, lora_alpha=400, target_modules=layers, init_lora_weights=False)
    get_peft_model(coach.model, shape).save_pretrained(folder)
    CoachCard(sampler=SAMPLER, base=weights_fingerprint(tiny)).write(folder)
    return folder


@pytest.fixture(scope="module")
def local(tiny: Path, adapter: Path) -> LocalTalker:
    return open_local_talker(str(tiny), adapter, find_sampler(str(tiny), adapter))


def question(seed: int = 0) -> Conversation:
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 56, 56, 3)).astype(np.uint8)
    frames = Frames(pixels, (0, 1, 2, 3), 4.0, 4)
    return Conversation((frames,), [{"role": "user", "content": "Which exercise is it?"}])


def test_the_base_talks_with_the_adapter_aside(
    local: LocalTalker, tiny: Path, adapter: Path
) -> None:
    assert find_sampler(str(tiny), adapter) == SAMPLER
    assert local.simulated is is_tiny(str(tiny)) is True
    alone = open_local_talker(str(tiny), None, SAMPLER)
    base = "".join(alone.stream(question(), "base", SHORT))
    assert "".join(local.stream(question(), "base", SHORT)) == base
    tuned = "".join(local.stream(question(), "tuned", SHORT))
    assert tuned != base
    assert "".join(local.stream(question(), "prompted", SHORT)) == base
    assert alone.modes == ("base", "prompted")
    assert local.modes == ("base", "prompted", "tuned")
    assert local.name("tuned") == f"{tiny.name} + {adapter.name}"


def test_stopping_frees_the_model_and_puts_the_adapter_back(local: LocalTalker) -> None:
    tuned = "".join(local.stream(question(), "tuned", SHORT))
    begun = local.stream(question(), "base", Decoding(max_new_tokens=400))
    next(begun)
    begun.close()
    assert "".join(local.stream(question(), "tuned", SHORT)) == tuned


def test_two_ask_at_once_and_get_their_own(local: LocalTalker) -> None:
    alone = ["".join(local.stream(question(), mode, SHORT)) for mode in ("base", "tuned")]
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        mode: Any = ("base", "tuned")[number % 2]
        found[number] = "".join(local.stream(question(), mode, SHORT))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(6)] == alone * 3


def test_a_card_that_is_none_is_named(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    for file in adapter.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "flex_coach.json").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        find_sampler(str(tiny), tmp_path)
