"""Words behind a video: transformers' rule, and the published model's."""

import pytest
import torch
from vlm_clips import MakeFrames

from vlm.chat import encode_prompt
from vlm.collate import Collator
from vlm.model import Coach
from vlm.positions import Rule, give_rule

QUESTION = [{"role": "user", "content": "How was it? " * 3}]


def places(coach: Coach, rule: Rule, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    names = ("mm_token_type_ids", "video_grid_thw", "second_per_grid_ts", "attention_mask")
    give_rule(coach.plain, rule)
    try:
        found: tuple[torch.Tensor, ...] = coach.plain.model.get_rope_index(
            batch["input_ids"], **{name: batch[name] for name in names}
        )
    finally:
        give_rule(coach.plain, coach.own_rule)
    return found


@pytest.mark.parametrize("side", ["left", "right"])
def test_words_stand_behind_the_whole_video(
    coach: Coach, make_frames: MakeFrames, side: str
) -> None:
    """16 frames of 2 s have places 0 to 14 in time, and 4 rows and columns."""
    long = make_frames(16, side=112)
    short = make_frames(2, side=112)
    asked = [([long], QUESTION), ([short], QUESTION), ([short, long], QUESTION)]
    rows = [encode_prompt(coach.processor, videos, words) for videos, words in asked]
    batch = Collator.of(coach.processor, side=side)(rows)  # type: ignore[arg-type]
    theirs, _ = places(coach, "frame", batch)
    ours, distances = places(coach, "video", batch)
    for number, row in enumerate(rows):
        real = batch["attention_mask"][number].bool()
        video = batch["mm_token_type_ids"][number][real] == 2
        placed, before = ours[:, number, real], theirs[:, number, real]
        first, last = int(video.nonzero()[0]), int(video.nonzero()[-1])
        assert torch.equal(placed[:, :first], before[:, :first])
        after = placed[:, last + 1 :]
        assert (after == after[0]).all()
        assert (after[0].diff() == 1).all()
        assert after[0, 0] == placed[:, : last + 1].max() + 1
        moved = 14 + 1 - 4 if number != 1 else 0
        assert torch.equal(after, before[:, last + 1 :] + moved)
        assert distances[number] == placed.max() + 1 - len(row)
    assert torch.equal(
        ours[:, ~batch["attention_mask"].bool()], theirs[:, ~batch["attention_mask"].bool()]
    )


def test_generation_goes_on_behind_the_words(lively: Coach, make_frames: MakeFrames) -> None:
    """With its own cache the model writes as it does when it reads all again."""
    from vlm.generate import Conversation, Decoding, generate, model_inputs

    frames = make_frames(16, side=112)
    give_rule(lively.plain, "video")
    try:
        asked = Conversation((frames,), QUESTION)
        (answer,) = generate(lively, [asked], Decoding(max_new_tokens=6))
        row = encode_prompt(lively.processor, [frames], QUESTION)
        for _ in range(6):
            with torch.no_grad():
                best = lively.model(**model_inputs(lively, [row])).logits[0, -1].argmax()
            row.add([int(best)])
    finally:
        give_rule(lively.plain, lively.own_rule)
    written = lively.processor.tokenizer.decode(row.input_ids[-6:], skip_special_tokens=True)
    assert written == answer
