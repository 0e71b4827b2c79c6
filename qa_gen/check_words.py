"""Names and phrases that the fact check looks for in a text."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from flex.graph import Graph, Occurrence

_PHRASES_FILE = Path(__file__).with_name("check.yaml")


@functools.cache
def _phrase_pattern(group: str) -> re.Pattern[str]:
    groups: dict[str, list[str]] = yaml.safe_load(_PHRASES_FILE.read_text(encoding="utf-8"))
    return re.compile(r"\b(" + "|".join(map(re.escape, groups[group])) + r")s?\b", re.IGNORECASE)


def phrases(group: str, text: str) -> Iterator[str]:
    """Yield the phrases of a group in `check.yaml` that occur in the text."""
    for match in _phrase_pattern(group).finditer(text):
        yield match[0]


def foreign_actions(graph: Graph, action_id: str, text: str) -> list[str]:
    """Return the names of other actions in a text.

    A name inside a longer name does not count ("bicep curl" in "dumbbell bicep curl"), nor does a
    word of the action's own standard ("squat down" in a deadlift).
    """
    own = _own_words(graph, action_id)
    return [m[0] for m in _action_names(graph).finditer(text) if m[0].lower() not in own]


@functools.lru_cache(maxsize=8)
def _action_names(graph: Graph) -> re.Pattern[str]:
    names = {name.lower() for a in graph.actions.values() for name in (a.name, *a.also)}
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")\b", re.IGNORECASE)


@functools.lru_cache(maxsize=256)
def _own_words(graph: Graph, action_id: str) -> frozenset[str]:
    """The names that may stand in a text about the action: its own, and those its wording uses."""
    action = graph.actions[action_id]
    wording = [action.summary, *action_wording(graph, action_id)]
    used = {m[0].lower() for text in wording for m in _action_names(graph).finditer(text)}
    return frozenset(used | {name.lower() for name in (action.name, *action.also)})


def action_wording(graph: Graph, action_id: str) -> Iterator[str]:
    """Yield everything that the graph says of an action's key steps and errors."""
    for step in graph.actions[action_id].key_steps:
        yield graph.key_steps[step].standard
        yield from graph.key_steps[step].moments
    for occurrence in graph.occurrences(action_id):
        yield from occurrence_wording(graph, occurrence)


def occurrence_wording(graph: Graph, occurrence: Occurrence) -> Iterator[str]:
    """Yield everything that the graph says of an error at a key step."""
    error = graph.error_types[occurrence.error_type]
    yield from (error.name, error.description, *error.observed, *error.ideal)
    yield from (*error.correction, *graph.corrections(occurrence))
    yield graph.key_steps[occurrence.key_step].standard
    yield from graph.key_steps[occurrence.key_step].moments
