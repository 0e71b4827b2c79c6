import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import FakeEndpoint, good_answer
from llm_clips import INJECTION, KEY, KNEES_FORWARD, KNEES_INWARD, clips, settings, squat, write

from flex.config import load_config
from flex.graph import Occurrence
from flex.graph_file import load_graph
from qa_gen.budget import Budget, BudgetReached
from qa_gen.cache import Cache
from qa_gen.evaluation_prompt import messages, praiseworthy
from qa_gen.llm_config import LlmConfig, Prices
from qa_gen.llm_estimate import Estimate, estimate
from qa_gen.llm_writer import open_llm_writer

CONFIGS = sorted((Path(__file__).parents[2] / "configs" / "qa_gen").glob("*.yaml"))
PRICES = Prices(input=1.0, cached=0.1, output=4.0)


def prompt(facts: Any, family: str = "train", seed: int = 0) -> str:
    return "\n".join(m["content"] for m in messages(load_graph(), facts, family, seed=seed))


def test_a_good_answer_passes_the_fact_check_at_the_first_ask(
    endpoint: FakeEndpoint, cache: Path
) -> None:
    facts = clips(40)
    written = write(settings(endpoint), cache, facts)
    assert [one.findings for one in written] == [()] * 40
    assert {one.attempts for one in written} == {1}
    assert {one.model for one in written} == {"fake-1"}
    assert len(endpoint.requests) == 40
    for one, fact in zip(written, facts, strict=True):
        named = [error for s in one.sentences if s.role == "error" for error in s.errors]
        assert named == [str(o) for o in fact.occurrences]
        assert one.tokens.prompt > one.tokens.cached > 0


def test_times_of_a_partly_labelled_clip_come_back_in_its_answer(
    endpoint: FakeEndpoint, cache: Path
) -> None:
    (written,) = write(settings(endpoint), cache, [squat("c", KNEES_INWARD, partial=True)])
    assert not written.findings
    text = " ".join(sentence.text for sentence in written.sentences)
    assert "2.62 s to 4.53 s" in text


def test_a_second_run_asks_nothing_and_gives_the_same(endpoint: FakeEndpoint, cache: Path) -> None:
    facts = clips(12)
    first = write(settings(endpoint), cache, facts)
    asked = len(endpoint.requests)
    endpoint.answer = lambda _: {"sentences": []}
    assert write(settings(endpoint), cache, facts) == first
    assert len(endpoint.requests) == asked


