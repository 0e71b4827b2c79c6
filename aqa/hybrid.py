"""CoRe's score as a second opinion beside the graph head's.

    opinion = opinion_of(Path("runs/aqa/graph"), Path("runs/aqa/mv"))     # of two runs' folders
    opinion = second_opinion(graph_rows, core_rows)     # how much of each, told by validation clips
    rows = hybrid(graph_rows, core_rows, opinion)

The score is a mean of both. How much of it is the graph head's is what would have come nearest to
the labels of the validation clips; errors and probabilities stay those of the graph head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa.predictions import PREDICTIONS_FILE, Prediction, read_predictions
from flex.problems import InputError, Problem

VARIANT = "hybrid"


@dataclass(frozen=True)
class Opinion:
    """How two models go together.

    Attributes:
        weight: share of the graph head in the score, 0 to 1; the rest is CoRe's.
        clips: validation clips that told it.
        gap: mean distance of the two scores on them, points.
    """

    weight: float
    clips: int
    gap: float

    def score(self, graph: float, core: float) -> float:
        """Return the mean of both scores."""
        return self.weight * graph + (1 - self.weight) * core


def opinion_of(graph: Path, core: Path) -> Opinion:
    """Return how the runs in two folders go together.

    Raises:
        InputError: as `second_opinion`, or predictions that cannot be read.
    """
    return second_opinion(*(read_predictions(run / PREDICTIONS_FILE) for run in (graph, core)))


def second_opinion(graph: Sequence[Prediction], core: Sequence[Prediction]) -> Opinion:
    """Return the weight of least squared error on the validation clips of both runs.

    Raises:
        InputError: runs of other heads, or no labelled validation clip in both.
    """
    _check_heads(graph, core)
    other = {row.clip: row.score for row in core if row.part == "validation"}
    rows = [
        (row.score, other[row.clip], row.truth)
        for row in graph
        if row.part == "validation" and row.clip in other and row.truth is not None
    ]
    if not rows:
        message = "the two runs share no labelled validation clip; train writes them, predict not"
        raise InputError([Problem("second opinion", message)])
    first, second, truth = np.array(rows).T
    gap = first - second
    spread = float((gap**2).sum())
    weight = float(np.clip((gap * (truth - second)).sum() / spread, 0, 1)) if spread else 1.0
    return Opinion(weight, len(rows), float(np.abs(gap).mean()))


def hybrid(
    graph: Sequence[Prediction], core: Sequence[Prediction], opinion: Opinion
) -> list[Prediction]:
    """Return the graph head's predictions with the score of both, variant "hybrid".

    Raises:
        InputError: a clip that only one of the runs predicts.
    """
    other = {row.clip: row.score for row in core}
    if lonely := sorted({row.clip for row in graph} ^ set(other)):
        message = f"is predicted by one of the runs only ({len(lonely)} such clips)"
        raise InputError([Problem(lonely[0], message)])
    return [
        row.model_copy(
            update={"variant": VARIANT, "score": opinion.score(row.score, other[row.clip])}
        )
        for row in graph
    ]


def _check_heads(graph: Sequence[Prediction], core: Sequence[Prediction]) -> None:
    for rows, head in ((graph, "graph"), (core, "core")):
        if wrong := next((row for row in rows if row.head != head), None):
            message = f"expected predictions of the head {head}, found {wrong.head}"
            raise InputError([Problem(wrong.variant, message)])
