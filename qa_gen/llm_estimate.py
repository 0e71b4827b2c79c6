"""What a run with a language model would cost, without asking it anything.

Tokens are the ledger's averages for this model, where it has any; else four characters make a
token, an answer's length goes with the number of errors, and nothing is in the provider's cache.
Re-asks are not in the estimate: how many there will be depends on the model.
"""

from collections.abc import Iterable
from typing import NamedTuple

from qa_gen.cache import Measured
from qa_gen.client import prompt_characters
from qa_gen.facts import Facts
from qa_gen.llm_writer import LlmWriter

CHARACTERS_PER_TOKEN = 4.0
# An answer in JSON: what every clip has (opening, praise, closing), and each error's two sentences.
COMPLETION_TOKENS = 150
COMPLETION_TOKENS_PER_ERROR = 90


class Estimate(NamedTuple):
    """What a run would ask for.

    Attributes:
        requests: clips that need at least one more request.
        cached: clips that are finished already and cost nothing.
        measured: whether the token counts are averages of earlier requests.
    """

    requests: int
    cached: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    currency: str
    measured: bool

    @property
    def text(self) -> str:
        """One line for people."""
        basis = "by the averages of earlier requests" if self.measured else "by text length"
        return (
            f"To ask: {self.requests:,} clips ({self.cached:,} are finished): about "
            f"{self.prompt_tokens:,} prompt and {self.completion_tokens:,} completion tokens "
            f"{basis}, {self.cost:.2f} {self.currency} before re-asks."
        )


def estimate(writer: LlmWriter, clips: Iterable[tuple[Facts, str]]) -> Estimate:
    """Return what writing the clips, each with its phrasing family, would cost from here on."""
    config = writer.config
    measured = writer.cache.measured(config.endpoint, config.model)
    requests = cached = 0
    prompt = completion = 0.0
    for facts, family in clips:
        ask = writer.missing(facts, family)
        if ask is None:
            cached += 1
            continue
        requests += 1
        prompt += _prompt_tokens(prompt_characters(ask.body), measured)
        completion += _completion_tokens(facts, measured)
    cached_share = measured.cached_share if measured else 0.0
    cost = config.prices.cost(prompt=prompt, cached=prompt * cached_share, completion=completion)
    return Estimate(
        requests=requests,
        cached=cached,
        prompt_tokens=round(prompt),
        completion_tokens=round(completion),
        cost=cost,
        currency=config.prices.currency,
        measured=measured is not None,
    )


def _prompt_tokens(characters: int, measured: Measured | None) -> float:
    return (
        characters * measured.tokens_per_character
        if measured
        else characters / CHARACTERS_PER_TOKEN
    )


def _completion_tokens(facts: Facts, measured: Measured | None) -> float:
    if measured:
        return measured.completion_tokens
    return COMPLETION_TOKENS + COMPLETION_TOKENS_PER_ERROR * len(facts.errors)
