"""A served model sees what training saw: ids, pixels, grid and positions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from official_server import OfficialServer, serving
from vlm_clips import TURNS, MakeFrames

from flex.video import Frames
from vlm.chat import encode
from vlm.collate import Collator
from vlm.endpoint import Endpoint
from vlm.generate import Conversation, Decoding
from vlm.model import Coach
from vlm.positions import give_rule


@pytest.fixture
def official(lively: Coach) -> Iterator[OfficialServer]:
    """A server whose processor has the sizes of the hub's checkpoints, of a released model."""
    from transformers import Qwen2_5_VLProcessor, Qwen2VLVideoProcessor

    own = lively.processor
    processor = Qwen2_5_VLProcessor(
        own.image_processor,
        own.tokenizer,
        Qwen2VLVideoProcessor(),
        chat_template=own.chat_template,
    )
    give_rule(lively.plain, "video")
    yield OfficialServer(lively, processor)
    give_rule(lively.plain, lively.own_rule)


def in_training(coach: Coach, frames: Frames) -> dict[str, Any]:
    """Return a training example of a dialogue about a clip, with its positions."""
    batch = Collator.of(coach.processor)([encode(coach.processor, [frames], TURNS)])
    names = ("mm_token_type_ids", "video_grid_thw", "second_per_grid_ts", "attention_mask")
    given = {name: batch[name] for name in names}
    batch["positions"], _ = coach.plain.model.get_rope_index(batch["input_ids"], **given)
    return batch


def ask(official: OfficialServer, frames: Frames) -> None:
    """Ask the second question of the dialogue, with the reference answer before it."""
    messages = [
        {"role": "user", "content": TURNS[0].question},
        {"role": "assistant", "content": TURNS[0].answer},
        {"role": "user", "content": TURNS[1].question},
    ]
    with serving(official) as address:
        endpoint = Endpoint(address, "coach")
        endpoint.generate([Conversation((frames,), messages)], Decoding(max_new_tokens=1))


@pytest.mark.parametrize(
    ("count", "total", "fps", "side"),
    [
        (16, 60, 30.0, 112),  # 2 s: pairs are a quarter of a second apart
        (16, 234, 59.94, 56),
        (4, 54, 29.97, 84),
        (40, 240, 30.0, 56),  # more frames than vLLM takes unless it is told to
        (8, 3, 25.0, 56),  # a clip so short that frames are repeated
    ],
)
def test_a_served_model_sees_what_training_saw(
    lively: Coach,
    official: OfficialServer,
    make_frames: MakeFrames,
    count: int,
    total: int,
    fps: float,
    side: int,
) -> None:
    frames = make_frames(count, side=side, total=total, fps=fps)
    ask(official, frames)
    (seen,) = official.seen
    trained = in_training(lively, frames)
    length = len(seen.ids)
    assert seen.ids == trained["input_ids"][0, :length].tolist()
    assert seen.grid == trained["video_grid_thw"].tolist()
    assert torch.equal(seen.pixels, trained["pixel_values_videos"])
    np.testing.assert_array_equal(seen.positions, trained["positions"][:, 0, :length].numpy())


@pytest.mark.parametrize("parts", [{"times"}, {"times", "frames"}, {"sizes"}])
def test_each_part_of_a_request_counts(
    lively: Coach, official: OfficialServer, make_frames: MakeFrames, parts: set[str]
) -> None:
    official.heeds -= parts
    frames = make_frames(40, side=56, total=240)
    ask(official, frames)
    (seen,) = official.seen
    trained = in_training(lively, frames)
    positions = trained["positions"][:, 0, : len(seen.ids)].numpy()
    assert not np.array_equal(seen.positions, positions)
    if parts != {"times"}:
        assert seen.grid != trained["video_grid_thw"].tolist()
