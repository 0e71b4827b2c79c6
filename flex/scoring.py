"""The score of a clip (Eq. 1): what share of an action's penalty weight was not incurred.

    score = (1 − Σ weights of observed occurrences ÷ Σ weights of all occurrences) × 100

An occurrence is a (key step, error type) pair, so one error type counts at every key step where it
is seen (Figure 11: 37 of 161 gives 77.02).
"""

from collections.abc import Iterable

from flex.graph import Graph, Occurrence
from flex.problems import InputError, Problem

DECIMALS = 2


def score(
    graph: Graph,
    action: str,
    errors: Iterable[Occurrence],
    *,
    scope: Iterable[Occurrence] | None = None,
    total: int | None = None,
) -> float:
    """Return the score of an action with the given errors, 0–100, rounded to two decimals.

    Args:
        graph: where the weights come from.
        action: id of the action.
        errors: what was observed.
        scope: the occurrences that were labelled at all; the score then covers that part only.
        total: a denominator to use instead, where a data set states its own.

    Raises:
        InputError: an error or a scope entry that the action does not have, or an error
            outside the scope; errors that weigh more than the stated total.
    """
    labelled = graph.occurrences(action) if scope is None else graph.in_order(action, scope)
    observed = graph.in_order(action, errors)
    graph.require_within(observed, labelled)
    lost, most = penalty(graph, observed), denominator(graph, action, scope=scope, total=total)
    if lost > most:
        message = f"the errors weigh {lost}, more than the stated total {most}"
        raise InputError([Problem(action, message)])
    return round(100 * (1 - lost / most), DECIMALS)


def penalty(graph: Graph, errors: Iterable[Occurrence]) -> int:
    """Return the numerator of Eq. 1: the summed weights of the errors."""
    return sum(map(graph.weight, errors))


def denominator(
    graph: Graph,
    action: str,
    *,
    scope: Iterable[Occurrence] | None = None,
    total: int | None = None,
) -> int:
    """Return the denominator of Eq. 1: a stated total, or the weights of what was labelled."""
    if total is not None:
        return total
    return graph.total(action) if scope is None else penalty(graph, scope)
