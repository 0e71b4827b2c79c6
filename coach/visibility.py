"""Which error types a view can show, and which it cannot; the rules are `visibility.yaml`.

    hidden = not_visible(graph, "A16", "side")     # knees that fall in need a view from the front
    view_of("View-1")                              # "front_diagonal", one of FLEX's cameras

A view that nobody knows hides only what no camera sees.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from flex.graph import Graph
from flex.problems import InputError, Problem, problems_of
from flex.yaml_places import read_yaml

VISIBILITY_FILE = Path(__file__).with_name("visibility.yaml")
View = Literal["front", "front_diagonal", "side", "rear_diagonal", "rear"]
VIEWS: tuple[View, ...] = get_args(View)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Record):
    """Some error types with the views that show them.

    Attributes:
        actions: the actions it is for; empty means all that no other rule names.
        views: what shows these errors; empty means that no camera does.
        needs: what one has to film or measure, for people.
        source: why.
    """

    name: str
    actions: tuple[str, ...] = ()
    views: tuple[View, ...]
    needs: str
    source: str
    errors: tuple[str, ...]


class Visibility(_Record):
    """All rules, the views' names for people, and FLEX's cameras."""

    views: dict[View, str]
    cameras: dict[str, View]
    rules: tuple[Rule, ...]

    def rule(self, action: str, error_type: str) -> Rule | None:
        """Return the rule for an error type; one that names the action wins."""
        fitting = [rule for rule in self.rules if error_type in rule.errors]
        own = [rule for rule in fitting if action in rule.actions]
        return next(iter(own or [rule for rule in fitting if not rule.actions]), None)


class Hidden(_Record):
    """An error type that cannot be judged, with its name and what would show it."""

    error_type: str
    name: str
    needs: str


def not_visible(graph: Graph, action: str, view: View | None = None) -> tuple[Hidden, ...]:
    """Return the error types of an action that cannot be judged, in phase order.

    Args:
        graph: the knowledge graph.
        action: id of the action.
        view: from where the clip was filmed; `None` if nobody knows.

    Raises:
        InputError: no such action.
    """
    return tuple(_hidden(graph, graph.action(action).id, view))


def _hidden(graph: Graph, action: str, view: View | None) -> Iterator[Hidden]:
    for error_type in graph.error_types_of(action):
        rule = load_visibility().rule(action, error_type)
        # Another graph may have error types of its own, which no rule knows.
        if rule and (not rule.views or (view is not None and view not in rule.views)):
            name = graph.error_types[error_type].name
            yield Hidden(error_type=error_type, name=name, needs=rule.needs)


def view_of(camera: str) -> View | None:
    """Return from where one of FLEX's cameras looks; `None` for another name."""
    return load_visibility().cameras.get(camera)


@functools.cache
def load_visibility(path: Path = VISIBILITY_FILE) -> Visibility:
    """Return the rules.

    Raises:
        InputError: every unknown key and wrong value, with its line; an error type with two rules
            for one action.
    """
    placed = read_yaml(path)
    try:
        found = Visibility.model_validate(placed.data)
    except ValidationError as error:
        keys = sorted({*Visibility.model_fields, *Rule.model_fields})
        raise InputError(problems_of(error, placed.place, keys)) from error
    problems = list(_twice(found, path))
    if problems:
        raise InputError(problems)
    return found


def _twice(found: Visibility, path: Path) -> Iterator[Problem]:
    first: dict[tuple[str, str], str] = {}
    for rule in found.rules:
        for error_type in rule.errors:
            for action in rule.actions or ("",):
                other = first.setdefault((action, error_type), rule.name)
                if other != rule.name:
                    yield Problem(str(path), f"{error_type} is in {other!r} and in {rule.name!r}")
