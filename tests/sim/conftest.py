from collections.abc import Callable

import pytest

from flex.graph import Action, Graph
from flex.graph_file import load_graph
from flex.sample import Annotation
from sim.clips import simulate
from sim.settings import load_settings
from sim.study import Study


@pytest.fixture(scope="session")
def whole() -> list[Annotation]:
    """All 7,512 records of seed 0, made once for all tests."""
    return list(simulate(Study(load_graph(), load_settings(), seed=0)))


@pytest.fixture(scope="session")
def graph_of() -> Callable[..., Graph]:
    """A function that returns the graph with other actions."""
    graph = load_graph()

    def with_actions(**actions: Action) -> Graph:
        # A copy would keep what the graph has already worked out about the old actions.
        fields = {name: getattr(graph, name) for name in Graph.model_fields}
        return Graph.model_validate({**fields, "actions": actions})

    return with_actions
