"""The knowledge graph in formats that other tools read: JSON, GraphML, Mermaid."""

import io
import json
from collections.abc import Iterator
from typing import Any

from flex.graph import Action, Graph


def to_json(graph: Graph) -> str:
    """Return the structure, wording and weights of the whole graph, without matcher patterns."""
    content = {
        "name": graph.name,
        "version": graph.version,
        "actions": [_action(graph, action) for action in graph.actions.values()],
        "error_types": [
            error.model_dump(exclude={"faults", "ideals"}) for error in graph.error_types.values()
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _action(graph: Graph, action: Action) -> dict[str, Any]:
    steps = [graph.key_steps[step].model_dump() for step in action.key_steps]
    return {
        **action.model_dump(exclude={"key_steps"}),
        "total": graph.total(action.id),
        "key_steps": steps,
    }


def to_graphml(graph: Graph) -> str:
    """Return the graph as GraphML: actions, key steps, error types, and the edges between."""
    import networkx

    network = networkx.DiGraph(name=graph.name)
    for action in graph.actions.values():
        network.add_node(action.id, kind="action", name=action.name, equipment=action.equipment)
    for step in graph.key_steps.values():
        network.add_node(step.id, kind="key step", name=step.name, phase=step.phase)
    for error in graph.error_types.values():
        network.add_node(error.id, kind="error type", name=error.name, weight=error.weight)
    for position, (action_id, step_id) in enumerate(action_edges(graph)):
        network.add_edge(action_id, step_id, order=position)
    network.add_edges_from(error_edges(graph))
    stream = io.BytesIO()
    networkx.write_graphml(network, stream)
    return stream.getvalue().decode()


def to_mermaid(graph: Graph) -> str:
    """Return a Mermaid flow chart of the graph."""
    lines = ["flowchart LR"]
    for action in graph.actions.values():
        lines.append(f'  {action.id}["{action.id} {action.name}"]')
    for step in graph.key_steps.values():
        lines.append(f'  {step.id}("{step.id} {step.name} ({step.phase})")')
    for error in graph.error_types.values():
        lines.append(f'  {error.id}{{{{"{error.id} {error.name}, weight {error.weight}"}}}}')
    lines += [f"  {one} --> {two}" for one, two in (*action_edges(graph), *error_edges(graph))]
    return "\n".join(lines)


def action_edges(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield (action, key step) in order."""
    for action in graph.actions.values():
        for step in action.key_steps:
            yield action.id, step


def error_edges(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield (key step, error type) in order."""
    for step in graph.key_steps.values():
        for error in step.errors:
            yield step.id, error


def only(graph: Graph, action_id: str) -> Graph:
    """Return the part of the graph that belongs to one action."""
    action = graph.action(action_id)
    errors = set(graph.error_types_of(action.id))
    content = graph.model_dump()
    content["actions"] = {action.id: content["actions"][action.id]}
    content["key_steps"] = {s: v for s, v in content["key_steps"].items() if s in action.key_steps}
    content["error_types"] = {e: v for e, v in content["error_types"].items() if e in errors}
    return Graph.model_validate(content)
