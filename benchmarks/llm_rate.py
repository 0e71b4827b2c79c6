"""How near the LLM writer comes to the ideal rate of an endpoint that takes 1 s for each answer.

The endpoint bears 64 requests at once and answers more with 429, as providers do, so the ideal is
64 answers a second. Beside our writer stand a plain loop, and a bare `asyncio.gather` over the same
client with its own retries.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flex.graph_file import load_graph
from flex.sample import Annotation
from qa_gen.client import request_body
from qa_gen.evaluation_prompt import messages
from qa_gen.facts import Facts, facts_of
from qa_gen.llm_config import LlmConfig
from qa_gen.llm_writer import LlmWriter, open_llm_writer

LATENCY_S = 1.0
IN_FLIGHT = 64
REQUESTS = 1_920
LOOP_REQUESTS = 10
SERVER = Path(__file__).resolve().parent.parent / "tests" / "qa_gen" / "fake_endpoint.py"


def run(console: Console) -> dict[str, Any]:
    """Measure answers per second of the three ways, and their share of the ideal."""
    with _endpoint() as base_url:
        config = LlmConfig(base_url=base_url, model="fake", concurrency=IN_FLIGHT)
        asyncio.run(_writer(config, _clips(IN_FLIGHT)))  # imports and the first connections
        ways = {
            "writer": asyncio.run(_writer(config, _clips(REQUESTS))),
            "loop": asyncio.run(_loop(config, _clips(LOOP_REQUESTS))),
            "gather": asyncio.run(_gather(config, _clips(REQUESTS))),
        }
    ideal = IN_FLIGHT / LATENCY_S
    table = Table("way", "asked", "answered", "seconds", "per second", "of the ideal")
    table.title = f"Endpoint with {LATENCY_S:g} s latency, {IN_FLIGHT} in flight"
    results: dict[str, Any] = {"ideal_per_s": ideal}
    for way, (asked, answered, seconds) in ways.items():
        rate = answered / seconds
        cells = (f"{seconds:.2f}", f"{rate:.1f}", f"{rate / ideal:.1%}")
        table.add_row(way, str(asked), str(answered), *cells)
        results[way] = {
            "asked": asked,
            "answered": answered,
            "seconds": round(seconds, 3),
            "share_of_ideal": round(rate / ideal, 4),
        }
    console.print(table)
    return results


@contextmanager
def _endpoint() -> Iterator[str]:
    """Start the fake endpoint in a process of its own and yield its base URL."""
    options = ["--latency", str(LATENCY_S), "--capacity", str(IN_FLIGHT)]
    command = [sys.executable, str(SERVER), *options]
    root = SERVER.parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _clips(count: int) -> list[Facts]:
    graph = load_graph()
    actions = sorted(graph.actions)
    return [
        facts_of(graph, Annotation(clip=f"clip-{n}", action=actions[n % len(actions)]))
        for n in range(count)
    ]


async def _writer(config: LlmConfig, clips: list[Facts]) -> tuple[int, int, float]:
    """Our writer, as the generator uses it: prompt, request, fact check, ledger."""
    async with _open(config) as writer:
        start = time.perf_counter()
        written = await asyncio.gather(*(writer.write(facts, "train") for facts in clips))
        seconds = time.perf_counter() - start
    return len(clips), sum(not one.findings for one in written), seconds


@asynccontextmanager
async def _open(config: LlmConfig) -> AsyncIterator[LlmWriter]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_llm_writer(load_graph(), config, Path(folder, "answers.sqlite")) as writer:
            yield writer


async def _loop(config: LlmConfig, clips: list[Facts]) -> tuple[int, int, float]:
    """One request after another, without a check or a ledger."""
    async with _bare_client(config) as client:
        start = time.perf_counter()
        answers = [await _create(client, config, facts) for facts in clips]
        return len(clips), sum(answers), time.perf_counter() - start


async def _gather(config: LlmConfig, clips: list[Facts]) -> tuple[int, int, float]:
    """All requests at once, without a check or a ledger; the client retries twice by itself."""
    async with _bare_client(config) as client:
        start = time.perf_counter()
        answers = await asyncio.gather(*(_create(client, config, facts) for facts in clips))
        return len(clips), sum(answers), time.perf_counter() - start


@asynccontextmanager
async def _bare_client(config: LlmConfig) -> AsyncIterator[Any]:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=config.base_url, api_key="none") as client:
        yield client


async def _create(client: Any, config: LlmConfig, facts: Facts) -> bool:
    """Return whether a request was answered."""
    from openai import APIError

    body = request_body(config, messages(load_graph(), facts, "train", seed=0), 0)
    try:
        completion = await client.chat.completions.create(**body)
    except APIError:
        return False
    return bool(json.loads(completion.choices[0].message.content)["sentences"])
