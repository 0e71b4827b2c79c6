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
_NAME, _YES = 3.0, 5.0  # a fault that is missed costs more than one that is imagined
# How often these are asked; of the rest, faults are named only.
_STANDARD, _GOOD, _MEND, _SCORE = 0.1, 0.15, 0.1, 0.1
_CHECKS, _NOTES = 0.5, 0.35
_PRAISED, _CHECKED = 3, 8


class Piece(NamedTuple):
    """A part of an answer, and how much each of its tokens counts; 0 where it is given."""

    text: str
    weight: float


class Turn(NamedTuple):
    """A question and its answer."""

    question: str
    answer: tuple[Piece, ...]


def talk(graph: Graph, record: Annotation, draws: random.Random) -> list[Turn]:
    """Return a talk about a clip: exercise, errors in one of three forms, perhaps more."""
    turns = [_turn("Exercise?", graph.actions[record.action].name, _NAME)]
    if draws.random() < _STANDARD:
        turns.append(_turn("Standard?", standard(graph, record.action), _ASIDE))
    if draws.random() < _GOOD:
        turns.append(_turn("What was good?", praise(graph, record, draws), _ASIDE))
    form = draws.random()
    if form < _CHECKS:
        turns.append(Turn("Check.", tuple(checks(graph, record, draws))))
    elif form < _CHECKS + _NOTES:
        turns.append(_turn("Notes on this lift.", notes(graph, record, draws), _TELL))
    else:
        turns.append(_turn("Faults?", faults(graph, record), _NAME))
    if record.occurrences and draws.random() < _MEND:
        seen = draws.choice(record.occurrences)
        fault = draws.choice(graph.error_types[seen.error_type].observed)
        turns.append(_turn(f"Mend: {fault}.", draws.choice(graph.corrections(seen)), _ASIDE))
    if draws.random() < _SCORE:
        turns.append(_turn("Score?", f"{score_of(record, graph):.0f}", _TELL))
    return turns


def checks(graph: Graph, record: Annotation, draws: random.Random) -> Iterator[Piece]:
    """Yield a line for each of some errors that the exercise can have, with yes or no.

    Only yes and no count: every line is a decision about what is seen, where a list of errors
    has few.
    """
    candidates = graph.occurrences(record.action)
    chosen = draws.sample(candidates, min(_CHECKED, len(candidates)))
    for at in sorted(chosen, key=candidates.index):
        yield Piece(f"{_title(graph, at)}?", 0.0)
        there = at in record.occurrences
        yield Piece(" yes\n" if there else " no\n", _YES if there else _NAME)


def notes(graph: Graph, record: Annotation, draws: random.Random) -> str:
    """Return a line for each error, in the order of the key steps, or that there is none."""
    seen = [o for o in graph.occurrences(record.action) if o in record.occurrences]
    lines = [_line(graph, o, graph.error_types[o.error_type].observed, draws) for o in seen]
    return "\n".join(lines) or "Nothing to note."


def faults(graph: Graph, record: Annotation) -> str:
    """Return the names of key steps and errors: one form for each, so that only seeing counts."""
    seen = [o for o in graph.occurrences(record.action) if o in record.occurrences]
    return "\n".join(_title(graph, at) for at in seen) or "None."


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


def _turn(question: str, answer: str, weight: float) -> Turn:
    return Turn(question, (Piece(answer, weight),))


def _title(graph: Graph, at: Occurrence) -> str:
    return f"{graph.key_steps[at.key_step].name}: {graph.error_types[at.error_type].name}"


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
