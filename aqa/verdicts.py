"""From probabilities to verdicts: errors, score by Eq. 1, and what could not be seen.

    for verdict in verdicts(columns, ["A16"], probabilities, threshold=0.4, unseen=unseen): ...

What the views cannot show is not judged: it is listed, left out of the errors, and enters the
expected score with its base rate, as nothing is known of it in this clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa.error_columns import ErrorColumns
from flex.graph import Occurrence
from flex.scoring import score


@dataclass(frozen=True)
class Verdict:
    """What is said of one clip.

    Attributes:
        action: id of the action.
        probabilities: occurrence → probability, for what was judged, in phase order.
        errors: what is claimed, in phase order.
        abstained: what cannot be judged, in phase order.
        score: Eq. 1 on the claimed errors over what was judged; `None` if nothing was.
        expected_score: Eq. 1 on probabilities, over all of the action; base rates where abstained.
    """

    action: str
    probabilities: dict[Occurrence, float]
    errors: tuple[Occurrence, ...]
    abstained: tuple[Occurrence, ...]
    score: float | None
    expected_score: float


def verdicts(
    columns: ErrorColumns,
    actions: Sequence[str],
    probabilities: NDArray[np.floating],
    *,
    threshold: float | NDArray[np.floating] = 0.5,
    unseen: NDArray[np.bool_] | None = None,
    base_rate: NDArray[np.floating] | None = None,
) -> list[Verdict]:
    """Return a verdict on every clip.

    Args:
        columns: what the columns stand for.
        actions: ids of the B clips' actions.
        probabilities: (B, O)
        threshold: at and above it an error is claimed; one for all, or (O,).
        unseen: (O,) or (B, O) bool, what cannot be judged (`ErrorColumns.unseen`); none if absent.
        base_rate: (A, O) of the training clips (`GraphHead.base_rate`), for what cannot be judged;
            without it the head's own probability stands.

    Raises:
        InputError: the graph has no such action.
    """
    rows = columns.rows(actions)
    hidden = np.zeros(probabilities.shape, dtype=bool) if unseen is None else unseen
    hidden = np.broadcast_to(hidden, probabilities.shape)
    limits = np.broadcast_to(threshold, probabilities.shape)
    if base_rate is not None:
        probabilities = np.where(hidden, base_rate[rows], probabilities)
    expected = expected_scores(columns, rows, probabilities)
    return [
        _verdict(columns, columns.actions[row], claims, limit, blind, float(value))
        for row, claims, limit, blind, value in zip(
            rows, probabilities, limits, hidden, expected, strict=True
        )
    ]


def expected_scores(
    columns: ErrorColumns, rows: NDArray[np.int64], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return Eq. 1's mean over all that may have happened: (B,), (B, O) → (B,) in 0–100."""
    lost = (probabilities * columns.weights * columns.known[rows]).sum(axis=1)
    scores: NDArray[np.float64] = 100 * (1 - lost / columns.totals[rows])
    return scores


def _verdict(
    columns: ErrorColumns,
    action: str,
    claims: NDArray[np.floating],
    limits: NDArray[np.floating],
    hidden: NDArray[np.bool_],
    expected: float,
) -> Verdict:
    every = columns.graph.occurrences(action)
    places = dict(zip(every, columns.of(every), strict=True))
    judged = tuple(o for o in every if not hidden[places[o]])
    errors = tuple(o for o in judged if claims[places[o]] >= limits[places[o]])
    # The whole action keeps its stated total, which may not be the sum over the table.
    scope = None if len(judged) == len(every) else judged
    return Verdict(
        action=action,
        probabilities={o: float(claims[places[o]]) for o in judged},
        errors=errors,
        abstained=tuple(o for o in every if hidden[places[o]]),
        score=score(columns.graph, action, errors, scope=scope) if judged else None,
        expected_score=expected,
    )
