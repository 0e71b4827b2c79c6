"""Loads a Qwen2.5-VL of any size, from a folder or the hub, with or without an adapter.

    coach = load_coach("Qwen/Qwen2.5-VL-3B-Instruct", adapter=Path("runs/sft/tiny"))

What a checkpoint is, its configuration says, not its name. Weights are read from safetensors only.
The sampler that an adapter was trained with is stored beside it; another one is refused.
"""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flex.problems import InputError, Problem
from flex.video import Sampler
from vlm.card import CARD, CARD_VERSION, CoachCard, agreed_sampler, check_input, input_of, read_card
from vlm.checkpoint_check import check_checkpoint, check_processor
from vlm.defaults import default_sampler, is_tiny_folder
from vlm.fingerprint import weights_fingerprint
from vlm.four_bit import four_bit_settings
from vlm.positions import Rule, give_rule, rule_of
from vlm.vision_attention import join_equal_chunks
from vlm.weights import check_adapter, find_model


@dataclass
class Coach:
    """A model with all that is needed to ask it.

    Attributes:
        model: a `Qwen2_5_VLForConditionalGeneration`, or a PEFT model around one.
        processor: its `Qwen2_5_VLProcessor`.
        sampler: how clips must be sampled for it.
        weights: fingerprint of the base's weights and the adapter's.
        base: fingerprint of the base's weights alone.
        own_rate: the temporal positions that a second of video has in the published checkpoint.
        own_rule: where it places the words behind a video.
    """

    model: Any
    processor: Any
    sampler: Sampler
    weights: str
    base: str = ""
    own_rate: int = 0
    own_rule: Rule = "frame"
    _one_mode: Any = field(default_factory=threading.RLock, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.own_rate = self.own_rate or self.rate

    @property
    def rate(self) -> int:
        """The temporal positions that a second of video has now, read anew at each call."""
        return int(self.plain.config.vision_config.tokens_per_second)

    @rate.setter
    def rate(self, rate: int) -> None:
        self.plain.config.vision_config.tokens_per_second = rate

    @contextlib.contextmanager
    def answering(self, *, tuned: bool) -> Iterator[None]:
        """Hold the model in one mode; another thread that wants it waits.

        Args:
            tuned: with adapter and the positions that it learnt with; else the published model,
                with the adapter put aside and positions of its own. The same without an adapter.
        """
        with self._one_mode:
            if tuned or self.model is self.plain:
                yield
                return
            learnt = self.rate, rule_of(self.plain)
            self.rate = self.own_rate
            give_rule(self.plain, self.own_rule)
            try:
                with self.model.disable_adapter():
                    yield
            finally:
                self.rate = learnt[0]
                give_rule(self.plain, learnt[1])

    def card(self, data: str = "") -> CoachCard:
        """Return the card of what is trained as this sees now, on dialogues of a fingerprint."""
        return CoachCard(
            version=CARD_VERSION,
            sampler=self.sampler,
            tokens_per_second=self.rate,
            words_follow=rule_of(self.plain),
            base_tokens_per_second=self.own_rate,
            input=input_of(self.processor),
            data=data,
            base=self.base,
        )

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
    four_bit: bool = False,
) -> Coach:
    """Return a model ready to be asked or trained.

    Args:
        model: a folder, or a hub id such as Qwen/Qwen2.5-VL-3B-Instruct.
        adapter: a PEFT folder.
        sampler: must be the card's where there is one; by default the card's, else what a recipe
            would show (`vlm.defaults`).
        dtype: a torch dtype; "auto" is bfloat16 on a GPU and float32 on a CPU.
        device: a torch device; "auto" takes a GPU if there is one.
        attention: sdpa, eager or flash_attention_2.
        four_bit: load the language model's layers in 4 bits.

    Raises:
        InputError: no such model, no network, no safetensors, another kind of model, weights that
            are not all there (`vlm.checkpoint_check`), an adapter of another base, or frames or a
            processor other than those it was trained with.
    """
    folder = find_model(str(model))
    check_checkpoint(folder)
    processor = _load_processor(folder)
    base = weights_fingerprint(folder)
    card, place = read_card(folder), folder
    weights = base
    if adapter is not None:
        check_adapter(adapter)
        card, place = read_card(adapter) or card, adapter
        if card and card.base not in ("", base):
            message = f"was trained on another base than {model}: {card.base}, found {base}"
            raise InputError([Problem(str(adapter), message)])
        weights = f"{base}+{weights_fingerprint(adapter)}"
    if card:
        sampler = agreed_sampler(sampler, card, place)
        check_input(card, input_of(processor), place)
    loaded = _load_weights(folder, dtype, device, attention, four_bit)
    if adapter is not None:
        loaded = _with_adapter(loaded, adapter)
    chosen = sampler or default_sampler(folder)
    own_rule = _own_rule(folder)
    coach = Coach(loaded.eval(), processor, chosen, weights, base, own_rule=own_rule)
    give_rule(coach.plain, card.rule if card else own_rule)
    if card:
        coach.rate = card.rate(coach.own_rate)
        _tell(card, coach.own_rate, place)
    return coach


