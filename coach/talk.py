"""Who talks: a model on this machine, with and without its adapter, or one behind an endpoint.

    talker = open_local_talker("models/tiny-coach-base", Path("runs/sft/coach"))
    for piece in talker.stream(Conversation((frames,), messages), "tuned", Decoding()): ...

A local model is in memory once. The base talks through it with the adapter put aside and positions
of its own, so that only answers in one mode are written side by side.
"""

import contextlib
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from coach.together import Together
from eval.predict_model import Local, Served, open_endpoint
from flex.problems import InputError, Problem
from flex.video import Frames, Sampler
from vlm.defaults import is_tiny
from vlm.endpoint import UnreachableError
from vlm.generate import Conversation, Decoding
from vlm.likelihood import log_likelihoods
from vlm.model import Coach, load_coach
from vlm.streaming import Writing, write

# base: as it came. prompted: the base, told the graph's rules. tuned: with the adapter.
Mode = Literal["base", "prompted", "tuned"]
MODES: tuple[Mode, ...] = ("base", "prompted", "tuned")


def is_untuned(mode: Mode) -> bool:
    """Say whether nobody has taught a model to coach in a mode, so that its answers are doubted."""
    return mode != "tuned"


# Several answers at once take hardly longer than one.
AT_ONCE = 8


class Talker(Protocol):
    """Answers questions about clips.

    Attributes:
        simulated: whether it knows simulated clips only.
        at_once: how many answers it writes at a time.
        rates: whether it can say how likely it holds an answer.
    """

    simulated: bool
    at_once: int
    rates: bool

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The ways in which it can answer."""

    @property
    def responder(self) -> Local | Served:
        """What counts tokens and knows the context."""

    def name(self, mode: Mode) -> str:
        """Return who talks in a mode, for people."""

    def stream(self, conversation: Conversation, mode: Mode, decoding: Decoding) -> Generator[str]:
        """Yield an answer piece by piece; closing the iterator stops the model."""

    def rate(
        self, conversation: Conversation, mode: Mode, answers: Sequence[str]
    ) -> list[float] | None:
        """Return the log-likelihood of each answer; `None` where the model does not give any."""


@dataclass(frozen=True)
class _Rating:
    """Answers that are to be rated."""

    conversation: Conversation
    answers: Sequence[str]
    found: Future[list[float]] = field(default_factory=Future)

    def rate(self, coach: Coach) -> None:
        try:
            rated = log_likelihoods(coach, self.conversation, self.answers, batch_size=20)
            self.found.set_result(rated)
        except Exception as error:
            self.found.set_exception(error)


# The mode, and how answers are written; `None` to rate.
_Kind = tuple[Mode, Decoding | None]


@dataclass
class LocalTalker:
    """A model on this machine."""

    responder: Local
    base: str
    adapter: str = ""
    simulated: bool = False
    at_once: int = AT_ONCE
    modes: tuple[Mode, ...] = MODES
    rates: bool = True

    def __post_init__(self) -> None:
        self._together: Together[_Kind, Writing | _Rating] = Together(self._work, self.at_once)

    def name(self, mode: Mode) -> str:
        """Return base, adapter and whether it is told the rules."""
        told = " told the rules" if mode == "prompted" else ""
        return f"{self.base} + {self.adapter}" if mode == "tuned" else f"{self.base}{told}"

    def stream(self, conversation: Conversation, mode: Mode, decoding: Decoding) -> Generator[str]:
        """Yield an answer piece by piece; waits for those that are being written to end first.

        Raises:
            InputError: a conversation that is none.
        """
        one = Writing(self.responder.coach, conversation)
        self._together.add((mode, decoding), one)
        yield from one.pieces()

    def rate(self, conversation: Conversation, mode: Mode, answers: Sequence[str]) -> list[float]:
        """Return the log-likelihood of each answer; waits until no answer is to be written.

        Raises:
            InputError: a conversation that is none.
        """
        one = _Rating(conversation, answers)
        self._together.add((mode, None), one, later=True)
        return one.found.result()

    def _work(self, kind: _Kind, ones: Sequence[Writing | _Rating]) -> None:
        """Write answers, or rate some; nothing else uses the model."""
        mode, decoding = kind
        coach = self.responder.coach
        with coach.answering(tuned=mode == "tuned"):
            if decoding:
                write(coach, [one for one in ones if isinstance(one, Writing)], decoding)
            for one in ones:
                if isinstance(one, _Rating):
                    one.rate(coach)


@dataclass
class ServedTalker:
    """A tuned model behind an endpoint, and its base if the endpoint has that too.

    An endpoint serves each under a name of its own, so that no adapter is put on or aside here.
    """

    responder: Served
    base: Served | None = None
    simulated: bool = False
    at_once: int = AT_ONCE
    rates: bool = False

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes "base" and "prompted" need a base."""
        return MODES if self.base else ("tuned",)

    def name(self, mode: Mode) -> str:
        """Return the served name and whether it is told the rules."""
        told = " told the rules" if mode == "prompted" else ""
        return f"{self._asked(mode).endpoint.model}{told}"

    def stream(self, conversation: Conversation, mode: Mode, decoding: Decoding) -> Generator[str]:
        """Yield an answer piece by piece.

        Raises:
            InputError: the endpoint cannot be reached or refuses, or has no base.
        """
        yield from self._asked(mode).stream(conversation, decoding)

    def rate(
        self, conversation: Conversation, mode: Mode, answers: Sequence[str]
    ) -> list[float] | None:
        """Return `None`: chat endpoints do not rate answers that they did not write."""
        return None

    def _asked(self, mode: Mode) -> Served:
        if mode == "tuned":
            return self.responder
        if self.base is None:
            raise InputError([Problem(mode, "needs --base-endpoint-model")])
        return self.base


def open_local_talker(model: str, adapter: Path | None, sampler: Sampler) -> LocalTalker:
    """Load a model, and have it look at nothing once, so that its first answer is not slow.

    Raises:
        InputError: as `vlm.model.load_coach`.
    """
    coach = load_coach(model, adapter, sampler=sampler)
    talker = LocalTalker(
        Local(coach),
        Path(model).name,
        adapter.name if adapter else "",
        simulated=is_tiny(model),
        modes=MODES if adapter else MODES[:2],
    )
    side = 112
    nothing = Frames(
        np.zeros((sampler.frames, side, side, 3), np.uint8),
        tuple(range(sampler.frames)),
        float(sampler.frames),
        sampler.frames,
    )
    hello = Conversation((nothing,), [{"role": "user", "content": "?"}])
    for _ in talker.stream(hello, "base", Decoding(max_new_tokens=2)):
        pass
    return talker


def open_served_talker(
    address: str, model: str, base: str | None = None, *, adapter: Path | None
) -> ServedTalker:
    """Return models behind an OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY.

    Args:
        address: up to and with `/v1`.
        model: the tuned one, as the server calls it.
        base: the one that it was tuned from, likewise.
        adapter: a folder with the card of the tuned one.

    Raises:
        InputError: as `eval.predict_model.open_endpoint` and `Served.ready`.
    """
    tuned, _ = open_endpoint(address, model, adapter, tuned=True)
    plain = open_endpoint(address, base, adapter)[0] if base else None
    # A server that is still starting is looked at when the first question comes.
    with contextlib.suppress(UnreachableError):
        for served in filter(None, (tuned, plain)):
            served.ready()
    return ServedTalker(tuned, plain)
