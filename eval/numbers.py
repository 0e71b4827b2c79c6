"""How near scores are: R-l2 with both ranges, rank correlation, what to do with unread scores.

R-l2 = mean of ((score − truth) ÷ range)², printed × 100. The paper divides by the range of an
action's scores over the data set, the released code by that of the test subset: both are given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eval.answers import Answer
from eval.coach_metrics import Judged
from eval.score_parse import ParsedScore, parse_score
from eval.statistics import Rows, Statistic, mean_of, ratio
from flex.graph import Graph
from flex.scoring import score

# Unread scores: left out, replaced by the action's mean, or as far from the truth as can be.
Policy = Literal["skip", "mean", "worst"]
POLICIES: tuple[Policy, ...] = ("skip", "mean", "worst")
Range = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """What scores are measured against.

    Attributes:
        ranges: action → least and greatest score over the whole data set.
        subset: action → the same over the answered clips.
        means: action → mean score of the training clips, for the "mean" policy.
    """

    ranges: Mapping[str, Range]
    subset: Mapping[str, Range]
    means: Mapping[str, float]


def ranges_of(scores: Iterable[tuple[str, float]]) -> dict[str, Range]:
    """Return action → (least, greatest) of its scores."""
    found: dict[str, Range] = {}
    for action, value in scores:
        low, high = found.get(action, (value, value))
        found[action] = min(low, value), max(high, value)
    return found


def means_of(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return action → mean of its scores."""
    groups: dict[str, list[float]] = {}
    for action, value in scores:
        groups.setdefault(action, []).append(value)
    return {action: float(np.mean(values)) for action, values in groups.items()}


def scale_of(
    answers: Iterable[Answer],
    everywhere: Iterable[tuple[str, float]] = (),
    training: Iterable[tuple[str, float]] = (),
) -> Scale:
    """Return the scale for the clips of some answers.

    Args:
        answers: whose clips are the test subset.
        everywhere: (action, score) of the whole data set; without it the subset stands for it.
        training: (action, score) of the training clips.
    """
    known = {(a.clip, a.action): a.truth.score for a in answers if a.truth.score is not None}
    subset = ranges_of((action, value) for (_, action), value in known.items())
    return Scale({**subset, **ranges_of(everywhere)}, subset, means_of(training))


def r_l2(
    name: str,
    answers: Sequence[Answer],
    values: Sequence[float | None],
    scale: Scale,
    policy: Policy = "skip",
) -> list[Statistic]:
    """Return R-l2 × 100 with the action's range and with the subset's range.

    Args:
        name: what the scores are, such as "stated".
        answers: whose truth they are measured against; clips without a true score are left out.
        values: the scores; `None` where none could be read.
        scale: ranges and means.
        policy: what becomes of a `None`.
    """
    return [
        Statistic(
            f"R-l2 of {name} score, {label}, unread: {policy}",
            _squares(answers, values, spans, scale, policy),
            ratio,
            tuple(answer.cluster for answer in answers),
            lower_is_better=True,
        )
        for label, spans in (("action range", scale.ranges), ("test range", scale.subset))
    ]


def _squares(
    answers: Sequence[Answer],
    values: Sequence[float | None],
    spans: Mapping[str, Range],
    scale: Scale,
    policy: Policy,
) -> Rows:
    rows = []
    for answer, value in zip(answers, values, strict=True):
        truth, (low, high) = answer.truth.score, spans.get(answer.action, (0.0, 0.0))
        if value is None:
            value = _filled(policy, answer, scale, low, high)
        if truth is None or value is None or high <= low:
            rows.append([0.0, 0.0])
        else:
            rows.append([100 * ((value - truth) / (high - low)) ** 2, 1.0])
    return np.array(rows, dtype=float).reshape(-1, 2)


def _filled(policy: Policy, answer: Answer, scale: Scale, low: float, high: float) -> float | None:
    if policy == "mean":
        return scale.means.get(answer.action)
    if policy == "worst" and answer.truth.score is not None:
        return max((low, high), key=lambda end: abs(end - (answer.truth.score or 0.0)))
    return None


def stated_scores(answers: Iterable[Answer]) -> list[ParsedScore]:
    """Return what each answer to the score stage states."""
    return [parse_score(answer.answer) for answer in answers]


def coverage(answers: Sequence[Answer], parsed: Sequence[ParsedScore]) -> list[Statistic]:
    """Return the share of answers with a score that can be read, and of refusals."""
    clusters = [answer.cluster for answer in answers]
    read = [item.value is not None for item in parsed]
    refused = [item.kind in ("refused", "empty") for item in parsed]
    return [
        mean_of("score coverage", read, clusters),
        mean_of("scores refused", refused, clusters, lower_is_better=True),
    ]


def graph_scores(graph: Graph, judged: Iterable[Judged]) -> list[float | None]:
    """Return the score that Eq. 1 gives for the errors that each answer names, if it was read.

    A named type counts at the key steps that the text tells; where it tells none, at every key
    step of the action that can show it. Errors outside what was labelled do not count.
    """
    scores: list[float | None] = []
    for item in judged:
        if item.reading is None:
            scores.append(None)
            continue
        scope = item.answer.truth.scope(graph, item.answer.action)
        seen = [o for o in item.reading.occurrences if o in set(scope)]
        partial = scope if item.answer.truth.labelled is not None else None
        scores.append(score(graph, item.answer.action, seen, scope=partial))
    return scores


def rank_correlations(
    answers: Sequence[Answer], values: Sequence[float | None]
) -> dict[str, float | int]:
    """Return Spearman's ρ over all clips, and its mean over actions with at least three clips.

    A constant guess has no ranks: its ρ is NaN.
    """
    groups: dict[str, list[tuple[float, float]]] = {}
    for answer, value in zip(answers, values, strict=True):
        if value is not None and answer.truth.score is not None:
            groups.setdefault(answer.action, []).append((value, answer.truth.score))
    pairs = [pair for group in groups.values() for pair in group]
    each = [rho for group in groups.values() if np.isfinite(rho := _spearman(group))]
    return {
        "pooled": _spearman(pairs),
        "mean over actions": float(np.mean(each)) if each else float("nan"),
        "actions": len(each),
        "clips": len(pairs),
    }


def _spearman(pairs: Sequence[tuple[float, float]]) -> float:
    from scipy.stats import spearmanr

    table = np.array(pairs, dtype=float)
    if len(table) < 3 or (np.ptp(table, axis=0) == 0).any():
        return float("nan")
    return float(spearmanr(table[:, 0], table[:, 1]).statistic)
