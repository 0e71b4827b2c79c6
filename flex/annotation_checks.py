"""What must hold within one annotation record, beyond its types.

    list(record_problems(record, graph))   # messages; an empty list is a good record

Ids are those of the graph, errors are the action's own and inside what was labelled, the score
is the one of Eq. 1, phases follow the action's order, and no interval leaves the clip.
"""

import itertools
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from flex.graph import Graph, Occurrence
from flex.problems import InputError, nearest
from flex.sample import Annotation, PhaseSpan
from flex.scoring import denominator, penalty, score

SCORE_TOLERANCE = 0.01
TIME_TOLERANCE_S = 0.001
Item = TypeVar("Item", bound=Hashable)


def score_of(record: Annotation, graph: Graph) -> float:
    """Return the score that the record's errors give, over what was labelled (Eq. 1)."""
    return score(
        graph,
        record.action,
        record.occurrences,
        scope=record.scope,
        total=record.score_total,
    )


def record_problems(record: Annotation, graph: Graph) -> Iterator[str]:
    """Yield what is wrong with a record: field, what was found, what was expected."""
    yield from _times(record)
    if record.semg:
        for name in _twice(record.semg.channels):
            yield f"semg.channels: {name!r} is given twice"
    if record.action not in graph.actions:
        yield f"action: {_unknown_action(record.action, graph)}"
        return
    yield from _phase_order(record, graph)
    wrong = [*_errors(record, graph), *_labelled(record, graph)]
    yield from wrong or _score(record, graph)


def occurrence_problem(item: Occurrence, action: str, graph: Graph) -> str | None:
    """Say why a (key step, error type) is not one of the action's, or return `None` if it is."""
    if item in graph.occurrences(action):
        return None
    if item.key_step not in graph.key_steps:
        hint = nearest(item.key_step, graph.key_steps)
        return f"{item}: the graph has no key step {item.key_step!r}{hint}"
    if item.error_type not in graph.error_types:
        hint = nearest(item.error_type, graph.error_types)
        return f"{item}: the graph has no error type {item.error_type!r}{hint}"
    try:
        graph.in_order(action, [item])
    except InputError as error:
        return str(error)
    return None


def _unknown_action(name: str, graph: Graph) -> str:
    try:
        meant = graph.action(name)
    except InputError as error:
        return error.problems[0].message
    return f"expected an id, found the name {name!r}; its id is {meant.id}"


def _errors(record: Annotation, graph: Graph) -> Iterator[str]:
    # Plain tuples equal occurrences and are made far faster; a data set has 50,000 of them.
    known = graph.occurrences(record.action)
    pairs = [(label.key_step, label.error_type) for label in record.errors]
    for index, pair in enumerate(pairs):
        if pair not in known:
            wrong = occurrence_problem(Occurrence(*pair), record.action, graph)
            yield f"errors[{index}]: {wrong}"
    for pair in _twice(pairs):
        yield f"errors: {Occurrence(*pair)} is given twice"


def _labelled(record: Annotation, graph: Graph) -> Iterator[str]:
    if record.labelled is None:
        return
    if not record.labelled:
        yield "labelled: is empty; name what was looked for, or leave it out if that was everything"
        return
    scope: list[Occurrence] = []
    for text in record.labelled:
        try:
            item = Occurrence.parse(text)
        except ValueError as error:
            yield f"labelled: {error}"
            continue
        scope.append(item)
        if wrong := occurrence_problem(item, record.action, graph):
            yield f"labelled: {wrong}"
    for item in _twice(scope):
        yield f"labelled: {item} is given twice"
    for item in record.occurrences:
        if item not in scope:
            yield f"errors: {item} is outside what was labelled ({', '.join(record.labelled)})"


def _score(record: Annotation, graph: Graph) -> Iterator[str]:
    """Compare the stated score and total with Eq. 1."""
    if record.score is None and record.score_total is None:
        return
    lost = penalty(graph, record.occurrences)
    total = denominator(graph, record.action, scope=record.scope, total=record.score_total)
    if lost > total:
        yield f"score_total: {total} is less than the weights of the errors, {lost}"
        return
    computed = score_of(record, graph)
    if record.score is not None and abs(record.score - computed) > SCORE_TOLERANCE + 1e-9:
        yield (
            f"score: {record.score} is stated, the errors give {computed} (penalty {lost} of "
            f"{total}); if the source used another total, state it as score_total"
        )


def _phase_order(record: Annotation, graph: Graph) -> Iterator[str]:
    order = graph.actions[record.action].phases
    found = [span.phase for span in _by_start(record)]
    for phase in _twice(found):
        yield f"phases: {phase} is given twice"
    for phase in dict.fromkeys(found):
        if phase not in order:
            yield f"phases: {record.action} has no {phase} phase; it has {', '.join(order)}"
    known = [order.index(phase) for phase in dict.fromkeys(found) if phase in order]
    if known != sorted(known):
        expected = ", ".join(order[index] for index in sorted(known))
        yield f"phases: found {', '.join(found)}; {record.action} goes {expected}"


def _times(record: Annotation) -> Iterator[str]:
    by_start = _by_start(record)
    for before, after in itertools.pairwise(by_start):
        if after.start_s < before.end_s - TIME_TOLERANCE_S:
            yield (
                f"phases: {after.phase} starts at {after.start_s} s, "
                f"before {before.phase} ends at {before.end_s} s"
            )
    if record.duration_s is None:
        return
    ends = [(f"errors[{i}]", label.end_s) for i, label in enumerate(record.errors)]
    ends += [(f"phases[{i}]", span.end_s) for i, span in enumerate(record.phases)]
    for field, end_s in ends:
        if end_s is not None and end_s > record.duration_s + TIME_TOLERANCE_S:
            yield f"{field}.end_s: {end_s} s is past the end of the clip, {record.duration_s} s"


def _by_start(record: Annotation) -> list[PhaseSpan]:
    return sorted(record.phases, key=lambda span: span.start_s)


def _twice(items: Sequence[Item]) -> list[Item]:
    if len(set(items)) == len(items):
        return []
    return [item for item in dict.fromkeys(items) if items.count(item) > 1]
