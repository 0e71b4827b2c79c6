"""What a writer of evaluations (turn 3) is, and what it gives back."""

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from qa_gen.dialogue import Finding, Sentence, Tokens
from qa_gen.facts import Facts


class Written(BaseModel):
    """An evaluation; with findings it failed the fact check and waits for a person.

    Attributes:
        attempts: how often the writer was asked.
        tokens: summed over the attempts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentences: tuple[Sentence, ...]
    model: str | None = None
    attempts: int = 1
    tokens: Tokens = Tokens()
    findings: tuple[Finding, ...] = ()


class Writer(Protocol):
    """Turns facts into an evaluation.

    Attributes:
        name: "template" or "llm".
        prompts: hash of the wording that it uses.
    """

    name: str
    prompts: str

    async def write(self, facts: Facts, family: str) -> Written:
        """Write the evaluation of one clip in a phrasing family."""
        ...

    def spent(self) -> str:
        """Return what the run has cost so far, for people; empty if writing costs nothing."""
        ...


class Stopped(Exception):  # noqa: N818 - a stop is not an error
    """A run cannot go on, says why and what to do; what was finished is kept."""


class Late(Exception):  # noqa: N818 - nothing is wrong with the clip
    """A clip has no evaluation yet, since no answer came in time; the next run asks again.

    It is neither written nor flagged: what a run writes never depends on how fast the endpoint was.
    """
