"""Loads a Qwen2.5-VL of any size, from a folder or the hub, with or without an adapter.

    coach = load_coach("Qwen/Qwen2.5-VL-3B-Instruct", adapter=Path("runs/sft/tiny"))

What a checkpoint is, its configuration says, not its name. Weights are read from safetensors only.
The sampler that an adapter was trained with is stored beside it; another one is refused.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flex.files import write_text
from flex.problems import InputError, Problem, problems_of
from flex.video import Sampler
from vlm.vision_attention import join_equal_chunks
from vlm.weights import check_adapter, find_model, weights_fingerprint

MODEL_TYPE = "qwen2_5_vl"
CARD = "flex_coach.json"
# Qwen2.5-VL has two temporal positions a second, and a clip of 2 s has a pair of frames each 0.25 s
# or faster: pairs would share a position (0, 0, 1, 1, …). More positions a second keep 32 frames
# of 2 s apart, with steps that the model met in slower videos. A checkpoint with at least four of
# its own is left as it is.
LEAST_TOKENS_PER_SECOND = 4
TOKENS_PER_SECOND = 8


class CoachCard(BaseModel):
    """What lies beside an adapter or a model of ours, in `flex_coach.json`.

    Attributes:
        sampler: the frames that it learnt from.
        data: fingerprint of the dialogues.
        base: `weights_fingerprint` of the model that an adapter belongs to; empty if there is none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sampler: Sampler = Sampler()
    data: str = ""
    base: str = ""

    def write(self, folder: Path) -> None:
        """Write the card into a folder."""
        write_text(folder / CARD, self.model_dump_json(indent=2) + "\n")


@dataclass
class Coach:
    """A model with all that is needed to ask it.

    Attributes:
        model: a `Qwen2_5_VLForConditionalGeneration`, or a PEFT model around one.
        processor: its `Qwen2_5_VLProcessor`.
        sampler: how clips must be sampled for it.
        weights: fingerprint of the base's weights and the adapter's.
        base: fingerprint of the base's weights alone.
    """

    model: Any
    processor: Any
    sampler: Sampler
    weights: str
    base: str = ""

    @property
    def device(self) -> Any:
        """Where the model lies."""
        return self.model.device

    @property
    def plain(self) -> Any:
        """The `Qwen2_5_VLForConditionalGeneration`; an adapter that is on acts in its layers."""
        model = self.model
        return model.get_base_model() if hasattr(model, "get_base_model") else model


def load_coach(
    model: str | Path,
    adapter: Path | None = None,
    *,
    sampler: Sampler | None = None,
    dtype: str = "auto",
    device: str = "auto",
    attention: str = "sdpa",
) -> Coach:
    """Return a model ready to be asked or trained.

    Args:
        model: a folder, or a hub id such as Qwen/Qwen2.5-VL-3B-Instruct.
        adapter: a PEFT folder.
        sampler: must be the stored one where one is stored; otherwise the stored or default one.
        dtype: a torch dtype; "auto" is bfloat16 on a GPU and float32 on a CPU.
        device: a torch device; "auto" takes a GPU if there is one.
        attention: sdpa, eager or flash_attention_2.

    Raises:
        InputError: no such model, no network, no safetensors, another kind of model, an adapter of
            another base, or a sampler other than the one it was trained with.
    """
    folder = find_model(str(model))
    processor = _load_processor(folder)
    base = weights_fingerprint(folder)
    stored = _read_card(folder)
    weights = base
    if adapter is not None:
        check_adapter(adapter)
        stored = _read_card(adapter) or stored
        if stored and stored.base not in ("", base):
            message = f"was trained on another base than {model}: {stored.base}, found {base}"
            raise InputError([Problem(str(adapter), message)])
        weights = f"{base}+{weights_fingerprint(adapter)}"
    chosen = _agreed_sampler(sampler, stored, adapter or folder)
    loaded = _load_weights(folder, dtype, device, attention)
    if adapter is not None:
        loaded = _with_adapter(loaded, adapter)
    return Coach(loaded.eval(), processor, chosen, weights, base)


def spread_times(config: Any) -> None:
    """Give a configuration enough temporal positions to keep the frames of a short clip apart."""
    vision = config.vision_config
    if vision.tokens_per_second < LEAST_TOKENS_PER_SECOND:
        vision.tokens_per_second = TOKENS_PER_SECOND


def _agreed_sampler(wanted: Sampler | None, stored: CoachCard | None, place: Path) -> Sampler:
    if stored is None:
        return wanted or Sampler()
    if wanted is not None and wanted != stored.sampler:
        differing = ", ".join(
            f"{name} {getattr(wanted, name)} (trained with {getattr(stored.sampler, name)})"
            for name in Sampler.model_fields
            if getattr(wanted, name) != getattr(stored.sampler, name)
        )
        message = f"was trained on frames sampled in another way: {differing}"
        raise InputError([Problem(str(place / CARD), message)])
    return stored.sampler


def _read_card(folder: Path) -> CoachCard | None:
    path = folder / CARD
    if not path.exists():
        return None
    try:
        return CoachCard.model_validate(json.loads(path.read_text("utf-8")))
    except json.JSONDecodeError as error:
        raise InputError([Problem(str(path), f"not valid JSON ({error.msg})")]) from error
    except ValidationError as error:
        raise InputError(problems_of(error, lambda _: str(path))) from error


def _load_processor(folder: Path) -> Any:
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise InputError([Problem(str(folder), f"has no usable processor: {error}")]) from error
    # Frames come sampled and resized; these hold for whoever calls the processor directly.
    processor.video_processor.do_sample_frames = False
    processor.video_processor.cap_pixels_per_frame = True
    return processor


def _load_weights(folder: Path, dtype: str, device: str, attention: str) -> Any:
    import torch
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    config = AutoConfig.from_pretrained(folder)
    if config.model_type != MODEL_TYPE:
        message = f"model_type is {config.model_type!r}, expected {MODEL_TYPE!r}"
        raise InputError([Problem(str(folder / "config.json"), message)])
    spread_times(config)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    try:
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, dtype),
            attn_implementation=attention,
            use_safetensors=True,
        )
    except ImportError as error:
        message = f"attention {attention!r} is not installed; use sdpa"
        raise InputError([Problem("attention", message)]) from error
    if attention == "sdpa":
        join_equal_chunks(model)
    return model.to(device)


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
    except (RuntimeError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0]
        message = f"does not fit this base; was it trained on another? ({first})"
        raise InputError([Problem(str(adapter), message)]) from error
