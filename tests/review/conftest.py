"""The graph, and a small review."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_server import chromium
from review_runs import made, open_review

from flex.graph import Graph
from flex.graph_file import load_graph
from review.store import Store


@pytest.fixture(scope="session")
def graph() -> Graph:
    return load_graph()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for the tests of one file."""
    with chromium() as found:
        yield found


@pytest.fixture
def review(graph: Graph, tmp_path: Path) -> Iterator[Store]:
    """Six unflagged dialogues, three people in each stage."""
    with open_review(tmp_path, graph, made(graph)) as store:
        yield store
