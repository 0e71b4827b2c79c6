"""What answers: a local model, or one behind an endpoint, seen alike by `eval.predict_dialogue`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flex.files import hash_text
from flex.video import Sampler
from vlm.chat import plain_ids
from vlm.endpoint import Endpoint
from vlm.generate import Conversation, Decoding, generate
from vlm.model import CARD, Coach, CoachCard, load_coach
from vlm.weights import find_model

# Where the server does not tell how it counts: English has about this many characters a token.
CHARACTERS_A_TOKEN = 4


@dataclass
class Local:
    """A model on this machine."""

    coach: Coach

    @property
    def weights(self) -> str:
        """Fingerprint of base and adapter."""
        return self.coach.weights

    @property
    def context(self) -> int | None:
        """Longest prompt plus answer, in tokens."""
        text = self.coach.model.config.get_text_config()
        return int(text.max_position_embeddings)

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[str]:
        """Return one answer for each conversation, all in one batch."""
        return generate(self.coach, conversations, decoding, batch_size=len(conversations))

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes."""
        return len(plain_ids(self.coach.processor, text))


@dataclass
class Served:
    """A model behind an OpenAI-compatible endpoint, which does not tell its weights or context."""

    endpoint: Endpoint

    @property
    def weights(self) -> str:
        """Fingerprint of the address and the model's name: all that is known of the weights."""
        return hash_text("endpoint", self.endpoint.base_url, self.endpoint.model)

    @property
    def context(self) -> int | None:
        """Not known."""
        return None

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[str]:
        """Return one answer for each conversation."""
        return self.endpoint.generate(conversations, decoding)

    def count_tokens(self, text: str) -> int:
        """Return about how many tokens a text takes."""
        return -(-len(text) // CHARACTERS_A_TOKEN)


def open_local(
    model: str, adapter: Path | None, sampler: Sampler | None, *, tuned: bool
) -> tuple[Local, Sampler]:
    """Return a local model and the sampler that its clips are seen through.

    Args:
        model: folder or hub id of the base.
        adapter: the adapter that is compared; the base alone sees its frames too, unless the base
            has a sampler of its own.
        sampler: asked for by the user; refused where another one is stored.
        tuned: whether the adapter is put on.

    Raises:
        InputError: as `load_coach`.
    """
    if not tuned and sampler is None and adapter is not None:
        own, theirs = find_model(model) / CARD, adapter / CARD
        if theirs.exists() and not own.exists():
            sampler = CoachCard.model_validate_json(theirs.read_text("utf-8")).sampler
    coach = load_coach(model, adapter if tuned else None, sampler=sampler)
    return Local(coach), coach.sampler


def open_endpoint(address: str, model: str) -> Served:
    """Return a model behind an endpoint; its key is read from OPENAI_API_KEY."""
    return Served(Endpoint(address, model, os.environ.get("OPENAI_API_KEY", "none")))
