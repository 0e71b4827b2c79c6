"""Where answers end, and what a checkpoint's own settings of generation do to them: nothing."""

from pathlib import Path
from typing import Any

import pytest
import torch

from vlm.generate import GREEDY, Conversation, Decoding, generate, generation_config
from vlm.model import Coach, load_coach


@pytest.fixture(scope="module")
def hub_coach(hub_folder: Path) -> Coach:
    return load_coach(hub_folder, device="cpu")


def ids_of(coach: Coach, *tokens: str) -> list[int]:
    return [int(one) for one in coach.processor.tokenizer.convert_tokens_to_ids(list(tokens))]


def test_both_end_tokens_of_the_checkpoint_end_an_answer(hub_coach: Coach) -> None:
    ends = sorted(ids_of(hub_coach, "<|im_end|>", "<|endoftext|>"))
    assert generation_config(hub_coach, GREEDY).eos_token_id == ends


def test_nothing_else_of_the_checkpoints_settings_is_taken(hub_coach: Coach) -> None:
    settings = hub_coach.model.generation_config
    assert settings.repetition_penalty in (None, 1.0)
    assert not settings.do_sample
    assert settings.temperature in (None, 1.0)
    assert generation_config(hub_coach, GREEDY).repetition_penalty == 1.0


@pytest.mark.parametrize("end", ["<|im_end|>", "<|endoftext|>"])
def test_an_answer_stops_at_either(hub_coach: Coach, end: str) -> None:
    """The model is made to say two words, an end, and one word more."""
    word = hub_coach.processor.tokenizer("a")["input_ids"][0]
    planned = [word, word, *ids_of(hub_coach, end), word]
    said: list[int] = []

    def says(_: Any, __: Any, logits: torch.Tensor) -> torch.Tensor:
        logits = torch.full_like(logits, -1e3)
        logits[:, -1, planned[len(said)]] = 0
        said.append(planned[len(said)])
        return logits

    asked = Conversation((), [{"role": "user", "content": "Hm?"}])
    hook = hub_coach.model.lm_head.register_forward_hook(says)
    try:
        answer = generate(hub_coach, [asked], Decoding(max_new_tokens=4))
    finally:
        hook.remove()
    assert answer == ["aa"]
    assert said == planned[:3]
