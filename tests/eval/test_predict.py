"""`eval.predict` on a random tiny coach and films that the test draws."""

import json
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval import predict
from eval.answers import Answer, read_answers
from eval.predict_cache import AnswerCache, answer_key
from eval.predict_rules import choose_rules
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.video import Sampler
from vlm.generate import Conversation, Decoding, Reply

GRAPH = load_graph()
QUESTIONS = {
    "recognise": "Which exercise is it?",
    "standard": "How is it done?",
    "evaluate": "How was it?",
    "score": "Your score?",
}


def film(path: Path, shade: int) -> None:
    import av

    path.parent.mkdir(parents=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 56
        stream.pix_fmt = "yuv420p"
        for number in range(8):
            picture = np.full((56, 56, 3), shade + 5 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))


def dialogue(clip: str, split: str = "test") -> dict[str, Any]:
    return {
        "clip": clip,
        "action": "A16",
        "subject": "P01",
        "skill": "novice",
        "split": split,
        "turns": [
            {"stage": stage, "question": question, "answer": f"The {stage} of {clip}."}
            for stage, question in QUESTIONS.items()
        ],
        "facts": {
            "errors": [
                {"key_step": "AK44", "error_type": "ET056", "start_s": 0.5, "end_s": 0.75},
                {"key_step": "AK44", "error_type": "ET055"},
            ],
            "labelled": [["AK44", "ET056"], ["AK44", "ET055"]],
            "score": 80.0,
        },
        "simulated": True,
    }


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Three test clips and one to train on, with their dialogues."""
    lines = []
    for number, split in enumerate(("test", "test", "test", "train")):
        clip = f"A16/{number:03}"
        film(tmp_path / "data" / clip / "View-1.mp4", 40 * number)
        lines.append(json.dumps(dialogue(clip, split)))
    (tmp_path / "dialogues.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


@dataclass
class Parrot:
    """Answers with what it was asked and how much it had heard; keeps what it saw."""

    weights: str = "parrot"
    context: int | None = None
    heard: list[Conversation] = field(default_factory=list)
    dies_after: int | None = None
    most: int | None = None

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        if self.dies_after is not None and len(self.heard) >= self.dies_after:
            raise KeyboardInterrupt
        self.heard += conversations
        return [Reply(self._say(c.messages)) for c in conversations]

    def _say(self, messages: Sequence[dict[str, str]]) -> str:
        if len([m for m in messages if m["role"] == "user"]) == 1:
            return "A squat, I think."
        return f"I heard {len(messages)} messages – {messages[-1]['content']}"

    def count_tokens(self, text: str) -> int:
        return len(text.split())


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch) -> Parrot:
    bird = Parrot()
    sampler = Sampler(frames=4, pixels=56 * 56)
    monkeypatch.setattr(predict, "_load", lambda *_: (bird, sampler))
    return bird


def run(world: Path, *modes: str, **options: Any) -> list[Answer]:
    options = {
        "batch": 2,
        "model": "parrot",
        "out": world / "out",
        "cache": world / "cache",
        **options,
    }
    files = predict.run(
        data=world / "data", dialogues=world / "dialogues.jsonl", modes=modes, **options
    )
    return [answer for file in files for answer in read_answers(file, GRAPH)]


def test_its_own_answers_go_into_the_history(world: Path, parrot: Parrot) -> None:
    answers = run(world, "pretrained")
    assert [answer.clip for answer in answers[::4]] == ["A16/000", "A16/001", "A16/002"]
    assert [answer.stage for answer in answers[:4]] == list(QUESTIONS)
    last = parrot.heard[-1].messages
    assert [message["role"] for message in last] == ["user", "assistant"] * 3 + ["user"]
    assert last[1]["content"] == "A squat, I think."
    assert not any(answer.reference in str(last) for answer in answers)
    assert answers[3].answer == "I heard 7 messages – Your score?"
    assert answers[3].truth.score == 80
    assert answers[3].truth.errors == ("AK44:ET056", "AK44:ET055")
    assert answers[3].truth.labelled == ("AK44:ET056", "AK44:ET055")
    assert answers[3].truth.times == {"AK44:ET056": (0.5, 0.75)}
    record = json.loads((world / "out" / "predict-pretrained.json").read_text())
    assert record["simulated"]
    assert record["reused"] == 0


def test_frames_are_held_for_one_batch_only(
    world: Path, parrot: Parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[weakref.ref[Any]] = []
    most = 0

    def generate(conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        nonlocal most
        for one in conversations:
            assert isinstance(one.videos, tuple)
            seen.extend(map(weakref.ref, one.videos))
        most = max(most, len({id(video()) for video in seen if video() is not None}))
        return [Reply("A squat.")] * len(conversations)

    monkeypatch.setattr(parrot, "generate", generate)
    assert len(run(world, "pretrained", batch=1)) == 12
    assert most == 1


def test_a_killed_run_goes_on_and_asks_nothing_twice(world: Path, parrot: Parrot) -> None:
    whole = run(world, "pretrained", out=world / "whole")
    asked = len(parrot.heard)
    parrot.heard.clear()
    parrot.dies_after = 6
    with pytest.raises(KeyboardInterrupt):
        run(world, "pretrained")
    cache = world / "out" / "cache.jsonl"
    cache.write_text(cache.read_text() + '{"key": "cut in the mid')
    before, parrot.dies_after = len(parrot.heard), None
    assert run(world, "pretrained") == whole
    assert len(parrot.heard) == asked
    assert before == 6
    run(world, "pretrained")
    assert len(parrot.heard) == asked


@pytest.mark.parametrize("part", ["frames", "messages", "weights", "decoding"])
def test_the_key_holds_all_that_an_answer_depends_on(part: str) -> None:
    base: dict[str, Any] = {"frames": "f", "messages": [], "weights": "w", "decoding": "d"}
    other = [{"role": "user", "content": "x"}] if part == "messages" else "other"
    assert answer_key(**base) != answer_key(**{**base, part: other})


def test_a_changed_film_is_asked_about_again(world: Path, parrot: Parrot) -> None:
    run(world, "pretrained", limit=1)
    path = world / "data" / "A16" / "000" / "View-1.mp4"
    path.unlink()
    path.parent.rmdir()
    film(path, 111)
    run(world, "pretrained", limit=1)
    assert len(parrot.heard) == 8


def test_prompted_hears_the_rules_of_all_actions(world: Path, parrot: Parrot) -> None:
    run(world, "prompted", limit=1)
    system = parrot.heard[0].messages[0]
    assert system["role"] == "system"
    assert all(action.name in system["content"] for action in GRAPH.actions.values())
    assert all(GRAPH.error_types[e].description in system["content"] for e in GRAPH.error_types)
    told = json.loads((world / "out" / "predict-prompted.json").read_text())["rules"]
    assert told.startswith("the rules of all 20 actions")


def test_prompted_hears_the_recognised_action_where_all_do_not_fit(
    world: Path, parrot: Parrot
) -> None:
    parrot.context = 4096
    run(world, "prompted", limit=1)
    first, second = (conversation.messages[0]["content"] for conversation in parrot.heard[:2])
    assert "Squat;" in first
    assert "Errors:" not in first
    squat = GRAPH.actions["A16"]
    assert all(GRAPH.key_steps[step].standard in second for step in squat.key_steps)
    assert "Barbell Biceps Curl" not in second
    told = json.loads((world / "out" / "predict-prompted.json").read_text())["rules"]
    assert "the action that the model itself recognised" in told


def test_rules_that_just_fit_are_told() -> None:
    count = choose_rules(GRAPH, len, None).tokens
    assert choose_rules(GRAPH, len, count).whole
    assert not choose_rules(GRAPH, len, count - 1).whole


def test_a_broken_film_is_named_and_left_out(
    world: Path, parrot: Parrot, capsys: pytest.CaptureFixture[str]
) -> None:
    (world / "data/A16/001/View-1.mp4").write_bytes(b"no film")
    (world / "data/A16/002/View-1.mp4").unlink()
    answers = run(world, "pretrained")
    assert {answer.clip for answer in answers} == {"A16/000"}
    told = capsys.readouterr().err
    assert "A16/001/View-1.mp4" in told.replace("\n", "")
    assert "A16/002" in told.replace("\n", "")
    record = json.loads((world / "out" / "predict-pretrained.json").read_text())
    assert len(record["broken"]) == 2


def test_no_film_at_all_is_an_error(world: Path, parrot: Parrot) -> None:
    with pytest.raises(InputError, match="View-9"):
        run(world, "pretrained", view="View-9")


def test_modes_are_checked(world: Path, parrot: Parrot) -> None:
    with pytest.raises(InputError, match="unknown mode 'tunde'"):
        run(world, "tunde")
    with pytest.raises(InputError, match="needs the folder of an adapter"):
        run(world, "tuned")


def test_a_cache_line_without_an_answer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cache.jsonl"
    path.write_text('{"key": "a", "answer": "b"}\n{"key": 3}\n')
    with AnswerCache(path) as cache:
        assert cache.get("a") == Reply("b")
        assert [problem.place for problem in cache.broken] == [f"{path}:2"]


def test_a_real_tiny_model_gives_the_same_answers_at_any_batch(world: Path) -> None:
    pytest.importorskip("transformers")
    from vlm.tiny import tiny_coach_folder

    texts = [text for text in QUESTIONS.values()]
    folder = tiny_coach_folder(world / "tiny", texts)
    options = {"model": str(folder), "max_new_tokens": 6, "sampler": Sampler(frames=4)}
    one = run(world, "pretrained", "prompted", batch=1, out=world / "one", **options)
    three = run(world, "pretrained", "prompted", batch=3, out=world / "three", **options)
    assert len(one) == 24
    assert one == three
    assert any(answer.answer for answer in one)


def test_tuned_puts_the_adapter_on_and_sees_its_frames(world: Path) -> None:
    pytest.importorskip("peft")
    import torch
    from peft import LoraConfig, get_peft_model

    from vlm.card import CoachCard
    from vlm.model import load_coach
    from vlm.tiny import tiny_coach_folder

    folder = tiny_coach_folder(world / "tiny", list(QUESTIONS.values()))
    coach = load_coach(folder)
    settings = LoraConfig(r=4, target_modules=r".*language_model.*down_proj")
    tuned = get_peft_model(coach.model, settings)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_" in name:
                weight.normal_(generator=torch.Generator().manual_seed(len(name)))
    tuned.save_pretrained(str(world / "adapter"))
    sampler = Sampler(frames=6, pixels=56 * 56)
    CoachCard(sampler=sampler, base=coach.base).write(world / "adapter")
    options = {"model": str(folder), "adapter": world / "adapter", "max_new_tokens": 4}
    answers = run(world, "pretrained", "tuned", limit=1, **options)
    records = [
        json.loads((world / "out" / f"predict-{mode}.json").read_text())
        for mode in ("pretrained", "tuned")
    ]
    assert [record["sampler"] for record in records] == [sampler.model_dump()] * 2
    assert records[1]["weights"].startswith(records[0]["weights"] + "+")
    assert [a.answer for a in answers[:4]] != [a.answer for a in answers[4:]]
