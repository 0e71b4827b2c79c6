"""Everything that is measured of one mode, with intervals: what the report prints.

cards = score_modes(graph, answers, annotations=annotations, training=training)
cards["tuned"].figures["errors/micro/f1"].value
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.answers import Answer, by_mode, of_stage, paired
from eval.bootstrap import Difference, Interval, compare, interval
from eval.coach_metrics import (
    Judged,
    action_accuracy,
    error_statistics,
    judge,
    per_phase,
    per_type,
    temporal_iou,
    verdict_statistics,
)
from eval.numbers import (
    POLICIES,
    Scale,
    coverage,
    graph_scores,
    r_l2,
    rank_correlations,
    scale_of,
    stated_scores,
)
from eval.readers import MATCHER, Reader
from eval.statistics import Statistic
from eval.text_metrics.bertscore import Encoder
from eval.text_metrics.measure import measure
from flex.graph import Graph
from flex.sample import Annotation

Progress = Callable[[int], object]


@dataclass(frozen=True)
class Scorecard:
    """All figures of one mode.

    Attributes:
        mode: whose answers were judged.
        answers: how many.
        clips: on how many clips.
        statistics: name → metric with its rows, for comparisons and breakdowns.
        figures: name → value with its 95 % interval; a figure with nothing to judge is left out.
        per_type, per_phase: error type or phase → precision, recall, f1, support.
        ranks: "stated" and "graph" → Spearman's ρ.
        score_kinds: kind of parsed score → how many.
        signatures: text metric → how it was computed.
        missing: text metric → why it was not.
    """

    mode: str
    answers: int
    clips: int
    statistics: dict[str, Statistic] = field(repr=False)
    figures: dict[str, Interval]
    per_type: dict[str, dict[str, float]]
    per_phase: dict[str, dict[str, float]]
    ranks: dict[str, dict[str, float | int]]
    score_kinds: dict[str, int]
    signatures: dict[str, str]
    missing: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "mode": self.mode,
            "answers": self.answers,
            "clips": self.clips,
            "figures": {name: vars(figure) for name, figure in self.figures.items()},
            "per_type": self.per_type,
            "per_phase": self.per_phase,
            "ranks": self.ranks,
            "score_kinds": self.score_kinds,
            "signatures": self.signatures,
            "missing": self.missing,
        }


def score_modes(
    graph: Graph,
    answers: Iterable[Answer],
    *,
    annotations: Iterable[Annotation] = (),
    training: Iterable[Annotation] = (),
    reader: Reader = MATCHER,
    encoder: Encoder | None = None,
    workers: int | None = None,
    resamples: int = 2000,
    progress: Progress = lambda _: None,
) -> dict[str, Scorecard]:
    """Return mode → its scorecard, baselines included if their answers are among `answers`.

    Args:
        graph: names, error types and weights.
        answers: of any number of modes.
        annotations: the whole data set, for each action's score range.
        training: its training part, for the mean that stands in for unread scores.
        reader: who reads errors out of the answers.
        encoder: for BERTScore.
        workers: processes for the text metrics.
        resamples: of the bootstrap.
        progress: told how many more texts are measured.
    """
    modes = by_mode(answers)
    everyone = [answer for members in modes.values() for answer in members]
    scale = scale_of(everyone, _scores(annotations), _scores(training))
    return {
        mode: _card(graph, mode, members, scale, reader, encoder, workers, resamples, progress)
        for mode, members in modes.items()
    }


def mode_statistics(
    graph: Graph, answers: Sequence[Answer], scale: Scale, reader: Reader = MATCHER
) -> tuple[dict[str, Statistic], list[Judged]]:
    """Return every coach metric of one mode's answers by name, and the judged evaluations."""
    judged = judge(graph, answers, reader)
    asked = of_stage(answers, "score")
    parsed = stated_scores(asked)
    found = [
        action_accuracy(graph, answers),
        *(error_statistics(graph, judged) if any(one.reading for one in judged) else ()),
        *verdict_statistics(judged),
        *temporal_iou(judged),
        *coverage(asked, parsed),
    ]
    for policy in POLICIES:
        found += r_l2("stated", asked, [item.value for item in parsed], scale, policy)
    found += r_l2("graph", [j.answer for j in judged], graph_scores(graph, judged), scale)
    return {statistic.name: statistic for statistic in found if len(statistic.rows)}, judged


def differences(
    one: Scorecard,
    other: Scorecard,
    answers: Mapping[str, Sequence[Answer]],
    names: Iterable[str],
    *,
    graph: Graph,
    scale: Scale,
    reader: Reader = MATCHER,
) -> dict[str, Difference]:
    """Return the paired differences of two modes' coach metrics on the questions both answer.

    Args:
        one: the mode that comes first: positive differences are its lead.
        other: the mode it is compared with.
        answers: mode → its answers.
        names: which metrics.
        graph: names, error types and weights.
        scale: ranges of the scores.
        reader: who reads errors out of the answers.
    """
    left, right = answers[one.mode], answers[other.mode]
    here, there = paired(left, right)
    ours, _ = mode_statistics(graph, [left[n] for n in here], scale, reader)
    theirs, _ = mode_statistics(graph, [right[n] for n in there], scale, reader)
    return {
        name: compare(ours[name], theirs[name])
        for name in names
        if name in ours and name in theirs and ours[name].clusters == theirs[name].clusters
    }


def _card(
    graph: Graph,
    mode: str,
    answers: Sequence[Answer],
    scale: Scale,
    reader: Reader,
    encoder: Encoder | None,
    workers: int | None,
    resamples: int,
    progress: Progress,
) -> Scorecard:
    statistics, judged = mode_statistics(graph, answers, scale, reader)
    texts = [answer for answer in answers if answer.reference and answer.found is None]
    signatures: dict[str, str] = {}
    missing: dict[str, str] = {}
    if texts:
        measured = measure(
            [answer.answer for answer in texts],
            [answer.reference for answer in texts],
            clusters=[answer.cluster for answer in texts],
            encoder=encoder,
            workers=workers,
            progress=progress,
        )
        statistics |= measured.statistics
        signatures, missing = measured.signatures, measured.missing
    figures = {name: interval(s, resamples=resamples) for name, s in statistics.items()}
    asked = of_stage(answers, "score")
    parsed = stated_scores(asked)
    kinds = [item.kind for item in parsed]
    return Scorecard(
        mode=mode,
        answers=len(answers),
        clips=len({answer.clip for answer in answers}),
        statistics=statistics,
        figures={name: f for name, f in figures.items() if f.value == f.value},
        per_type=per_type(judged),
        per_phase=per_phase(judged),
        ranks={
            "stated": rank_correlations(asked, [item.value for item in parsed]),
            "graph": rank_correlations([j.answer for j in judged], graph_scores(graph, judged)),
        },
        score_kinds={kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        signatures=signatures,
        missing=missing,
    )


def _scores(annotations: Iterable[Annotation]) -> list[tuple[str, float]]:
    return [(a.action, a.score) for a in annotations if a.score is not None]
