"""The shrunk Qwen2.5-VL has the hub's files, and loads and answers in each of its forms."""

import json
from pathlib import Path

import pytest
import torch
from hub_folder import REAL_TOKENIZER, tensors_of, write_hub_folder
from vlm_clips import MakeFrames

from flex.video import Sampler
from vlm.generate import Conversation, Decoding, generate
from vlm.model import load_coach

EMBEDDED = "model.language_model.embed_tokens"
# What lies beside the weights in the published 3B.
PUBLISHED = {
    "chat_template.json",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model-00001-of-00002.safetensors",
    "model-00002-of-00002.safetensors",
    "model.safetensors.index.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
}


def test_the_folder_holds_what_the_hub_has(hub_folder: Path) -> None:
    assert {file.name for file in hub_folder.iterdir()} == PUBLISHED
    config = json.loads((hub_folder / "config.json").read_text())
    assert config["rope_scaling"] == {"type": "mrope", "mrope_section": [16, 24, 24]}
    assert "text_config" not in config
    tensors = tensors_of(hub_folder)
    assert "lm_head.weight" not in tensors
    assert {"visual.blocks.0.attn.qkv.weight", "model.layers.0.self_attn.q_proj.weight"} <= set(
        tensors
    )
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}


@pytest.mark.parametrize("form", ["hub_folder", "nested_hub_folder"])
def test_it_loads_with_every_weight_in_its_place(
    form: str, request: pytest.FixtureRequest, make_frames: MakeFrames
) -> None:
    folder = request.getfixturevalue(form)
    coach = load_coach(folder, device="cpu", sampler=Sampler(frames=4, pixels=56 * 56))
    tensors = tensors_of(folder)
    loaded = coach.model.state_dict()
    for stored, name in (
        ("visual.patch_embed.proj.weight", "model.visual.patch_embed.proj.weight"),
        ("model.layers.1.mlp.up_proj.weight", "model.language_model.layers.1.mlp.up_proj.weight"),
        ("model.embed_tokens.weight", "lm_head.weight"),
    ):
        key = stored if stored in tensors else name.replace("lm_head", EMBEDDED)
        torch.testing.assert_close(loaded[name], tensors[key].float(), rtol=0, atol=0)
    asked = Conversation((make_frames(4, side=56),), [{"role": "user", "content": "Hm?"}])
    assert len(generate(coach, [asked], Decoding(max_new_tokens=2))) == 1


@pytest.mark.slow
@pytest.mark.skipif(not REAL_TOKENIZER.exists(), reason="the real tokenizer is not installed")
def test_with_the_real_tokenizer(tmp_path: Path) -> None:
    folder = write_hub_folder(tmp_path / "hub", tokenizer=REAL_TOKENIZER)
    coach = load_coach(folder, device="cpu")
    config = coach.model.config
    assert (config.video_token_id, config.text_config.vocab_size) == (151656, 151936)
    assert coach.processor.tokenizer("<|im_end|>")["input_ids"] == [151645]
