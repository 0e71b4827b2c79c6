import asyncio
import logging
import re
import time
from email.utils import formatdate
from typing import Any

import pytest
from fake_endpoint import FakeEndpoint, completion, content, cut, hang, status
from waiting import PATIENCE_S

from flex.problems import InputError
from qa_gen.budget import Budget
from qa_gen.cache import Reply
from qa_gen.client import (
    Client,
    EndpointDown,
    EndpointRefused,
    LateError,
    UnansweredError,
    request_body,
)
from qa_gen.llm_config import LlmConfig, Prices

KEY = "sk-very-secret-0123456789"
MESSAGES = [{"role": "user", "content": "Answer in JSON."}]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FAKE_KEY", KEY)
    with FakeEndpoint(answer=lambda _: {"sentences": []}) as server:
        yield server


def settings(endpoint: FakeEndpoint, **changes: Any) -> LlmConfig:
    quick = {"backoff_s": 0.01, "backoff_cap_s": 0.02, "timeout_s": PATIENCE_S, "max_retries": 3}
    given = {"base_url": endpoint.base_url, "model": "m", "api_key_env": "FAKE_KEY", **quick}
    return LlmConfig(**{**given, **changes})


def ask(config: LlmConfig, count: int = 1) -> list[tuple[Reply, float] | BaseException]:
    async def scenario() -> list[tuple[Reply, float] | BaseException]:
        client = Client(config, Budget(None))
        body = request_body(config, MESSAGES, 7)
        try:
            asks = (client.ask(body) for _ in range(count))
            return await asyncio.gather(*asks, return_exceptions=True)
        finally:
            await client.close()

    return asyncio.run(scenario())


def answered(config: LlmConfig) -> tuple[Reply, float]:
    (result,) = ask(config)
    assert not isinstance(result, BaseException), result
    return result


def failed(config: LlmConfig) -> BaseException:
    (result,) = ask(config)
    assert isinstance(result, BaseException), result
    return result


def test_a_request_asks_for_structured_output(endpoint: FakeEndpoint) -> None:
    answered(settings(endpoint, extra={"top_k": 5}))
    (body,) = endpoint.requests
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["sentences"]
    assert (body["model"], body["seed"], body["max_tokens"]) == ("m", 7, 1500)
    assert body["top_k"] == 5
    assert endpoint.keys == {f"bearer {KEY}"}


def test_json_mode_and_other_fields(endpoint: FakeEndpoint) -> None:
    config = settings(
        endpoint,
        structured="json_object",
        temperature=None,
        max_tokens_field="max_completion_tokens",
    )
    answered(config)
    (body,) = endpoint.requests
    assert body["response_format"] == {"type": "json_object"}
    assert "temperature" not in body
    assert body["max_completion_tokens"] == 1500
    assert "max_tokens" not in body


def test_the_cost_counts_cached_tokens_at_their_price(endpoint: FakeEndpoint) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    prices = Prices(input=2.0, cached=0.5, output=8.0)
    deepseek = {**usage, "prompt_cache_hit_tokens": 600, "prompt_cache_miss_tokens": 400}
    openai = {**usage, "prompt_tokens_details": {"cached_tokens": 600}}
    for counted in (deepseek, openai):
        endpoint.faults.append(content("{}", usage=counted))
        reply, cost = answered(settings(endpoint, prices=prices))
        assert (reply.tokens.prompt, reply.tokens.cached, reply.tokens.completion) == (
            1000,
            600,
            100,
        )
        assert cost == pytest.approx((400 * 2.0 + 600 * 0.5 + 100 * 8.0) / 1e6)


def test_a_server_that_counts_nothing_is_borne_with(endpoint: FakeEndpoint) -> None:
    endpoint.faults.append(content("{}", usage=None))
    reply, cost = answered(settings(endpoint))
    assert (reply.tokens.prompt, cost) == (0, 0.0)


@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(429, retry_after="0"),
        status(500),
        status(502),
        status(503, retry_after="nonsense"),
        cut,
        lambda body: (200, {}, "<html>a proxy's page</html>"),
        lambda body: (200, {}, "{}"),
        lambda body: completion(body, "{}", choices=[]),
    ],
    ids=["429", "429-0", "500", "502", "503", "cut", "html", "empty", "no-choices"],
)
def test_what_may_pass_is_asked_again(endpoint: FakeEndpoint, fault: Any) -> None:
    endpoint.faults.extend([fault, fault])
    reply, _ = answered(settings(endpoint))
    assert reply.text == '{"sentences": []}'
    assert len(endpoint.requests) == 3


@pytest.mark.usefixtures("late_once")
def test_a_hanging_request_is_given_up_and_asked_again(endpoint: FakeEndpoint) -> None:
    endpoint.faults.append(hang)
    answered(settings(endpoint))
    assert len(endpoint.requests) == 2


def test_the_time_out_is_the_configured_one(endpoint: FakeEndpoint) -> None:
    endpoint.always = hang
    error = failed(settings(endpoint, timeout_s=0.1, max_retries=0))
    assert isinstance(error, EndpointDown)
    assert "no answer within 0.1 s, 1 times in a row" in str(error)


