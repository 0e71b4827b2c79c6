"""What the base learns to say: notes of a lift, and the pages of the exercise manual.

The wording is that of the graph, first variant only; the questions and the form are not those of
FLEX-VideoQA, which the coach learns later.
"""

import random
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from flex.graph import Graph
from flex.sample import Annotation


class Exchange(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


NOTES = "Notes on this lift."


def notes(graph: Graph, record: Annotation) -> Exchange:
    """Return the notes of a clip: the exercise, then a line for each key step that went wrong."""
    lines = [graph.actions[record.action].name]
    order = {occurrence: n for n, occurrence in enumerate(graph.occurrences(record.action))}
    seen = sorted(record.occurrences, key=order.__getitem__)
    for step, errors in groupby(seen, key=lambda occurrence: occurrence.key_step):
        clauses = [graph.error_types[error.error_type].observed[0] for error in errors]
        lines.append(f"{graph.key_steps[step].moments[0]}: {'; '.join(clauses)}")
    return Exchange(NOTES, "\n".join(lines))


def page(graph: Graph, draws: random.Random) -> Exchange:
    """Return one page of the manual, drawn at random: an exercise's standard, or a correction."""
    action = draws.choice(list(graph.actions.values()))
    if draws.random() < 0.5:
        text = [f"{action.summary} {action.equipment}"]
        text += [graph.key_steps[step].standard for step in action.key_steps]
        return Exchange(f"Manual: {action.name}.", "\n".join(text))
    occurrence = draws.choice(graph.occurrences(action.id))
    error = graph.error_types[occurrence.error_type]
    moment = graph.key_steps[occurrence.key_step].moments[0]
    correction = draws.choice(graph.corrections(occurrence))
    return Exchange(f"Mend: {action.name}; {moment}: {error.observed[0]}.", correction)


def corpus(graph: Graph) -> Iterator[str]:
    """Yield the graph's texts, for the tokenizer."""
    for action in graph.actions.values():
        yield f"{action.name} {action.summary} {action.equipment}"
        for step in action.key_steps:
            yield graph.key_steps[step].standard
            yield " ".join(graph.key_steps[step].moments)
        for occurrence in graph.occurrences(action.id):
            error = graph.error_types[occurrence.error_type]
            yield " ".join((error.name, *error.observed, *error.ideal))
            yield " ".join(graph.corrections(occurrence))
