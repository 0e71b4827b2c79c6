"""Answers that grow side by side: each as it is alone, whoever stops, ends or fails."""

from threading import Thread
from typing import Any

import pytest
import torch

from flex.problems import InputError
from vlm.generate import Conversation, Decoding, generate
from vlm.model import Coach
from vlm.streaming import Writing, write

SHORT = Decoding(max_new_tokens=16)


def begin(coach: Coach, conversations: list[Conversation], decoding: Decoding) -> list[Writing]:
    writings = [Writing(coach, conversation) for conversation in conversations]
    Thread(target=write, args=(coach, writings, decoding)).start()
    return writings


def test_one_comes_in_pieces(lively: Coach, conversations: list[Conversation]) -> None:
    (one,) = begin(lively, conversations[:1], SHORT)
    pieces = list(one.pieces())
    assert len(pieces) > 1
    assert ["".join(pieces)] == generate(lively, conversations[:1], SHORT)


def test_each_is_as_it_is_alone(lively: Coach, conversations: list[Conversation]) -> None:
    alone = [generate(lively, [conversation], SHORT)[0] for conversation in conversations]
    writings = begin(lively, conversations, SHORT)
    assert ["".join(one.pieces()) for one in writings] == alone


def test_one_that_nobody_reads_on_does_not_end_the_others(
    lively: Coach, conversations: list[Conversation]
) -> None:
    first, second = begin(lively, conversations[:2], SHORT)
    reading = first.pieces()
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert ["".join(second.pieces())] == generate(lively, conversations[1:2], SHORT)


def test_nobody_reads_on_and_the_model_stops(
    lively: Coach, conversations: list[Conversation]
) -> None:
    writings = [Writing(lively, conversation) for conversation in conversations[:2]]
    far = Decoding(max_new_tokens=100_000)
    writer = Thread(target=write, args=(lively, writings, far), daemon=True)
    writer.start()
    for one in writings:
        reading = one.pieces()
        next(reading)
        reading.close()  # type: ignore[attr-defined]
    writer.join(60)
    assert not writer.is_alive()


def test_one_that_has_ended_is_there_before_the_others(
    lively: Coach, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    end = lively.processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    forward, steps = lively.model.lm_head.forward, []
    whole: list[str] = []

    def the_first_ends_after_three(hidden: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = forward(hidden)
        steps.append(1)
        if len(steps) == 4:
            scores[0, ..., end] = 1e4
        if len(steps) == 6:
            # The model waits here until the first was read to its end.
            reader.join(60)
            assert whole
        return scores

    writings = [Writing(lively, conversation) for conversation in conversations[:2]]
    reader = Thread(target=lambda: whole.append("".join(writings[0].pieces())))
    reader.start()
    monkeypatch.setattr(lively.model.lm_head, "forward", the_first_ends_after_three)
    write(lively, writings, SHORT)
    assert len(steps) == SHORT.max_new_tokens


def test_a_failure_is_raised_where_each_is_read(
    lively: Coach, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr(lively.model.lm_head, "forward", fail)
    for one in begin(lively, conversations[:2], SHORT):
        with pytest.raises(MemoryError, match="too large"):
            list(one.pieces())


def test_a_conversation_that_is_none_is_refused_before(lively: Coach) -> None:
    with pytest.raises(InputError):
        Writing(lively, Conversation((), [{"role": "nobody", "content": "?"}]))
