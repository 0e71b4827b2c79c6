"""Generation: batches equal single questions, answers stop, endpoints are asked."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from vlm_clips import MakeFrames

from flex.problems import InputError
from vlm.dialogues import MAX_NEW_TOKENS
from vlm.endpoint import Endpoint
from vlm.generate import Conversation, Decoding, generate
from vlm.model import Coach

SHORT = Decoding(max_new_tokens=16)


def test_left_padded_batches_answer_as_single_questions_do(
    lively: Coach, conversations: list[Conversation]
) -> None:
    single = [generate(lively, [conversation], SHORT)[0] for conversation in conversations]
    assert generate(lively, conversations, SHORT) == single
    assert generate(lively, conversations, SHORT, batch_size=3) == single
    assert len(set(single)) == 4
    assert generate(lively, [], SHORT) == []


def test_what_is_seen_changes_the_answer(lively: Coach, make_frames: MakeFrames) -> None:
    from vlm.chat import encode_prompt
    from vlm.collate import Collator

    seen = []
    for seed in (1, 2):
        row = encode_prompt(
            lively.processor, [make_frames(seed=seed)], [{"role": "user", "content": "?"}]
        )
        batch = Collator.of(lively.processor)([row])
        del batch["stage_ids"], batch["labels"]
        with torch.no_grad():
            seen.append(lively.model(**batch).logits[0, -1])
    assert not torch.allclose(seen[0], seen[1])


def test_an_answer_stops_at_its_end(
    lively: Coach, conversations: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    end = lively.processor.tokenizer.convert_tokens_to_ids("<|im_end|>")
    forward, steps = lively.model.lm_head.forward, []

    def ends_after_three(hidden: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = forward(hidden)
        steps.append(1)
        if len(steps) == 4:
            scores[..., end] = 1e4
        return scores

    monkeypatch.setattr(lively.model.lm_head, "forward", ends_after_three)
    (answer,) = generate(lively, conversations[:1], Decoding(max_new_tokens=50))
    assert len(steps) == 4
    assert "<|im_end|>" not in answer


def test_sampling_is_repeatable(lively: Coach, conversations: list[Conversation]) -> None:
    def draw(seed: int) -> list[str]:
        return generate(
            lively, conversations, Decoding(max_new_tokens=8, do_sample=True, seed=seed)
        )

    assert draw(1) == draw(1) != draw(2)


def test_clip_hashes_tell_decodings_apart() -> None:
    assert Decoding().fingerprint() != Decoding(temperature=0.5).fingerprint()
    assert Decoding().fingerprint() == Decoding(max_new_tokens=MAX_NEW_TOKENS).fingerprint()


@pytest.fixture
def server(chat_server: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    with chat_server() as (address, asked):
        yield address, asked


def test_an_endpoint_gets_the_sampled_frames(
    server: tuple[str, list[dict[str, Any]]], conversations: list[Conversation]
) -> None:
    from PIL import Image

    url, asked = server
    endpoint = Endpoint(url, "coach")
    assert endpoint.generate(conversations[:3], SHORT) == ["Good."] * 3
    assert "".join(endpoint.stream(conversations[1], SHORT)) == "Good."
    body = asked[-1]
    assert (body["temperature"], body["max_tokens"]) == (0.0, 16)
    first, *others = body["messages"]
    assert [part["type"] for part in first["content"]] == ["video_url", "text"]
    assert [message["content"] for message in others] == ["It is the squat.", "How was mine?"]
    pictures = first["content"][0]["video_url"]["url"].removeprefix("data:video/jpeg;base64,")
    video = conversations[1].videos
    assert isinstance(video, tuple)
    for picture, pixels in zip(pictures.split(","), video[0].pixels, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
            np.testing.assert_array_equal(np.array(image), pixels)
    with pytest.raises(InputError, match="one video in a request"):
        endpoint.generate(conversations[3:], SHORT)
    Endpoint(url, "coach", send="images").generate(conversations[3:], SHORT)
    kinds = [part["type"] for part in asked[-1]["messages"][0]["content"]]
    assert kinds == ["image_url"] * 10 + ["text"]


def test_an_endpoint_that_fails_says_what_to_check(
    server: tuple[str, list[dict[str, Any]]], conversations: list[Conversation]
) -> None:
    with pytest.raises(InputError, match="refused with status 404; check model 'gone'"):
        Endpoint(server[0], "gone").generate(conversations[:1])
    nobody = Endpoint("http://127.0.0.1:9/v1", "coach", retries=0)
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/v1: cannot be reached"):
        nobody.generate(conversations[:1])
