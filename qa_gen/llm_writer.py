"""Writes evaluations with a language model: ask → read → fact check → re-ask → flag.

A reply that is unusable or fails the fact check is asked for again with what was wrong named; after
`max_asks` the clip is flagged for a person, with the best of the attempts to start from. Every
completed request is in the cache, so writing again replays it at no cost and to the same result.

    async with open_llm_writer(graph, config, run / "answers.sqlite") as writer:
        written = await writer.write(facts, "train")
        print(writer.spent())
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from flex.files import hash_text
from flex.graph import Graph
from qa_gen.budget import Budget
from qa_gen.cache import Cache, Reply
from qa_gen.check_evaluation import check_evaluation
from qa_gen.client import Client, LateError, UnansweredError, prompt_characters, request_body
from qa_gen.dialogue import Finding, Sentence, Tokens
from qa_gen.evaluation_prompt import Message, messages, reask, wording_hash
from qa_gen.evaluation_reply import UnusableReplyError, read_evaluation
from qa_gen.facts import Facts
from qa_gen.llm_config import LlmConfig
from qa_gen.writer import Late, Written

Check = Callable[[Graph, Facts, Sequence[Sentence]], list[Finding]]


class Ask(NamedTuple):
    """One request that a clip needs: its key in the cache and its body."""

    key: str
    body: dict[str, Any]


class _Judged(NamedTuple):
    """A reply, read and checked."""

    reply: Reply
    sentences: tuple[Sentence, ...]
    findings: tuple[Finding, ...]


class LlmWriter:
    """Writes evaluations with a language model; see `qa_gen.writer.Writer`.

    Args:
        config: how to ask which model.
        cache: completed requests, which are not asked again.
        check: the fact check that an answer must pass.
        budget: money that may be spent, in the currency of the prices; wins over `config.budget`.

    Raises:
        InputError: the base URL holds credentials or is no URL.
    """

    name = "llm"

    def __init__(
        self,
        graph: Graph,
        config: LlmConfig,
        cache: Cache,
        *,
        check: Check = check_evaluation,
        budget: float | None = None,
    ) -> None:
        self.config = config
        self.cache = cache
        self.prompts = wording_hash()
        self._graph = graph
        self._check = check
        limit = config.budget if budget is None else budget
        self._spent = cache.spent()
        currency = config.prices.currency
        # Prompts are made shortly before they are sent, not for all waiting clips at once.
        self._in_work = asyncio.Semaphore(2 * config.concurrency_max)
        self._client = Client(config, Budget(limit, spent=self._spent.cost, currency=currency))

    async def close(self) -> None:
        """Close the connections; the cache stays open."""
        await self._client.close()

    def spent(self) -> str:
        """Say what this run has cost so far, over all its starts."""
        return self._spent.text(self.config.prices.currency)

    async def write(self, facts: Facts, family: str) -> Written:
        """Write the evaluation of one clip.

        Raises:
            Stopped: the budget is reached, or the endpoint refuses or is down.
            Late: the endpoint answers others, but did not answer for this clip in time.
        """
        async with self._in_work:
            return await self._write(facts, family)

    async def _write(self, facts: Facts, family: str) -> Written:
        asks = _Asks(self._graph, self.config, facts, family)
        while True:
            ask = asks.next()
            try:
                reply = self.cache.find(ask.key) or await self._ask(ask)
            except LateError as error:
                raise Late(str(error)) from None
            except UnansweredError as error:
                message = f"the endpoint did not answer for this clip: {error}"
                return asks.written(_finding("no_answer", message))
            judged = self._judge(facts, reply)
            asks.take(judged)
            if not judged.findings or asks.spent:
                return asks.written()

    def missing(self, facts: Facts, family: str) -> Ask | None:
        """Return the first request of a clip that the cache lacks; `None` if it is finished."""
        asks = _Asks(self._graph, self.config, facts, family)
        while True:
            ask = asks.next()
            reply = self.cache.find(ask.key)
            if reply is None:
                return ask
            judged = self._judge(facts, reply)
            asks.take(judged)
            if not judged.findings or asks.spent:
                return None

    async def _ask(self, ask: Ask) -> Reply:
        reply, cost = await self._client.ask(ask.body)
        self.cache.add(
            ask.key,
            reply,
            endpoint=self.config.endpoint,
            model=self.config.model,
            prompt_characters=prompt_characters(ask.body),
            cost=cost,
            currency=self.config.prices.currency,
        )
        self._spent = self._spent.plus(reply.tokens, cost)
        return reply

    def _judge(self, facts: Facts, reply: Reply) -> _Judged:
        try:
            sentences = read_evaluation(reply)
        except UnusableReplyError as error:
            return _Judged(reply, (), (_finding(error.code, str(error)),))
        return _Judged(reply, sentences, tuple(self._check(self._graph, facts, sentences)))


@asynccontextmanager
async def open_llm_writer(graph: Graph, config: LlmConfig, cache: Path) -> AsyncIterator[LlmWriter]:
    """Open a writer with its cache file, and close both in the end."""
    with Cache(cache) as opened:
        writer = LlmWriter(graph, config, opened)
        try:
            yield writer
        finally:
            await writer.close()


class _Asks:
    """The asks for one clip, each made from what the one before brought."""

    def __init__(self, graph: Graph, config: LlmConfig, facts: Facts, family: str) -> None:
        self._config = config
        self._clip = facts.clip
        self._first = messages(graph, facts, family, seed=config.seed or 0)
        self._judged: list[_Judged] = []

    @property
    def spent(self) -> bool:
        """Whether all asks that the settings allow have been made."""
        return len(self._judged) >= self._config.max_asks

    def next(self) -> Ask:
        """Return the first ask, or one that names what was wrong with the last answer."""
        config, attempt = self._config, len(self._judged)
        seed = None
        if config.seed is not None:
            # Of their own for each clip and attempt: equal labels shall not get equal texts.
            seed = int(hash_text(str(config.seed), self._clip, str(attempt)), 16) % 2**31
        body = request_body(config, self._messages(), seed)
        text = json.dumps(body, sort_keys=True)
        return Ask(hash_text(config.endpoint, text, self._clip, str(attempt)), body)

    def take(self, judged: _Judged) -> None:
        """Take note of an answer."""
        self._judged.append(judged)

    def written(self, *failures: Finding) -> Written:
        """Return the last answer if it passed, else the best one with what is wrong with it."""
        read = [judged for judged in self._judged if judged.sentences]
        best = min(read or self._judged, key=lambda judged: len(judged.findings), default=None)
        return Written(
            sentences=best.sentences if best else (),
            model=best.reply.model or self._config.model if best else self._config.model,
            attempts=len(self._judged) + len(failures),
            tokens=_sum(judged.reply.tokens for judged in self._judged),
            findings=(*(best.findings if best else ()), *failures),
        )

    def _messages(self) -> list[Message]:
        if not self._judged:
            return self._first
        last = self._judged[-1]
        problems = [finding.message for finding in last.findings]
        return reask(self._first, last.reply.text, problems)


def _finding(code: str, message: str) -> Finding:
    return Finding(stage="evaluate", code=code, message=message)


def _sum(counts: Iterator[Tokens]) -> Tokens:
    total = list(counts)
    return Tokens(
        prompt=sum(tokens.prompt for tokens in total),
        cached=sum(tokens.cached for tokens in total),
        completion=sum(tokens.completion for tokens in total),
    )
