"""The graph, a small run with its export, and a fake endpoint with its cache."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_endpoint import FakeEndpoint
from llm_clips import KEY
from small_run import RunWriter, left_out, lifts, rejected, write_run

from flex.graph import Graph
from flex.graph_file import load_graph
from qa_gen.dialogue import Dialogue
from qa_gen.export import export


@pytest.fixture(scope="session")
def graph() -> Graph:
    return load_graph()


@pytest.fixture(scope="session")
def small_run(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of seven good dialogues, two flagged ones and a rejected one."""
    folder = tmp_path_factory.mktemp("run")
    return write_run(folder, graph, [*lifts(graph), rejected(graph)], left_out(graph))


@pytest.fixture(scope="session")
def small_export(graph: Graph, small_run: Path) -> Path:
    """The export of `small_run`."""
    out = small_run / "export"
    export(small_run, out, graph)
    return out


@pytest.fixture
def make_run(graph: Graph, tmp_path: Path) -> RunWriter:
    """Writes a run with given dialogues."""

    def make(
        dialogues: Sequence[Dialogue] | None = None,
        flagged: Sequence[Dialogue] = (),
        **changes: object,
    ) -> Path:
        chosen = lifts(graph) if dialogues is None else dialogues
        return write_run(tmp_path / "run", graph, chosen, flagged, changes)

    return make


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    """An endpoint that answers well, and the variable with its key."""
    monkeypatch.setenv("FAKE_KEY", KEY)
    with FakeEndpoint() as server:
        yield server


class Timeouts:
    """The client's time-outs, which end when a test says so instead of after some time."""

    def __init__(self) -> None:
        self.made: list[asyncio.Timeout] = []
        self.first_ends_after: Callable[[], bool] | None = None
        self._waiting: asyncio.Task[None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def timeout(self, _: float) -> asyncio.Timeout:
        made = asyncio.timeout(None)
        self.made.append(made)
        if self.first_ends_after is not None and len(self.made) == 1:
            self._waiting = asyncio.ensure_future(self._end_first(self.first_ends_after))
        return made

    async def _end_first(self, happened: Callable[[], bool]) -> None:
        while not happened():
            await asyncio.sleep(0.005)
        self.end(self.made[0])

    def end(self, timeout: asyncio.Timeout) -> None:
        timeout.reschedule(asyncio.get_running_loop().time())


@pytest.fixture
def timeouts(monkeypatch: pytest.MonkeyPatch) -> Timeouts:
    """The time-outs of the client's requests; none ends by itself."""
    made = Timeouts()
    monkeypatch.setattr("qa_gen.client.asyncio", made)
    return made


@pytest.fixture
def late_once(timeouts: Timeouts, endpoint: FakeEndpoint) -> None:
    """The first request times out as soon as the endpoint has it."""
    timeouts.first_ends_after = lambda: len(endpoint.requests) > 0


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where a run keeps its answers."""
    return tmp_path / "answers.sqlite"
