"""What answers: a local model, or one behind an endpoint, seen alike by `eval.predict_dialogue`."""

import os
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.predict_fit import FittingGenerator
from flex.cli import err
from flex.files import hash_text
from flex.problems import InputError, Problem
from flex.video import Sampler
from vlm.card import (
    PUBLISHED_TOKENS_PER_SECOND,
    CoachCard,
    agreed_sampler,
    read_card,
    require_card,
    spread_rate,
)
from vlm.chat import plain_ids
from vlm.defaults import recipe_sampler
from vlm.endpoint import Endpoint
from vlm.features import FeatureCache
from vlm.generate import Conversation, Decoding, Reply
from vlm.model import Coach, load_coach
from vlm.positions import rule_of
from vlm.prefix_generate import PrefixGenerator
from vlm.probe import probe
from vlm.weights import find_model

# Where the server does not tell how it counts: English has about this many characters a token.
CHARACTERS_A_TOKEN = 4
_FRAME_RULE = (
    "the adapter has learnt with words_follow 'frame', which vLLM does not have; answer on this "
    "machine, or tune a released base, whose words follow the video"
)


@dataclass
class Local:
    """A model on this machine.

    Attributes:
        coach: the model.
        features: keeps what its vision tower makes of each clip.
    """

    coach: Coach
    features: FeatureCache | None = None

    def __post_init__(self) -> None:
        self._fitting = FittingGenerator(PrefixGenerator(self.coach), self.features)

    @property
    def weights(self) -> str:
        """Fingerprint of base and adapter, and of positions unlike those of earlier versions."""
        coach = self.coach
        now, before = (coach.rate, rule_of(coach.plain)), (spread_rate(coach.own_rate), "frame")
        return coach.weights if now == before else f"{coach.weights}@{now[0]} {now[1]}"

    @property
    def context(self) -> int | None:
        """Longest prompt plus answer, in tokens."""
        text = self.coach.model.config.get_text_config()
        return int(text.max_position_embeddings)

    @property
    def most(self) -> int | None:
        """How many conversations fit into the memory at once, once that is known."""
        return self._fitting.most

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        """Return one reply for each conversation, all in one batch if that fits.

        Raises:
            InputError: not even one conversation at a time fits into the memory.
        """
        return self._fitting.generate(conversations, decoding)

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text takes."""
        return len(plain_ids(self.coach.processor, text))


@dataclass
class Served:
    """A model behind an OpenAI-compatible endpoint, which does not tell its weights or context.

    Attributes:
        card: what it, or the adapter that it is compared with, has learnt from.
        tuned: whether the adapter answers, which must see just that.
    """

    endpoint: Endpoint
    card: CoachCard | None = None
    tuned: bool = False
    _one_checks: Any = field(default_factory=threading.Lock, init=False, repr=False)
    _checked: bool = field(default=False, init=False)

    def ready(self) -> None:
        """See once that the server shows the model what the card says; a note is printed otherwise.

        Raises:
            UnreachableError: nobody answers; it may be tried again.
            InputError: the tuned model would see something else than it has learnt from; says what
                to do.
        """
        with self._one_checks:
            if self._checked:
                return
            if self.card is not None:
                self._check(self.card)
            if not self.tuned and self.endpoint.server.kind == "transformers":
                self.endpoint.send = "images"
                self._note("takes no video, so that frames are sent as pictures, without times")
            self._checked = True

    def _check(self, card: CoachCard) -> None:
        own = card.base_tokens_per_second or PUBLISHED_TOKENS_PER_SECOND
        rates = (card.rate(own), own) if self.tuned else (own, card.rate(own))
        found = probe(self.endpoint, card.sampler, *rates)
        if card.rule == "frame" and self.endpoint.server.kind == "vllm":
            found.wrong.append(_FRAME_RULE)
        if self.tuned and found.wrong:
            raise InputError(Problem(self._place, one) for one in found.wrong)
        for lacking in card.notes(own) if self.tuned else ():
            self._note(f"the card lacks {lacking}")
        for one in (*found.wrong, *found.unknown):
            self._note(one)

    def _note(self, text: str) -> None:
        err.print(f"{self._place}: {text}", style="yellow", markup=False)

    @property
    def _place(self) -> str:
        return f"{self.endpoint.base_url}, model {self.endpoint.model!r}"

    @property
    def weights(self) -> str:
        """Fingerprint of the address and the model's name: all that is known of the weights."""
        endpoint = self.endpoint
        return hash_text("endpoint with times", endpoint.base_url, endpoint.model, endpoint.send)

    @property
    def context(self) -> int | None:
        """Not known."""
        return None

    @property
    def most(self) -> int | None:
        """Not known: the server makes its batches itself."""
        return None

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
        """Return one reply for each conversation."""
        self.ready()
        return self.endpoint.replies(conversations, decoding)

    def stream(self, conversation: Conversation, decoding: Decoding) -> Generator[str]:
        """Yield an answer piece by piece."""
        self.ready()
        yield from self.endpoint.stream(conversation, decoding)

    def count_tokens(self, text: str) -> int:
        """Return about how many tokens a text takes."""
        return -(-len(text) // CHARACTERS_A_TOKEN)


def open_local(
    model: str,
    adapter: Path | None,
    sampler: Sampler | None,
    *,
    tuned: bool,
    features: Path | None = None,
) -> tuple[Local, Sampler]:
    """Return a local model and the sampler that its clips are seen through.

    Args:
        model: folder or hub id of the base.
        adapter: the adapter that is compared; the base alone sees its frames too, unless the base
            has a sampler of its own.
        sampler: asked for by the user; refused where another one is stored.
        tuned: whether the adapter is put on.
        features: folder for what the vision tower makes of each clip; without it, it looks anew.

    Raises:
        InputError: as `load_coach`.
    """
    if not tuned and sampler is None and adapter is not None:
        own, theirs = read_card(find_model(model)), read_card(adapter)
        if theirs and not own:
            sampler = theirs.sampler
    coach = load_coach(model, adapter if tuned else None, sampler=sampler)
    coach.model.requires_grad_(False)
    return Local(coach, FeatureCache(features, coach) if features else None), coach.sampler


def open_endpoint(
    address: str,
    model: str,
    adapter: Path | None = None,
    sampler: Sampler | None = None,
    *,
    tuned: bool = False,
) -> tuple[Served, Sampler]:
    """Return a model behind an endpoint, and the sampler that its clips are seen through.

    Its key is read from OPENAI_API_KEY. Nothing is asked of it before `Served.ready`.

    Args:
        address: up to and with `/v1`.
        model: as the server calls it.
        adapter: a folder with the card of the adapter that is compared.
        sampler: asked for by the user; refused where the card has another one.
        tuned: whether the adapter answers under this name; else its base, as published.

    Raises:
        InputError: tuned without a card, or another sampler than the card's.
    """
    endpoint = Endpoint(address, model, os.environ.get("OPENAI_API_KEY", "none"))
    if adapter is None:
        if tuned:
            message = "name the folder of the served adapter: its card says what it learnt to see"
            raise InputError([Problem("--adapter", message)])
        return Served(endpoint), sampler or recipe_sampler()
    card = require_card(adapter)
    return Served(endpoint, card, tuned=tuned), agreed_sampler(sampler, card, adapter)