def _own_rule(folder: Path) -> Rule:
    """Return where a model without an adapter places the words behind a video."""
    card = read_card(folder)
    if card:
        return card.rule
    return "frame" if is_tiny_folder(folder) else "video"


def _tell(card: CoachCard, own_rate: int, place: Path) -> None:
    """Warn of what an old card lacks."""
    lacking = card.notes(own_rate)
    if lacking:
        message = f"{place / CARD} is from an earlier version and lacks {'; '.join(lacking)}"
        warnings.warn(message, stacklevel=3)


def _load_processor(folder: Path) -> Any:
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise InputError([Problem(str(folder), f"has no usable processor: {error}")]) from error
    check_processor(processor, folder)
    # Frames come sampled and resized; these hold for whoever calls the processor directly.
    processor.video_processor.do_sample_frames = False
    processor.video_processor.cap_pixels_per_frame = True
    return processor


def _load_weights(folder: Path, dtype: str, device: str, attention: str, four_bit: bool) -> Any:
    import torch
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    config = AutoConfig.from_pretrained(folder)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto":
        dtype = "bfloat16" if device.startswith("cuda") else "float32"
    quantised = four_bit_settings(device) if four_bit else {}
    try:
        model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, dtype),
            attn_implementation=attention,
            use_safetensors=True,
            **quantised,
        )
    except ImportError as error:
        if attention in ("sdpa", "eager"):  # these are part of torch: it is something else
            raise
        message = f"attention {attention!r} is not installed; use sdpa"
        raise InputError([Problem("attention", message)]) from error
    if attention == "sdpa":
        join_equal_chunks(model)
    model.generation_config = _ends_only(model.generation_config)
    return model if four_bit else model.to(device)


def _ends_only(published: Any) -> Any:
    """Return what a checkpoint says of special tokens, and nothing of how answers are drawn.

    `generate` takes from it whatever a call leaves open: Qwen's penalty on repetition and its near
    zero temperature would get into answers, or into a merged model, without anybody's asking.
    """
    from transformers import GenerationConfig

    return GenerationConfig(
        bos_token_id=published.bos_token_id,
        eos_token_id=published.eos_token_id,
        pad_token_id=published.pad_token_id,
    )


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    try:
        tuned = PeftModel.from_pretrained(model, str(adapter), use_safetensors=True)
        # Once more, since only this says what it did not find; PEFT would go on without it.
        found = tuned.load_adapter(str(adapter), "default", use_safetensors=True)
    except (RuntimeError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0]
        message = f"does not fit this base; was it trained on another? ({first})"
        raise InputError([Problem(str(adapter), message)]) from error
    for names, fault in ((found.missing_keys, "lacks"), (found.unexpected_keys, "has too many")):
        if names:
            message = f"{fault} tensors for this base ({len(names)}, the first is {names[0]})"
            raise InputError(
                [Problem(str(adapter), f"{message}; train it again or fetch it whole")]
            )
    return tuned