def test_a_second_run_needs_no_key(
    endpoint: FakeEndpoint, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(settings(endpoint), cache, clips(2))
    monkeypatch.delenv("FAKE_KEY")
    assert write(settings(endpoint), cache, clips(2)) == first


def test_one_changed_label_asks_once(endpoint: FakeEndpoint, cache: Path) -> None:
    facts = [squat(f"c{number}", KNEES_INWARD) for number in range(5)]
    write(settings(endpoint), cache, facts)
    facts[3] = squat("c3", KNEES_FORWARD, KNEES_INWARD)
    write(settings(endpoint), cache, facts)
    assert len(endpoint.requests) == 6
    assert "AK44:ET055" in json.dumps(endpoint.requests[-1])


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"temperature": 0.1},
        {"seed": 3},
        {"max_tokens": 900},
        {"structured": "json_object"},
        {"extra": {"top_k": 4}},
        {"base_url": "localhost"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_answer_is_reused_only_for_the_same_request(
    endpoint: FakeEndpoint, cache: Path, change: dict[str, Any]
) -> None:
    write(settings(endpoint), cache, [squat("c")])
    if "base_url" in change:
        change = {"base_url": endpoint.base_url.replace("127.0.0.1", "localhost")}
    write(settings(endpoint, **change), cache, [squat("c")])
    assert len(endpoint.requests) == 2


def test_equal_labels_of_two_clips_are_asked_apart(endpoint: FakeEndpoint, cache: Path) -> None:
    write(settings(endpoint), cache, [squat("a"), squat("b")])
    assert len({body["seed"] for body in endpoint.requests}) == 2


def test_the_prompt_starts_the_same_for_all_and_longer_for_one_action() -> None:
    one, two = prompt(squat("a", KNEES_INWARD)), prompt(squat("b"))
    other = prompt(next(facts for facts in clips(3) if facts.action != "A16"))
    rules = one.index("# The exercise")
    assert other[:rules] == one[:rules]
    assert two[: two.index("# The facts")] == one[: one.index("# The facts")]
    assert "JSON" in one[:rules]


def test_a_note_never_reaches_the_prompt(endpoint: FakeEndpoint, cache: Path) -> None:
    write(settings(endpoint), cache, [squat("c", KNEES_FORWARD)])
    assert INJECTION not in json.dumps(endpoint.requests)
    assert INJECTION.encode() not in _bytes_of(cache)


def test_partial_labels_limit_what_may_be_praised() -> None:
    graph = load_graph()
    only_knees = squat("c", KNEES_INWARD, partial=True)
    assert praiseworthy(graph, only_knees) == [Occurrence("AK44", "ET055")]
    assert "Only part of the lift was assessed" in prompt(only_knees)
    both_wrong = squat("c", KNEES_FORWARD, KNEES_INWARD, partial=True)
    assert praiseworthy(graph, both_wrong) == []
    assert "nothing is listed" in prompt(both_wrong)


def test_praise_is_of_what_is_not_labelled_an_error_and_can_be_seen() -> None:
    graph = load_graph()
    found = [(facts, praiseworthy(graph, facts)) for facts in clips(40)]
    assert sum(bool(praised) for _, praised in found) > 20
    for facts, praised in found:
        wrong = {o.error_type for o in facts.occurrences}
        for occurrence in praised:
            assert occurrence.error_type not in wrong
            assert "video" in graph.error_types[occurrence.error_type].known_from


def test_train_and_test_subjects_get_different_wording_of_the_same_facts() -> None:
    facts = squat("c", KNEES_INWARD)
    assert prompt(facts, "train") == prompt(facts, "train")
    assert prompt(facts, "train") != prompt(facts, "test")


def test_both_sides_of_a_two_sided_error_are_asked_for() -> None:
    graph = load_graph()
    facts = next(f for f in clips(40) if any(o.error_type == "ET007" for o in f.occurrences))
    assert graph.error_types["ET007"].observed[0].count(" or ") == 1
    assert "either or both of two things" in prompt(facts)


def test_a_budget_stops_before_it_is_passed_and_keeps_what_was_paid(
    endpoint: FakeEndpoint, cache: Path
) -> None:
    config = settings(endpoint, prices=PRICES, budget=0.05, concurrency=8)
    with pytest.raises(BudgetReached, match="--budget"):
        write(config, cache, clips(60))
    with Cache(cache) as ledger:
        spent = ledger.spent()
    assert 5 < spent.requests == len(endpoint.requests) < 60
    assert spent.cost <= 0.05
    write(config.model_copy(update={"budget": 10.0}), cache, clips(60))
    assert len(endpoint.requests) == 60


def test_a_budget_counts_the_worst_case_of_requests_in_flight() -> None:
    async def scenario() -> None:
        budget = Budget(1.0, spent=0.1)
        finished: list[str] = []

        async def request(name: str, cost: float) -> None:
            async with budget.reserve(0.4) as paid:
                await asyncio.sleep(0.01)
                paid.cost = cost
                finished.append(name)

        results = await asyncio.gather(
            *(request(str(number), 0.2) for number in range(5)), return_exceptions=True
        )
        # Two fit at once, a third after one has settled; then 0.7 + 0.4 may pass 1.
        assert finished == ["0", "1", "2"]
        assert [type(result) for result in results[3:]] == [BudgetReached] * 2

    asyncio.run(scenario())


def test_the_ledger_prices_cached_tokens_apart(endpoint: FakeEndpoint, cache: Path) -> None:
    (written,) = write(settings(endpoint, prices=PRICES), cache, [squat("c")])
    tokens = written.tokens
    cost = (tokens.prompt - tokens.cached + 0.1 * tokens.cached + 4 * tokens.completion) / 1e6
    with Cache(cache) as ledger:
        assert ledger.spent().cost == pytest.approx(cost)
        assert "1 requests" in ledger.spent().text("USD")


def estimated(config: LlmConfig, cache: Path, facts: list[Any]) -> Estimate:
    async def scenario() -> Estimate:
        async with open_llm_writer(load_graph(), config, cache) as writer:
            return estimate(writer, ((one, "train") for one in facts))

    return asyncio.run(scenario())


def test_an_estimate_asks_nothing_and_is_near_the_cost(
    endpoint: FakeEndpoint, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, facts = settings(endpoint, prices=PRICES), clips(30)
    monkeypatch.delenv("FAKE_KEY")
    blind = estimated(config, cache, facts)
    assert not endpoint.requests
    assert (blind.requests, blind.cached, blind.measured) == (30, 0, False)
    monkeypatch.setenv("FAKE_KEY", KEY)
    write(config, cache, facts[:10])
    knowing = estimated(config, cache, facts)
    assert (knowing.requests, knowing.cached, knowing.measured) == (20, 10, True)
    write(config, cache, facts)
    with Cache(cache) as ledger:
        cost = ledger.spent().cost
    assert blind.cost == pytest.approx(cost, rel=0.8)
    assert knowing.cost == pytest.approx(cost * 20 / 30, rel=0.3)
    done = estimated(config, cache, facts)
    assert (done.requests, done.cached, done.cost) == (0, 30, 0.0)
    assert "30 are finished" in done.text


def test_the_key_is_in_no_file_and_no_repr(
    endpoint: FakeEndpoint, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings(endpoint)
    with caplog.at_level("DEBUG"):
        write(config, cache, clips(2))
    assert endpoint.keys == {f"bearer {KEY}"}
    assert KEY.encode() not in _bytes_of(cache)
    assert KEY not in repr(config) + str(config.settings()) + config.model_dump_json() + caplog.text


def _bytes_of(cache: Path) -> bytes:
    return b"".join(path.read_bytes() for path in cache.parent.iterdir() if path.is_file())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_config_loads(path: Path) -> None:
    config = load_config(LlmConfig, path)
    config.require_plain_url()
    remote = "127.0.0.1" not in config.base_url
    assert bool(config.api_key_env) is remote
    assert (config.prices.output > config.prices.input > config.prices.cached > 0) is remote


def test_there_are_four_shipped_configs() -> None:
    assert [path.stem for path in CONFIGS] == ["deepseek", "llama-cpp", "openai", "vllm"]


def test_the_fake_endpoint_reads_facts_back_from_the_prompt(
    endpoint: FakeEndpoint, cache: Path
) -> None:
    facts = squat("c", KNEES_FORWARD, KNEES_INWARD, partial=True)
    write(settings(endpoint), cache, [facts])
    errors = [e for s in good_answer(endpoint.requests[0])["sentences"] for e in s["errors"]]
    assert errors == ["AK44:ET055", "AK44:ET055", "AK44:ET056", "AK44:ET056"]