def test_who_is_late_while_others_are_answered_is_no_fault_of_the_request(
    endpoint: FakeEndpoint, timeouts: Any
) -> None:
    config = settings(endpoint, max_retries=2)
    endpoint.always = lambda body: hang(body) if body["seed"] == 2 else completion(body, "{}")

    async def scenario() -> None:
        client = Client(config, Budget(None))
        slow = asyncio.create_task(client.ask(request_body(config, MESSAGES, 2)))
        for tries in range(3):
            while sum(body["seed"] == 2 for body in endpoint.requests) <= tries:
                await asyncio.sleep(0.005)
            waiting = timeouts.made[-1]
            await client.ask(request_body(config, MESSAGES, 1))
            timeouts.end(waiting)
        with pytest.raises(LateError, match="no answer within 600 s, 3 times"):
            await slow
        await client.close()

    asyncio.run(scenario())


def test_retry_after_in_seconds_is_honoured(
    endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.faults.append(status(429, retry_after="1"))
    pauses = list[float]()
    pause_s = Client._pause_s

    def noted(*words: Any) -> float:
        pauses.append(pause_s(*words))
        return pauses[-1]

    monkeypatch.setattr(Client, "_pause_s", noted)
    answered(settings(endpoint))
    assert pauses == [1.0]


def test_retry_after_as_a_date_is_honoured(endpoint: FakeEndpoint) -> None:
    tomorrow = formatdate(time.time() + 86400, usegmt=True)
    endpoint.faults.append(status(503, retry_after=tomorrow))
    assert re.search(r"asks to wait 8\d{4} s", str(failed(settings(endpoint))))


def test_a_retry_after_beyond_patience_stops(endpoint: FakeEndpoint) -> None:
    endpoint.faults.append(status(429, retry_after="86400"))
    error = failed(settings(endpoint))
    assert isinstance(error, EndpointDown)
    assert "86400 s" in str(error)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(401, f"Incorrect API key provided: {KEY}"), "FAKE_KEY"),
        (status(402), "no money"),
        (status(403), "may not use the model 'm'"),
        (status(404), "base_url"),
        (status(400, f"unknown field; key {KEY}"), "unknown field; key ***"),
        (status(429, error="insufficient_quota"), "no money"),
    ],
    ids=["401", "402", "403", "404", "400", "quota"],
)
def test_a_refusal_stops_at_once_and_says_what_to_do(
    endpoint: FakeEndpoint, fault: Any, said: str
) -> None:
    endpoint.always = fault
    error = failed(settings(endpoint))
    assert isinstance(error, EndpointRefused)
    assert said in str(error)
    assert endpoint.base_url in str(error)
    assert KEY not in str(error)
    assert len(endpoint.requests) == 1


def test_an_endpoint_that_never_answers_stops_the_run(endpoint: FakeEndpoint) -> None:
    endpoint.always = status(500)
    error = failed(settings(endpoint))
    assert isinstance(error, EndpointDown)
    assert len(endpoint.requests) == 4


def test_nobody_listens() -> None:
    config = LlmConfig(base_url="http://127.0.0.1:9/v1", model="m", max_retries=1, backoff_s=0.01)
    error = failed(config)
    assert isinstance(error, EndpointDown)
    assert "http://127.0.0.1:9/v1" in str(error)


def test_one_request_that_always_fails_does_not_stop_the_others(endpoint: FakeEndpoint) -> None:
    config = settings(endpoint)

    async def scenario() -> None:
        client = Client(config, Budget(None))
        good = request_body(config, MESSAGES, 1)
        bad = request_body(config, [{"role": "user", "content": "bad"}], 2)
        slow = asyncio.create_task(client.ask(bad))
        for _ in range(5):
            await client.ask(good)
            await asyncio.sleep(0.01)
        with pytest.raises(UnansweredError):
            await slow
        await client.close()

    endpoint.always = lambda body: (
        status(500)(body) if body["messages"][0]["content"] == "bad" else completion(body, "{}")
    )
    asyncio.run(scenario())


def test_429_beyond_a_capacity_narrows_until_all_are_answered(endpoint: FakeEndpoint) -> None:
    endpoint.capacity, endpoint.latency_s = 4, 0.01
    results = ask(settings(endpoint, concurrency=32, backoff_cap_s=0.05), count=100)
    assert not [result for result in results if isinstance(result, BaseException)]


def test_a_missing_key_is_named(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAKE_KEY")
    error = failed(settings(endpoint))
    assert isinstance(error, EndpointRefused)
    assert "FAKE_KEY" in str(error)
    assert not endpoint.requests


def test_a_key_written_where_its_variable_belongs_is_not_repeated(endpoint: FakeEndpoint) -> None:
    config = settings(endpoint, api_key_env=KEY)
    error = failed(config)
    assert isinstance(error, EndpointRefused)
    assert KEY not in str(error) + repr(config)


def test_a_url_with_credentials_is_refused_without_repeating_them() -> None:
    config = LlmConfig(base_url=f"https://me:{KEY}@host/v1", model="m")
    assert config.endpoint == "https://host/v1"
    with pytest.raises(InputError) as refused:
        Client(config, Budget(None))
    assert KEY not in str(refused.value) + repr(config) + str(config.settings())


def test_the_key_is_in_no_log(endpoint: FakeEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    endpoint.faults.extend([status(500, KEY), status(429)])
    with caplog.at_level(logging.DEBUG):
        answered(settings(endpoint))
    assert caplog.text
    assert KEY not in caplog.text
