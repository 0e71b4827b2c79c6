"""What the base learns to say about a lift, part by part; `pretrain.talk` makes talks of it.

The clauses are the graph's; what stands around them is in `prompts/base/talk.yaml`, and neither
questions nor forms are those of FLEX-VideoQA, which the coach learns later. Every part of an answer
has a weight: what has to be seen counts, what follows from it counts little.
"""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flex.graph import Graph, Occurrence
from flex.sample import Annotation

TELL, ASIDE = 1.0, 0.3  # how much a token counts of what has to be seen, and of what is known
NAME, YES = 3.0, 5.0  # a fault that is missed costs more than one that is imagined
_FIXED, _PRAISED = 0.5, 0.25  # share of faults with a remedy, of what was right with praise
_GOOD, _CHECKED = 3, 8


class Piece(NamedTuple):
    """A part of an answer, and how much each of its tokens counts; 0 where it is given."""

    text: str
    weight: float


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
        yield Piece(" yes\n" if there else " no\n", YES if there else NAME)


def notes(graph: Graph, record: Annotation, draws: random.Random, none: str) -> str:
    """Return a line for each error, in the order of the key steps, or `none`."""
    lines = [
        f"{draws.choice(graph.key_steps[o.key_step].moments)}: "
        f"{draws.choice(graph.error_types[o.error_type].observed)}"
        for o in _seen(graph, record)
    ]
    return "\n".join(lines) or none


def faults(graph: Graph, record: Annotation, none: str) -> str:
    """Return the names of key steps and errors: one form for each, so that only seeing counts."""
    return "\n".join(_title(graph, at) for at in _seen(graph, record)) or none


def praise(graph: Graph, record: Annotation, draws: random.Random, none: str) -> str:
    """Return a sentence for each of some errors that did not happen, saying what was right."""
    right = [o for o in graph.occurrences(record.action) if o not in record.occurrences]
    chosen = sorted(draws.sample(right, min(_GOOD, len(right))), key=right.index)
    return " ".join(_sentence(graph, o, False, draws) for o in chosen) or none


def comments(
    graph: Graph, record: Annotation, draws: random.Random, words: dict[str, Sequence[str]]
) -> Iterator[Piece]:
    """Yield prose in the order of the key steps: every error, some with a remedy, some praise."""
    space = ""
    for text, weight in _remarks(graph, record, draws, words):
        yield Piece(f"{space}{text}", weight)
        space = " "


def _remarks(
    graph: Graph, record: Annotation, draws: random.Random, words: dict[str, Sequence[str]]
) -> Iterator[tuple[str, float]]:
    seen = _seen(graph, record)
    if opening := draws.choice(words["openings"]):
        yield opening.format(name=graph.actions[record.action].name), ASIDE
    praises = draws.random() < 0.5
    for at in graph.occurrences(record.action):
        if at in seen:
            yield _sentence(graph, at, True, draws), TELL
            if draws.random() < _FIXED:
                fix = draws.choice(graph.corrections(at))
                yield draws.choice(words["fixes"]).format(fix=fix, clause=_small(fix)), ASIDE
        elif praises and draws.random() < _PRAISED:
            right, text = draws.choice(words["right"]), _sentence(graph, at, False, draws)
            yield f"{right}{_small(text) if right else text}", ASIDE
    if not seen:
        yield draws.choice(words["clean"]), TELL
    elif ending := draws.choice(words["endings"]):
        first = max(seen, key=graph.weight)
        priority = graph.error_types[first.error_type].name.lower()
        yield ending.format(priority=priority), TELL


def standard(
    graph: Graph, action: str, draws: random.Random, words: dict[str, Sequence[str]]
) -> str:
    """Return how an exercise is done, as the graph has it."""
    exercise = graph.actions[action]
    opening, form = draws.choice(words["openings"]), draws.choice(words["steps"])
    steps = [
        form.format(standard=graph.key_steps[step].standard, step=graph.key_steps[step].name)
        for step in exercise.key_steps
    ]
    opening = opening.format(name=exercise.name, summary=exercise.summary)
    return "\n".join([opening, *steps] if opening else steps)


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


def _seen(graph: Graph, record: Annotation) -> list[Occurrence]:
    return [o for o in graph.occurrences(record.action) if o in record.occurrences]


def _title(graph: Graph, at: Occurrence) -> str:
    return f"{graph.key_steps[at.key_step].name}: {graph.error_types[at.error_type].name}"


def _sentence(graph: Graph, at: Occurrence, wrong: bool, draws: random.Random) -> str:
    error = graph.error_types[at.error_type]
    clause = draws.choice(error.observed if wrong else error.ideal)
    moment = draws.choice(graph.key_steps[at.key_step].moments)
    both = (moment, clause) if draws.random() < 0.5 else (clause, moment)
    text = (", " if both[0] is moment else " ").join(both)
    return f"{text[:1].upper()}{text[1:]}."


def _small(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
