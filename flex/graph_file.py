"""Reads a knowledge graph file and validates it as a whole.

    load_graph()                    # the FLEX graph
    load_graph(Path("mine.yaml"))   # other wording, other exercises, other totals

All problems are listed at once, each with its line: unknown and misspelt keys, unknown ids,
missing feedback, weights outside 2–10, nodes that nothing refers to.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from flex.graph import Action, ErrorType, Graph, KeyStep
from flex.problems import InputError, Loc, Problem, nearest, problems_of
from flex.yaml_places import PlacedYaml, read_yaml

GRAPH_FILE = Path(__file__).with_name("graph.yaml")
_SECTIONS: dict[str, type[BaseModel]] = {
    "actions": Action,
    "key_steps": KeyStep,
    "error_types": ErrorType,
}


@functools.lru_cache(maxsize=8)
def load_graph(path: Path = GRAPH_FILE) -> Graph:
    """Return the graph in `path`; a file is read once.

    Raises:
        InputError: every problem of the file, each with its line.
    """
    placed = read_yaml(path)
    if not isinstance(placed.data, dict):
        raise InputError([Problem(str(path), "expected a mapping with the key 'actions'")])
    graph, problems = _typed(placed)
    problems += list(_broken_links(placed))
    if problems or graph is None:
        raise InputError(sorted(set(problems), key=_line_of))
    return graph


def _typed(placed: PlacedYaml) -> tuple[Graph | None, list[Problem]]:
    keys = {*Graph.model_fields, *(k for m in _SECTIONS.values() for k in m.model_fields)} - {"id"}
    data = {
        section: _with_ids(body) if section in _SECTIONS else body
        for section, body in placed.data.items()
    }
    try:
        return Graph.model_validate(data), []
    except ValidationError as error:
        return None, problems_of(error, placed.place, sorted(keys))


def _with_ids(section: Any) -> Any:
    if not isinstance(section, dict):
        return section
    return {
        node: {"id": node, **body} if isinstance(body, dict) else body
        for node, body in section.items()
    }


def _broken_links(placed: PlacedYaml) -> Iterator[Problem]:
    """Yield references to nodes that do not exist, and nodes that nothing refers to."""
    sections = {name: _mapping(placed.data.get(name)) for name in _SECTIONS}
    links = [
        ("actions", "key_steps", "key_steps"),
        ("key_steps", "errors", "error_types"),
        ("error_types", "correction_at", "key_steps"),
    ]
    used: dict[str, set[str]] = {"key_steps": set(), "error_types": set()}
    for section, field, target in links:
        for node, body in sections[section].items():
            for index, child in enumerate(_mapping(body).get(field) or ()):
                key = child if field == "correction_at" else index
                loc: Loc = (section, node, field, key)
                if child not in sections[target]:
                    hint = nearest(str(child), sections[target])
                    yield Problem(placed.place(loc), f"{node} names {child!r}, unknown{hint}")
                elif field != "correction_at":
                    used[target].add(child)
    for target, reached in used.items():
        parent = "action" if target == "key_steps" else "key step"
        for node in sections[target]:
            if node not in reached:
                yield Problem(placed.place((target, node)), f"{node} belongs to no {parent}")
    yield from _misplaced_advice(placed, sections)
    yield from _phase_order(placed, sections)


def _misplaced_advice(placed: PlacedYaml, sections: dict[str, Any]) -> Iterator[Problem]:
    for error, body in sections["error_types"].items():
        for step in _mapping(_mapping(body).get("correction_at")):
            known = _mapping(sections["key_steps"].get(step)).get("errors")
            if known is not None and error not in known:
                loc: Loc = ("error_types", error, "correction_at", step)
                yield Problem(placed.place(loc), f"{step} does not have the error {error}")


def _phase_order(placed: PlacedYaml, sections: dict[str, Any]) -> Iterator[Problem]:
    for name, body in sections["actions"].items():
        phases = list(_mapping(body).get("phases") or ())
        steps = [step for step in _mapping(body).get("key_steps") or () if step]
        order = [_mapping(sections["key_steps"].get(step)).get("phase") for step in steps]
        seen = list(dict.fromkeys(phase for phase in order if phase))
        if seen != phases:
            message = f"{name} states the phases {phases}, its key steps follow {seen}"
            yield Problem(placed.place(("actions", name, "phases")), message)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _line_of(problem: Problem) -> tuple[int, str]:
    line = problem.place.rpartition(":")[2]
    return (int(line) if line.isdigit() else 0, problem.message)
