"""The graph, a small run with its export, and a fake endpoint with its cache."""

from collections.abc import Iterator, Sequence
from pathlib import Path

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


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where a run keeps its answers."""
    return tmp_path / "answers.sqlite"
