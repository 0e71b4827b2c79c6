"""What `python -m sft bench` trains on: a model of random weights, clips of noise, filler text.

Speed does not depend on what the weights, pixels or words are, only on their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from flex.video import sample
from sft.data import Clip
from sft.recipe import Recipe
from vlm.card import spread_rate
from vlm.chat import Encoded, encode
from vlm.dialogues import DEFAULT_VIEW, STAGES, DialogueRecord, Turn, view_path
from vlm.four_bit import in_four_bits
from vlm.model import Coach
from vlm.tiny import build_config, build_tokenizer

Shape = Literal["3b", "tiny"]
_SENTENCE = "Keep your back flat and push your knees out over your toes while you stand up. "
_QUESTION = "What went wrong, and what should change?"
_FPS, _CLIP_FRAMES = 30, 60


@dataclass(frozen=True)
class Decoding:
    """The same examples, each sampled from its clip whenever it is asked for: no cache at all."""

    clips: Sequence[Clip]
    recipe: Recipe
    processor: Any

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> Encoded:
        clip = self.clips[index]
        path = view_path(clip.data, clip.record, clip.view)
        frames = sample(path, self.recipe.sampler, clip.phases)
        newline = self.recipe.learn_newline
        return encode(self.processor, [frames], clip.record.turns, learn_newline=newline)


def random_coach(shape: Shape, recipe: Recipe, device: str, attention: str) -> Coach:
    """Return a coach with random weights: Qwen2.5-VL-3B's shape, or the tiny one's.

    Its tokenizer is a small one in both; the table of words and the output layer have full size.
    """
    import torch
    from transformers import (
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokenizer = build_tokenizer([_SENTENCE, _QUESTION], vocabulary=384)
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(cap_pixels_per_frame=True),
        chat_template=tokenizer.chat_template,
    )
    config = build_config(tokenizer, hidden=64, layers=2) if shape == "tiny" else None
    config = config or three_billion(tokenizer)
    vision = config.vision_config
    vision.tokens_per_second = spread_rate(vision.tokens_per_second)
    torch.manual_seed(0)
    with torch.device(device):
        model = Qwen2_5_VLForConditionalGeneration._from_config(
            config, dtype=getattr(torch, recipe.dtype), attn_implementation=attention
        )
    model.requires_grad_(False)
    if recipe.four_bit:
        model = in_four_bits(model)
    return Coach(model.eval(), processor, recipe.sampler, "random", "random")


def three_billion(tokenizer: Any) -> Any:
    """Return the configuration of Qwen2.5-VL-3B, but with the ids of another tokenizer."""
    config = build_config(tokenizer)
    text = {
        "vocab_size": 151936,
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "rope_parameters": {
            "rope_type": "default",
            "mrope_section": [16, 24, 24],
            "rope_theta": 1e6,
        },
    }
    vision = {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 2048,
        "fullatt_block_indexes": [7, 15, 23, 31],
        "tokens_per_second": 2,
    }
    whole = config.to_dict()
    kept = {k: v for k, v in config.text_config.to_dict().items() if k.endswith("_token_id")}
    return type(config)(
        text_config=kept | text | {"tie_word_embeddings": True, "max_position_embeddings": 32768},
        vision_config=config.vision_config.to_dict() | vision,
        tie_word_embeddings=True,
        **{k: v for k, v in whole.items() if k.startswith(("image_", "video_", "vision_start"))},
    )


def write_clips(
    folder: Path, count: int, tokens: int, recipe: Recipe, processor: Any
) -> list[Clip]:
    """Write clips of 2 s, 224 pixels wide, each with a dialogue of about so many tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for number in range(count):
        name = f"{number:03}.mp4"
        if not (folder / name).exists():
            _write_noise(folder / name, number)
        record = DialogueRecord(
            clip=f"noise/{number:03}",
            action="noise",
            split="train",
            views={DEFAULT_VIEW: name},
            turns=_turns(1),
        )
        clips.append(Clip(record, DEFAULT_VIEW, folder))
    bare = len(Decoding(clips, recipe, processor)[0])
    each = len(processor.tokenizer(_SENTENCE)["input_ids"])
    turns = _turns(1 + max(0, tokens - bare) // each)
    return [
        Clip(clip.record.model_copy(update={"turns": turns}), DEFAULT_VIEW, folder)
        for clip in clips
    ]


def _turns(sentences: int) -> tuple[Turn, ...]:
    """Return the four stages with so many filler sentences in all, at least one each."""
    shares = [(sentences + place) // len(STAGES) or 1 for place in range(len(STAGES))]
    return tuple(
        Turn(stage=stage, question=_QUESTION, answer=_SENTENCE * share)
        for stage, share in zip(STAGES, shares, strict=True)
    )


def _write_noise(path: Path, seed: int) -> None:
    import av

    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS)
        stream.width = stream.height = 224
        stream.pix_fmt = "yuv420p"
        for _ in range(_CLIP_FRAMES):
            blocks = random.integers(0, 256, (28, 28, 3), dtype=np.uint8)
            picture = av.VideoFrame.from_ndarray(blocks.repeat(8, 0).repeat(8, 1), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
