"""What the base learns to say about a lift: a talk of short questions and answers.

The wording is that of the graph; the questions and the form are not those of FLEX-VideoQA, which
the coach learns later.
"""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flex.annotation_checks import score_of
from flex.graph import Graph, Occurrence
from flex.sample import Annotation

_TELL, _ASIDE = 1.0, 0.3  # how much a token counts of what has to be seen, and of what is known
_NAME = 3.0
# How often these are asked, and how often faults are named only.
_STANDARD, _GOOD, _MEND, _SCORE, _NAMED = 0.15, 0.2, 0.2, 0.2, 0.5
_PRAISED = 3


class Turn(NamedTuple):
    """A question, its answer, and how much each token of the answer counts."""

    question: str
    answer: str
    weight: float


def talk(graph: Graph, record: Annotation, draws: random.Random) -> list[Turn]:
    """Return a talk about a clip: exercise, faults or notes, and perhaps other questions."""
    turns = [Turn("Exercise?", graph.actions[record.action].name, _NAME)]
    if draws.random() < _STANDARD:
        turns.append(Turn("Standard?", standard(graph, record.action), _ASIDE))
    if draws.random() < _GOOD:
        turns.append(Turn("What was good?", praise(graph, record, draws), _ASIDE))
    if draws.random() < _NAMED:
        turns.append(Turn("Faults?", faults(graph, record), _NAME))
    else:
        turns.append(Turn("Notes on this lift.", notes(graph, record, draws), _TELL))
    if record.occurrences and draws.random() < _MEND:
        seen = draws.choice(record.occurrences)
        fault = draws.choice(graph.error_types[seen.error_type].observed)
        advice = draws.choice(graph.corrections(seen))
        turns.append(Turn(f"Mend: {fault}.", advice, _ASIDE))
    if draws.random() < _SCORE:
        turns.append(Turn("Score?", f"{score_of(record, graph):.0f}", _TELL))
    return turns


def notes(graph: Graph, record: Annotation, draws: random.Random) -> str:
    """Return a line for each error, in the order of the key steps, or that there is none."""
    seen = [o for o in graph.occurrences(record.action) if o in record.occurrences]
    lines = [_line(graph, o, graph.error_types[o.error_type].observed, draws) for o in seen]
    return "\n".join(lines) or "Nothing to note."


def faults(graph: Graph, record: Annotation) -> str:
    """Return the names of key steps and errors: one form for each, so that only seeing counts."""
    seen = [o for o in graph.occurrences(record.action) if o in record.occurrences]
    lines = [
        f"{graph.key_steps[o.key_step].name}: {graph.error_types[o.error_type].name}" for o in seen
    ]
    return "\n".join(lines) or "None."


def praise(graph: Graph, record: Annotation, draws: random.Random) -> str:
    """Return a line for each of some errors that did not happen, saying what was right."""
    right = [o for o in graph.occurrences(record.action) if o not in record.occurrences]
    chosen = sorted(draws.sample(right, min(_PRAISED, len(right))), key=right.index)
    lines = [_line(graph, o, graph.error_types[o.error_type].ideal, draws) for o in chosen]
    return "\n".join(lines) or "Nothing."


def standard(graph: Graph, action: str) -> str:
    """Return how an exercise is done, as the graph has it."""
    exercise = graph.actions[action]
    steps = [graph.key_steps[step].standard for step in exercise.key_steps]
    return "\n".join([f"{exercise.summary} {exercise.equipment}", *steps])


def _line(graph: Graph, at: Occurrence, clauses: Sequence[str], draws: random.Random) -> str:
    return f"{draws.choice(graph.key_steps[at.key_step].moments)}: {draws.choice(clauses)}"


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
