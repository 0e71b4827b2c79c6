"""Asks a local model: batches padded on the left, answers that stop at their end.

answers = generate(coach, [Conversation((frames,), [{"role": "user", "content": "Well?"}])])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from flex.files import hash_text
from flex.video import Frames
from vlm.chat import END, Encoded, Message, Vision
from vlm.collate import Collator
from vlm.dialogues import MAX_NEW_TOKENS
from vlm.model import Coach

_NOT_FOR_MODELS = ("labels", "stage_ids")


@dataclass(frozen=True)
class Conversation:
    """What was said so far; the next answer is the model's.

    Attributes:
        videos: what is seen before the first user message, or its tensors.
        messages: {"role": "system" | "user" | "assistant", "content": text}, ending with the user.
    """

    videos: tuple[Frames, ...] | Vision
    messages: list[Message]


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        text: without the end token.
        cut: whether it had not ended when it was as long as `Decoding.max_new_tokens` allows.
    """

    text: str
    cut: bool = False


class Decoding(BaseModel):
    """How answers are drawn; greedy unless `do_sample`.

    Attributes:
        max_new_tokens: the longest answer.
        seed: makes sampling repeatable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = Field(MAX_NEW_TOKENS, ge=1)
    do_sample: bool = False
    temperature: float = Field(1.0, gt=0)
    top_p: float = Field(1.0, gt=0, le=1)
    repetition_penalty: float = Field(1.0, gt=0)
    seed: int = 0

    def fingerprint(self) -> str:
        """Return a hash of all that an answer depends on besides model and prompt."""
        return hash_text("decoding", self.model_dump_json())


GREEDY = Decoding()


def generate(
    coach: Coach,
    conversations: Sequence[Conversation],
    decoding: Decoding = GREEDY,
    *,
    batch_size: int = 8,
) -> list[str]:
    """Return one answer a conversation, in order, without the end token.

    Raises:
        InputError: a conversation has no user message or an unknown role.
    """
    from vlm.prefix_generate import PrefixGenerator

    generator = PrefixGenerator(coach)
    batches = [
        conversations[start : start + batch_size]
        for start in range(0, len(conversations), batch_size)
    ]
    return [reply.text for batch in batches for reply in generator.generate(batch, decoding)]


def model_inputs(coach: Coach, rows: Sequence[Encoded]) -> dict[str, Any]:
    """Return what the model takes of dialogues (B, L), padded on the left, on its device."""
    from accelerate.utils import send_to_device

    from vlm.features import with_encoder_outputs

    batch = Collator.of(coach.processor, side="left")(rows)
    kept = {name: value for name, value in batch.items() if name not in _NOT_FOR_MODELS}
    return with_encoder_outputs(send_to_device(kept, coach.device))


def generation_config(coach: Coach, decoding: Decoding) -> Any:
    """Return settings that leave nothing to what a checkpoint's own file may say."""
    from transformers import GenerationConfig

    tokenizer = coach.processor.tokenizer
    sampling = {"temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
    return GenerationConfig(
        max_new_tokens=decoding.max_new_tokens,
        do_sample=decoding.do_sample,
        repetition_penalty=decoding.repetition_penalty,
        eos_token_id=_ends(coach),
        pad_token_id=tokenizer.pad_token_id,
        **(sampling if decoding.do_sample else {}),
    )


def _ends(coach: Coach) -> list[int]:
    """Return the tokens that end an answer: `END`, the tokenizer's, and those of the checkpoint.

    Qwen's own are <|im_end|> and <|endoftext|>; a model that writes the latter has stopped too.
    """
    tokenizer = coach.processor.tokenizer
    published = coach.plain.generation_config.eos_token_id
    ends = {tokenizer.convert_tokens_to_ids(END), tokenizer.eos_token_id}
    ends |= set(published if isinstance(published, list) else [published])
    return sorted(ends - {None})
