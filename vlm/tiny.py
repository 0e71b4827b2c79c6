"""A Qwen2.5-VL small enough for two cores: the same classes, its own tokenizer, 4 million weights.

    processor = build_processor(texts)
    model = build_model(processor.tokenizer)

112-pixel frames become 4 × 4 places of 28 pixels, as in the real model; 16 frames become 8 steps of
time, so a clip costs 128 tokens.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

END = "<|im_end|>"
# In the order of Qwen's own tokenizer; the model's configuration takes their ids from it.
SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    END,
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
# Qwen's own split of text, which keeps digits apart.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CHAT = Path(__file__).resolve().parent.parent / "prompts" / "chat" / "qwen.j2"
VOCABULARY = 2048
PIXELS = 112 * 112


def build_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Any:
    """Return a byte-level BPE tokenizer trained on texts, with Qwen's special tokens."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    plain.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=plain,
        eos_token=END,
        pad_token="<|endoftext|>",
        additional_special_tokens=[name for name in SPECIAL if name not in (END, "<|endoftext|>")],
        clean_up_tokenization_spaces=False,
        chat_template=_CHAT.read_text("utf-8"),
    )


def build_processor(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Any:
    """Return the processor of the tiny model: tokenizer, chat template, video of 112 pixels."""
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    size = {"shortest_edge": 56 * 56, "longest_edge": PIXELS}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=build_tokenizer(texts, vocabulary),
        video_processor=Qwen2VLVideoProcessor(size=size),
        chat_template=_CHAT.read_text("utf-8"),
    )


def build_config(tokenizer: Any, *, hidden: int = 192, layers: int = 4) -> Any:
    """Return the configuration of the tiny model."""
    from transformers import Qwen2_5_VLConfig

    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    heads = hidden // 64
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": hidden,
            "intermediate_size": 3 * hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": heads,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [8, 12, 12],
                "rope_theta": 1e6,
            },
            "bos_token_id": ids["<|endoftext|>"],
            "eos_token_id": ids[END],
            "pad_token_id": ids["<|endoftext|>"],
        },
        vision_config={
            "depth": 3 * layers // 2,
            "hidden_size": 3 * hidden // 4,
            "intermediate_size": 2 * hidden,
            "num_heads": max(1, hidden // 64),
            "out_hidden_size": hidden,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": [3 * layers // 2 - 1],
            "tokens_per_second": 8,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def build_model(tokenizer: Any, *, hidden: int = 192, layers: int = 4, seed: int = 0) -> Any:
    """Return a tiny model with random weights; the same seed gives the same ones."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(seed)
    return Qwen2_5_VLForConditionalGeneration(build_config(tokenizer, hidden=hidden, layers=layers))


def tiny_coach_folder(
    folder: Path, texts: Iterable[str] = ("Hello, coach.",), vocabulary: int = 320, seed: int = 0
) -> Path:
    """Write a random tiny model (hidden 64, 2 layers) and its processor into a folder.

    `AutoProcessor` and `vlm.model.load_coach` read it. Returns the folder.
    """
    processor = build_processor(texts, vocabulary)
    model = build_model(processor.tokenizer, hidden=64, layers=2, seed=seed)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
