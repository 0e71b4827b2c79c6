"""Fixtures of this room: a small data folder that is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import small_emg

from flex.graph import Graph
from flex.graph_file import load_graph


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def graph() -> Graph:
    return load_graph()


@pytest.fixture(scope="session")
def emg_root(tmp_path_factory: pytest.TempPathFactory, graph: Graph) -> Path:
    """Data in `data/`, a shared cache in `cache/`. Nobody may change the data."""
    root = tmp_path_factory.mktemp("emg")
    small_emg.build(root / "data", graph)
    return root
