"""The card of an adapter: all that decides what the model sees, kept in `flex_coach.json`.

    card = read_card(Path("runs/sft/coach"))
    card.sampler, card.tokens_per_second

Training writes it; evaluation, chat and endpoint take frames and positions from it, and refuse what
differs by name and value. A card from before version 2 holds the sampler only; what it lacks is
taken as the code of that time had it, and `notes` says so.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flex.files import hash_text, write_text
from flex.problems import InputError, Problem, problems_of
from flex.video import Sampler
from vlm.positions import Rule

CARD = "flex_coach.json"
CARD_VERSION = 2
# Qwen2.5-VL has two temporal positions a second, and a clip of 2 s has a pair of frames each 0.25 s
# or faster: pairs would share a position (0, 0, 1, 1, …). More positions a second keep 32 frames
# of 2 s apart, with steps that the model met in slower videos. A checkpoint with at least four of
# its own is left as it is.
LEAST_TOKENS_PER_SECOND = 4
TOKENS_PER_SECOND = 8
PUBLISHED_TOKENS_PER_SECOND = 2
_SETTINGS = (
    "patch_size",
    "temporal_patch_size",
    "merge_size",
    "rescale_factor",
    "image_mean",
    "image_std",
)
_START, _END = "<|im_start|>", "<|im_end|>"


class Input(BaseModel):
    """What a processor makes of frames and words, apart from the frames' choice.

    Attributes:
        system: the message that its chat template puts before a dialogue that has none.
        prompt: hash of what the template puts around a dialogue's words and video.
        pixels: how the values of pixels are scaled and cut into patches.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    system: str
    prompt: str
    pixels: dict[str, Any]


class CoachCard(BaseModel):
    """What lies beside an adapter or a model of ours, in `flex_coach.json`.

    Attributes:
        version: of the card; 1 where the file does not say.
        sampler: the frames that it learnt from, and their size.
        tokens_per_second: the temporal positions that a second of video has; null: not known.
        base_tokens_per_second: those of the published base; null: not known.
        words_follow: what words behind a video stand behind (`vlm.positions`); null: not known.
        input: what the processor made of frames and words; null: not known.
        data: fingerprint of the dialogues.
        base: `weights_fingerprint` of the model that an adapter belongs to; empty if there is none.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = Field(1, ge=1)
    sampler: Sampler = Sampler()
    tokens_per_second: int | None = Field(None, ge=1)
    base_tokens_per_second: int | None = Field(None, ge=1)
    words_follow: Rule | None = None
    input: Input | None = None
    data: str = ""
    base: str = ""

    def write(self, folder: Path) -> None:
        """Write the card into a folder."""
        write_text(folder / CARD, self.model_dump_json(indent=2) + "\n")

    def rate(self, own: int) -> int:
        """Return the positions a second that it learnt with, for a base with `own`."""
        return self.tokens_per_second or spread_rate(own)

    @property
    def rule(self) -> Rule:
        """Where words behind a video stand; adapters of earlier versions had one rule only."""
        return self.words_follow or "frame"

    def notes(self, own: int) -> list[str]:
        """Return what the card lacks, and what is assumed in its place, for a base with `own`."""
        lacking = []
        if self.tokens_per_second is None:
            lacking.append(f"tokens_per_second, which is taken as {self.rate(own)}")
        if self.words_follow is None:
            lacking.append(f"words_follow, which is taken as {self.rule!r}")
        if self.input is None:
            lacking.append("system message, prompt hash and pixels, which are taken as the base's")
        return lacking


def spread_rate(own: int) -> int:
    """Return the positions a second to learn with: the base's own, unless they are too few."""
    return own if own >= LEAST_TOKENS_PER_SECOND else TOKENS_PER_SECOND


def read_card(folder: Path) -> CoachCard | None:
    """Return the card of an adapter or a model of ours; `None` if it has none.

    Raises:
        InputError: it is no card, or one of a later version.
    """
    path = folder / CARD
    if not path.exists():
        return None
    try:
        card = CoachCard.model_validate(json.loads(path.read_text("utf-8")))
    except json.JSONDecodeError as error:
        raise InputError([Problem(str(path), f"not valid JSON ({error.msg})")]) from error
    except ValidationError as error:
        raise InputError(problems_of(error, lambda _: str(path))) from error
    if card.version > CARD_VERSION:
        message = f"is of version {card.version}; this flex-coach reads up to {CARD_VERSION}"
        raise InputError([Problem(str(path), f"{message}: install a newer one")])
    return card


def require_card(folder: Path) -> CoachCard:
    """Return the card of an adapter that is served elsewhere; its weights need not be here.

    Raises:
        InputError: there is none, or it is no card.
    """
    card = read_card(folder)
    if card is None:
        message = f"holds no {CARD}, which says what the model has learnt to see; copy it here"
        raise InputError([Problem(str(folder), message)])
    return card


def input_of(processor: Any) -> Input:
    """Return what a processor makes of frames and words."""
    talk = [
        {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": "?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "!"}]},
        {"role": "user", "content": [{"type": "text", "text": "?"}]},
    ]
    shown = processor.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
    before = shown.partition(f"{_START}user")[0]
    system = before.removeprefix(f"{_START}system\n").removesuffix(f"{_END}\n")
    pixels = {name: getattr(processor.video_processor, name) for name in _SETTINGS}
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in pixels.items()}
    return Input(system=system, prompt=hash_text("prompt", shown), pixels=plain)


def agreed_sampler(wanted: Sampler | None, card: CoachCard, place: Path) -> Sampler:
    """Return the sampler of a card.

    Raises:
        InputError: another one is wanted; names each setting with both values.
    """
    if wanted is None or wanted == card.sampler:
        return card.sampler
    differing = ", ".join(
        f"{name} {getattr(wanted, name)} (trained with {getattr(card.sampler, name)})"
        for name in Sampler.model_fields
        if getattr(wanted, name) != getattr(card.sampler, name)
    )
    message = f"was trained on frames sampled in another way: {differing}"
    raise InputError([Problem(str(place / CARD), message)])


def check_input(card: CoachCard, found: Input, place: Path) -> None:
    """See that a base's processor makes the same of frames and words as the one learnt with.

    Raises:
        InputError: each thing that differs, with both values.
    """
    if card.input is None or card.input == found:
        return
    pairs: list[tuple[str, Any, Any]] = [
        ("system message", card.input.system, found.system),
        ("prompt hash", card.input.prompt, found.prompt),
        *((name, value, found.pixels.get(name)) for name, value in card.input.pixels.items()),
    ]
    raise InputError(
        Problem(str(place / CARD), f"was trained with {name} {old!r}; this base has {new!r}")
        for name, old, new in pairs
        if old != new
    )
