"""Likelihoods of given answers: as computed one by one, with the video looked at once."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from vlm_clips import MakeFrames

from flex.problems import InputError
from vlm.chat import encode_prompt, see
from vlm.collate import Collator
from vlm.generate import Conversation
from vlm.likelihood import log_likelihoods
from vlm.model import Coach

ANSWERS = ["It is the squat.", "Keep your back straight.", "I", "Your knees <|im_end|> caved in."]
MESSAGES = [
    {"role": "user", "content": "Which exercise is this?"},
    {"role": "assistant", "content": "It is the squat."},
    {"role": "user", "content": "How was mine?"},
]


def one_by_one(coach: Coach, conversation: Conversation, answer: str) -> list[float]:
    """Return the log-probability of each token of an answer, the slow and plain way."""
    prompt = encode_prompt(coach.processor, conversation.videos, conversation.messages)
    tokenizer = coach.processor.tokenizer
    ids = tokenizer(answer, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    start = len(prompt.input_ids)
    prompt.add(ids)
    batch = Collator.of(coach.processor)([prompt])
    del batch["labels"], batch["stage_ids"]
    with torch.no_grad():
        logs = coach.model(**batch).logits[0].log_softmax(-1)
    return [float(logs[start + place - 1, token]) for place, token in enumerate(ids)]


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_they_equal_those_computed_one_by_one(
    lively: Coach, make_frames: MakeFrames, batch_size: int
) -> None:
    conversation = Conversation((make_frames(8, seed=1),), MESSAGES)
    plain = [one_by_one(lively, conversation, answer) for answer in ANSWERS]
    found = log_likelihoods(lively, conversation, ANSWERS, batch_size=batch_size)
    assert found == pytest.approx([sum(logs) for logs in plain], rel=1e-4)
    assert len({len(logs) for logs in plain}) > 2, "answers of several lengths"
    means = log_likelihoods(lively, conversation, ANSWERS, per_token=True, batch_size=batch_size)
    assert means == pytest.approx([sum(logs) / len(logs) for logs in plain], rel=1e-4)


def test_they_depend_on_what_is_seen(lively: Coach, make_frames: MakeFrames) -> None:
    found = [
        log_likelihoods(lively, Conversation((make_frames(seed=seed),), MESSAGES), ANSWERS)
        for seed in (1, 2)
    ]
    assert found[0] != pytest.approx(found[1], rel=1e-3)


def test_a_video_is_looked_at_once(
    lively: Coach, make_frames: MakeFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = make_frames(8, seed=1)
    looked: list[int] = []
    tower = lively.model.model.visual
    forward = tower.forward

    def count(*values: Any, **options: Any) -> Any:
        looked.append(1)
        return forward(*values, **options)

    monkeypatch.setattr(tower, "forward", count)
    found = log_likelihoods(lively, Conversation((frames,), MESSAGES), ANSWERS, batch_size=2)
    assert len(looked) == 1
    seen = see(lively.processor, [frames])
    made = lively.model.get_video_features(seen.pixel_values_videos, seen.video_grid_thw)
    features = replace(seen, pixel_values_videos=None, features=torch.cat(made.pooler_output))
    looked.clear()
    again = log_likelihoods(lively, Conversation(features, MESSAGES), ANSWERS)
    assert again == pytest.approx(found, rel=1e-4)
    assert looked == []


def test_without_a_video_and_without_answers(lively: Coach) -> None:
    conversation = Conversation((), MESSAGES)
    plain = sum(one_by_one(lively, conversation, ANSWERS[0]))
    assert log_likelihoods(lively, conversation, ANSWERS[:1]) == pytest.approx([plain], rel=1e-4)
    assert log_likelihoods(lively, conversation, []) == []


def test_an_answer_without_text_is_named(lively: Coach) -> None:
    with pytest.raises(InputError, match="answers: expected some text"):
        log_likelihoods(lively, Conversation((), MESSAGES), ["It is.", ""])
