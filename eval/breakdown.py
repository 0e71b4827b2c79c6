"""Where a mode is good and where it is not: by action, stage, skill, view and error type."""

from collections.abc import Sequence
from typing import Literal

from eval.answers import Answer
from eval.coach_metrics import judge, per_type
from eval.numbers import Scale
from eval.readers import MATCHER, Reader
from eval.scorecard import mode_statistics
from eval.text_metrics.measure import measure
from flex.graph import Graph

By = Literal["action", "stage", "skill", "view", "error type"]
BYS: tuple[By, ...] = ("action", "stage", "skill", "view", "error type")
COACH = (
    "action_accuracy",
    "errors/micro/f1",
    "called correct",
    "R-l2 of graph score, action range, unread: skip",
)


def breakdown(
    graph: Graph,
    answers: Sequence[Answer],
    by: By,
    scale: Scale,
    *,
    reader: Reader = MATCHER,
    texts: bool = True,
    workers: int | None = None,
) -> dict[str, dict[str, float]]:
    """Return group → name → value over one mode's answers, with the group's clips as "clips".

    Args:
        graph: names, error types and weights.
        answers: of one mode.
        by: how to group; "error type" gives precision, recall, f1 and support.
        scale: ranges of the scores; of the whole, not of a group.
        reader: who reads errors out of the answers.
        texts: whether to measure the text metrics too.
        workers: processes for the text metrics.
    """
    if by == "error type":
        return per_type(judge(graph, answers, reader))
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(str(getattr(answer, by) or "not stated"), []).append(answer)
    return {
        group: _figures(graph, groups[group], scale, reader, texts, workers)
        for group in sorted(groups)
    }


def _figures(
    graph: Graph,
    answers: Sequence[Answer],
    scale: Scale,
    reader: Reader,
    texts: bool,
    workers: int | None,
) -> dict[str, float]:
    statistics, _ = mode_statistics(graph, answers, scale, reader)
    figures = {name: statistics[name].value for name in COACH if name in statistics}
    written = [a for a in answers if texts and a.reference and a.found is None]
    if written:
        measured = measure(
            [a.answer for a in written], [a.reference for a in written], workers=workers
        )
        figures |= {name: s.value for name, s in measured.statistics.items()}
    return {
        "clips": float(len({a.clip for a in answers})),
        **{name: value for name, value in figures.items() if value == value},
    }
