import multiprocessing
from pathlib import Path

import pytest

from qa_gen.cache import Cache, Reply
from qa_gen.dialogue import Tokens

REPLY = Reply(
    text='{"sentences": []}', model="m-1", finish="stop", tokens=Tokens(prompt=400, completion=100)
)


def add(cache: Cache, key: str, reply: Reply = REPLY, cost: float = 0.5) -> None:
    cache.add(
        key,
        reply,
        endpoint="http://e/v1",
        model="m",
        prompt_characters=1600,
        cost=cost,
        currency="USD",
    )


def test_a_reply_comes_back_as_it_was(tmp_path: Path) -> None:
    with Cache(tmp_path / "llm.sqlite") as cache:
        assert cache.find("k") is None
        add(cache, "k")
    with Cache(tmp_path / "llm.sqlite") as again:
        assert again.find("k") == REPLY
        assert again.find("other") is None


def test_the_ledger_sums_every_completed_request(tmp_path: Path) -> None:
    with Cache(tmp_path / "llm.sqlite") as cache:
        assert cache.spent() == (0, 0, 0, 0, 0.0)
        add(cache, "a", cost=0.25)
        add(cache, "b", cost=0.5)
        add(cache, "b", cost=0.5)  # asked by two processes at once, and billed twice
        assert cache.spent() == (3, 1200, 0, 300, 1.25)
        assert cache.find("b") == REPLY


def test_averages_are_of_one_model(tmp_path: Path) -> None:
    cached = Reply(text="x", model="m", tokens=Tokens(prompt=400, cached=300, completion=50))
    with Cache(tmp_path / "llm.sqlite") as cache:
        assert cache.measured("http://e/v1", "m") is None
        add(cache, "a", cached)
        measured = cache.measured("http://e/v1", "m")
        assert measured is not None
        assert measured.tokens_per_character == pytest.approx(0.25)
        assert measured.cached_share == pytest.approx(0.75)
        assert measured.completion_tokens == 50
        assert cache.measured("http://e/v1", "other") is None


def write_many(path: Path, name: str) -> None:
    with Cache(path) as cache:
        for number in range(200):
            add(cache, f"{name}-{number}")


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "llm.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    with Cache(path) as cache:
        assert cache.spent().requests == 400
        assert cache.find("a-199") == REPLY
