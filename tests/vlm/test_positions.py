"""Where the model puts each frame in time and space: traps 2 and 3."""

from typing import Any

import numpy as np
import pytest
import torch
from vlm_clips import MakeFrames

from flex.video import Frames
from vlm.card import TOKENS_PER_SECOND
from vlm.chat import encode, encode_prompt, see
from vlm.collate import Collator
from vlm.dialogues import Turn
from vlm.model import Coach

QUESTION = [{"role": "user", "content": "How was it?"}]


def positions_seen(coach: Coach, run: Any) -> list[torch.Tensor]:
    """Return the (3 or 4, B, L) positions of each call of the language model."""
    seen: list[torch.Tensor] = []

    def keep(_module: Any, _args: Any, kwargs: dict[str, Any]) -> None:
        seen.append(kwargs["position_ids"].clone())

    handle = coach.model.model.language_model.register_forward_pre_hook(keep, with_kwargs=True)
    try:
        with torch.no_grad():
            run()
    finally:
        handle.remove()
    return seen


def inputs_of(coach: Coach, frames: Frames) -> dict[str, Any]:
    row = encode_prompt(coach.processor, [frames], QUESTION)
    batch = Collator.of(coach.processor, side="left")([row])
    return {name: batch[name] for name in batch if name not in ("labels", "stage_ids")}


@pytest.mark.parametrize("count", [16, 32])
@pytest.mark.parametrize("way", ["forward", "generate"])
def test_trap_2_times_of_a_short_clip_stay_apart(
    coach: Coach, make_frames: MakeFrames, way: str, count: int
) -> None:
    inputs = inputs_of(coach, make_frames(count, total=60, fps=30.0))
    settings = {"max_new_tokens": 3, "do_sample": False, "eos_token_id": None}
    runs = {
        "forward": lambda: coach.model(**inputs),
        "generate": lambda: coach.model.generate(**inputs, **settings),
    }
    seen = positions_seen(coach, runs[way])
    video = inputs["mm_token_type_ids"][0] == 2
    times = seen[0][-3, 0, video].reshape(count // 2, 16)
    assert (times == times[:, :1]).all(), "one time for all places of a pair of frames"
    steps = times[1:, 0] - times[:-1, 0]
    assert (steps > 0).all()
    # A clip of 2 s: the step of a pair is 2 s / pairs.
    assert steps.tolist() == [TOKENS_PER_SECOND * 2 * 2 // count] * (count // 2 - 1)
    if way == "generate":
        after = [int(step[-3:, 0, -1].max()) for step in seen]
        assert after == [after[0], after[0] + 1, after[0] + 2]


def test_true_times_go_in(coach: Coach, make_frames: MakeFrames) -> None:
    quick = see(coach.processor, [make_frames(16, total=60, fps=60.0)])
    slow = see(coach.processor, [make_frames(16, total=240, fps=30.0)])
    assert quick.second_per_grid_ts == pytest.approx((0.125,))
    assert slow.second_per_grid_ts == pytest.approx((1.0,))


def test_times_are_those_of_the_processor(coach: Coach, make_frames: MakeFrames) -> None:
    """The whole processor, given the same metadata, comes to the same tensors."""
    from transformers.video_utils import VideoMetadata

    frames = make_frames(16, total=54, fps=29.97)
    made = coach.processor(
        text=["<|vision_start|><|video_pad|><|vision_end|>"],
        videos=[torch.from_numpy(frames.pixels).permute(0, 3, 1, 2)],
        video_metadata=[
            VideoMetadata(total_num_frames=54, fps=29.97, frames_indices=list(frames.indices))
        ],
        do_resize=False,
        do_sample_frames=False,
        return_tensors="pt",
    )
    vision = see(coach.processor, [frames])
    steps_s = [float(step) for step in made["second_per_grid_ts"]]
    assert vision.second_per_grid_ts == pytest.approx(steps_s)
    torch.testing.assert_close(vision.pixel_values_videos, made["pixel_values_videos"])
    assert vision.tokens == (int((made["input_ids"] == coach.processor.video_token_id).sum()),)


@pytest.mark.parametrize("size", [(28, 28), (84, 140), (112, 112), (252, 168)])
def test_trap_3_frames_are_not_resized_again(coach: Coach, size: tuple[int, int]) -> None:
    """Every sampled pixel comes back out of the tensor, whatever the processor's own size is."""
    pixels = np.random.default_rng(1).integers(0, 256, (4, *size, 3), np.uint8)
    vision = see(coach.processor, [Frames(pixels, (0, 1, 2, 3), 30.0, 4)])
    grid_t, rows, columns = vision.video_grid_thw[0].tolist()
    assert (rows * 14, columns * 14) == size
    tower = coach.processor.video_processor
    patches = vision.pixel_values_videos.reshape(
        grid_t, rows // 2, columns // 2, 2, 2, 3, 2, 14, 14
    )
    back = patches.permute(0, 6, 1, 3, 7, 2, 4, 8, 5).reshape(4, *size, 3)
    shown = (back * torch.tensor(tower.image_std) + torch.tensor(tower.image_mean)) * 255
    np.testing.assert_array_equal(shown.round().to(torch.uint8).numpy(), pixels)


def test_training_and_asking_see_the_same_tensors(
    coach: Coach, make_frames: MakeFrames, turns: tuple[Turn, ...]
) -> None:
    frames = make_frames()
    learnt = encode(coach.processor, [frames], turns).vision
    asked = encode_prompt(coach.processor, [frames], QUESTION).vision
    torch.testing.assert_close(learnt.pixel_values_videos, asked.pixel_values_videos)
    assert learnt.second_per_grid_ts == asked.second_per_grid_ts
