"""Asks a chat endpoint once and stays with it until it answers, within limits.

429 and 503 narrow the limiter and are asked again; other 5xx, time-outs and cut connections are
asked again after a growing pause; 4xx cannot get better by asking again and stop the run.
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from flex.problems import InputError
from qa_gen.budget import Budget
from qa_gen.cache import Reply
from qa_gen.dialogue import Tokens
from qa_gen.evaluation_reply import response_format
from qa_gen.limiter import Limiter, Slot, retry_after_s
from qa_gen.llm_config import LlmConfig
from qa_gen.writer import Stopped

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI
    from openai.types.chat import ChatCompletion

Message = dict[str, str]
RETRIED_STATUS = (408, 409, 425, 429)
OVERLOADED_STATUS = (429, 503)
# A token has hardly ever fewer characters: bounds the prompt where the budget wants the worst.
LEAST_CHARACTERS_PER_TOKEN = 2
SHOWN_CHARACTERS = 300
_log = logging.getLogger(__name__)


class EndpointRefused(Stopped):
    """The endpoint will not serve these settings: a wrong key, model or URL, or no money."""


class EndpointDown(Stopped):
    """The endpoint has not answered anything for as long as we are willing to try."""


class UnansweredError(Exception):
    """One request got no answer while others did."""


class LateError(UnansweredError):
    """One request timed out at every try: how long an answer takes says nothing of the clip."""


class _FailedError(Exception):
    """One try failed in a way that may pass."""

    def __init__(
        self,
        why: str,
        *,
        late: bool = False,
        overloaded: bool = False,
        wait_s: float | None = None,
    ) -> None:
        self.late = late
        self.overloaded = overloaded
        self.wait_s = wait_s
        super().__init__(why)


def request_body(config: LlmConfig, messages: list[Message], seed: int | None) -> dict[str, Any]:
    """Return the request: everything that an answer depends on, but for the endpoint."""
    body: dict[str, Any] = {
        "model": config.model,
        "messages": messages,
        config.max_tokens_field: config.max_tokens,
        "response_format": response_format(config),
    }
    optional = {"temperature": config.temperature, "seed": seed}
    body |= {name: value for name, value in optional.items() if value is not None}
    return body | config.extra


def prompt_characters(body: Mapping[str, Any]) -> int:
    """Return how long the messages of a request are."""
    return sum(len(message["content"]) for message in body["messages"])


class Client:
    """One endpoint; connects on the first request, so that nothing needs a key before it."""

    def __init__(self, config: LlmConfig, budget: Budget) -> None:
        config.require_plain_url()
        self._config = config
        self._budget = budget
        self._limiter = Limiter(
            start=config.concurrency, least=config.concurrency_min, most=config.concurrency_max
        )
        self._random = random.Random(0)
        self._openai: AsyncOpenAI | None = None
        self._answers = 0

    async def close(self) -> None:
        """Close the connections."""
        if self._openai is not None:
            await self._openai.close()
            self._openai = None

    async def ask(self, body: dict[str, Any]) -> tuple[Reply, float]:
        """Return the reply to a request, and its cost.

        Raises:
            UnansweredError: this request failed too often, while others were answered;
                `LateError` if the last failure was a time-out.
            EndpointDown: nothing was answered in all that time.
            EndpointRefused: the endpoint said that asking again is of no use.
            BudgetReached: see `qa_gen.budget`.
        """
        failures, answers = 0, self._answers
        while True:
            try:
                return await self._ask_once(body)
            except _FailedError as error:
                failures += 1
                _log.info("%s: %s (failure %d)", self._config.endpoint, error, failures)
                if failures > self._config.max_retries:
                    if self._answers == answers:
                        self._give_up(f"{error}, {failures} times in a row")
                    if not error.overloaded:
                        kind = LateError if error.late else UnansweredError
                        raise kind(f"{error}, {failures} times") from None
                    failures, answers = 0, self._answers  # busy, but it does get on
                await asyncio.sleep(self._pause_s(failures, error.wait_s))

    async def _ask_once(self, body: dict[str, Any]) -> tuple[Reply, float]:
        async with self._limiter.slot() as slot, self._budget.reserve(self._worst(body)) as paid:
            completion = await self._complete(body, slot)
            reply = _reply(completion)
            tokens = reply.tokens
            paid.cost = self._config.prices.cost(
                prompt=tokens.prompt, cached=tokens.cached, completion=tokens.completion
            )
            slot.succeeded()
            self._answers += 1
            return reply, paid.cost

    async def _complete(self, body: dict[str, Any], slot: Slot) -> "ChatCompletion":
        import openai
        from openai.types.chat import ChatCompletion

        client = self._connected()
        try:
            # The library's own time-out bounds each read; a server that drips would pass it.
            async with asyncio.timeout(self._config.timeout_s):
                # Not `chat.completions.create`, which spends a quarter of the time of a request
                # on turning the body into itself.
                return await client.post("/chat/completions", cast_to=ChatCompletion, body=body)
        except (TimeoutError, openai.APITimeoutError):
            why = f"no answer within {self._config.timeout_s:g} s"
            raise _FailedError(why, late=True) from None
        except openai.APIConnectionError as error:
            cause = type(error.__cause__ or error).__name__
            raise _FailedError(f"the connection failed ({cause})") from None
        except openai.APIStatusError as error:
            self._bad_status(error, slot)
        except (openai.APIResponseValidationError, ValueError):
            raise _FailedError("the response is no chat completion") from None

    def _bad_status(self, error: "APIStatusError", slot: Slot) -> NoReturn:
        status = error.status_code
        passing = status >= 500 or status in RETRIED_STATUS
        if not passing or error.code == "insufficient_quota":
            raise EndpointRefused(self._refusal(error)) from None
        wait_s = retry_after_s(error.response.headers.get("retry-after"))
        if wait_s is not None and wait_s > self._config.max_pause_s:
            self._give_up(f"it said {status} and asks to wait {wait_s:.0f} s")
        overloaded = status in OVERLOADED_STATUS
        if overloaded:
            slot.overloaded(wait_s)
        raise _FailedError(f"status {status}", overloaded=overloaded, wait_s=wait_s) from None

    def _give_up(self, why: str) -> NoReturn:
        raise EndpointDown(
            f"{self._config.endpoint} does not answer ({why}). Finished answers are kept; "
            "see that it runs and can be reached, then give the same command again"
        ) from None

    def _refusal(self, error: "APIStatusError") -> str:
        """Say what was refused and what to do; never the key, nor a message that may repeat it."""
        config, status = self._config, error.status_code
        start = f"{config.endpoint} refused the request with status {status}: "
        variable = config.api_key_env or "api_key_env, which is not set"
        if status == 401:
            return f"{start}it does not accept the key; check the key in {variable}"
        if status == 402 or error.code == "insufficient_quota":
            return f"{start}the account has no money left; top it up, or change {variable}"
        if status == 403:
            return f"{start}the key in {variable} may not use the model {config.model!r}"
        if status == 404:
            return f"{start}there is no such model or address; check {config.model!r} and base_url"
        return f"{start}{self._redacted(error.message)}; check model, structured and extra"

    def _redacted(self, text: str) -> str:
        key = self._openai.api_key if self._openai else ""
        text = text.replace(key, "***") if key else text
        return text[:SHOWN_CHARACTERS]

    def _connected(self) -> "AsyncOpenAI":
        if self._openai is None:
            from openai import AsyncOpenAI

            config = self._config
            try:
                key = config.api_key()
            except InputError as error:
                raise EndpointRefused(str(error)) from None
            self._openai = AsyncOpenAI(
                base_url=config.base_url, api_key=key, max_retries=0, timeout=config.timeout_s
            )
        return self._openai

    def _worst(self, body: Mapping[str, Any]) -> float:
        prompt = prompt_characters(body) / LEAST_CHARACTERS_PER_TOKEN
        return self._config.prices.cost(prompt=prompt, cached=0, completion=self._config.max_tokens)

    def _pause_s(self, failures: int, wait_s: float | None) -> float:
        """Return a jittered pause that doubles with each failure, or what Retry-After asks."""
        doubled = self._config.backoff_s * 2.0 ** max(0, failures - 1)
        longest = min(self._config.backoff_cap_s, doubled)
        return max(wait_s or 0.0, longest * self._random.uniform(0.5, 1.0))


def _reply(completion: "ChatCompletion") -> Reply:
    """Read a completion; servers that speak the format loosely are borne with."""
    choices = getattr(completion, "choices", None)
    if not choices or choices[0].message is None:
        raise _FailedError("the response is no chat completion")
    message = choices[0].message
    return Reply(
        text=message.content or "",
        model=completion.model or "",
        finish=choices[0].finish_reason,
        refusal=message.refusal,
        tokens=_tokens(completion.usage.model_dump() if completion.usage else {}),
    )


def _tokens(usage: Mapping[str, Any]) -> Tokens:
    """Read the counts; OpenAI and vLLM nest the cached ones, DeepSeek has a field of its own."""
    details = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or 0
    return Tokens(
        prompt=usage.get("prompt_tokens") or 0,
        cached=cached,
        completion=usage.get("completion_tokens") or 0,
    )
