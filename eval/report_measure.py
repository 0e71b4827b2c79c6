"""All figures of the report: scorecards, paired tests and breakdowns, baselines included."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.answers import Answer, by_mode, paired
from eval.baselines import baselines
from eval.bootstrap import RESAMPLES, Difference, compare
from eval.breakdown import BYS, breakdown
from eval.coach_metrics import Judged, judge
from eval.numbers import graph_scores, scale_of
from eval.readers import MATCHER, Reader
from eval.scorecard import Scorecard, differences, score_modes
from eval.text_metrics.bertscore import Encoder
from eval.text_metrics.measure import NAMES
from flex.graph import Graph
from flex.sample import Annotation

# Modes in the order of Figure 7; others follow as they come.
ORDER = ("pretrained", "prompted", "tuned")
Groups = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Measures:
    """What was measured.

    Attributes:
        cards: mode → scorecard; the models first, in the order of Figure 7, then the baselines.
        models, baselines: the modes of each kind.
        main: the mode that plots, breakdowns and clips are about.
        tests: the other mode → metric → lead of the main mode over it.
        groups: "action", "stage", … → group → figures of the main mode.
        judged: evaluations of the main mode, that were read, with the score that their errors give.
        answers: mode → its answers.
        subjects: how many people the clips show.
    """

    cards: dict[str, Scorecard]
    models: list[str]
    baselines: list[str]
    main: str
    tests: dict[str, dict[str, Difference]]
    groups: dict[str, Groups]
    judged: list[tuple[Judged, float]]
    answers: Mapping[str, Sequence[Answer]]
    subjects: int


def measure_all(
    graph: Graph,
    answers: Sequence[Answer],
    annotations: Sequence[Annotation],
    training: Iterable[str],
    *,
    reader: Reader = MATCHER,
    encoder: Encoder | None = None,
    workers: int | None = None,
    resamples: int = RESAMPLES,
    progress: Callable[[int], object] = lambda _: None,
) -> Measures:
    """Return every figure of the report.

    Args:
        graph: names, phases and weights.
        answers: of all modes.
        annotations: of the whole data set, for each action's score range.
        training: the clips that baselines may learn from.
        reader: who reads errors out of the answers.
        encoder: for BERTScore.
        workers: processes for the text metrics.
        resamples: of the bootstrap.
        progress: told how many more answers are measured.
    """
    groups = by_mode(answers)
    rank = {mode: number for number, mode in enumerate(ORDER)}
    models = sorted(groups, key=lambda mode: rank.get(mode, len(rank)))
    main = "tuned" if "tuned" in groups else models[-1]
    train = set(training)
    learnt = [one for one in annotations if one.clip in train]
    trivial = baselines(graph, learnt, max(groups.values(), key=len)) if learnt else []
    modes = {mode: groups[mode] for mode in models} | by_mode(trivial)
    cards = score_modes(
        graph,
        [answer for members in modes.values() for answer in members],
        annotations=annotations,
        training=learnt,
        reader=reader,
        encoder=encoder,
        workers=workers,
        resamples=resamples,
        progress=progress,
    )
    scale = scale_of(answers, _scores(annotations), _scores(learnt))
    judged = judge(graph, modes[main], reader)
    names = [name for name in cards[main].figures if name not in NAMES]
    tests = {
        other: differences(
            cards[main], cards[other], modes, names, graph=graph, scale=scale, reader=reader
        )
        | _text_differences(cards[main], cards[other], modes)
        for other in models
        if other != main
    }
    return Measures(
        cards=cards,
        models=models,
        baselines=[mode for mode in modes if mode not in models],
        main=main,
        tests=tests,
        groups={
            by: breakdown(graph, modes[main], by, scale, reader=reader, workers=workers)
            for by in BYS
        },
        judged=[
            (one, value)
            for one, value in zip(judged, graph_scores(graph, judged), strict=True)
            if value is not None
        ],
        answers=modes,
        subjects=len({answer.cluster for answer in answers}),
    )


def _text_differences(
    one: Scorecard, other: Scorecard, modes: Mapping[str, Sequence[Answer]]
) -> dict[str, Difference]:
    """Return the paired differences of the text metrics that both modes have."""
    ours, theirs = (
        [a for a in modes[card.mode] if a.reference and a.found is None] for card in (one, other)
    )
    here, there = paired(ours, theirs)
    return {
        name: compare(one.statistics[name].take(here), other.statistics[name].take(there))
        for name in NAMES
        if here and name in one.statistics and name in other.statistics
    }


def _scores(annotations: Iterable[Annotation]) -> list[tuple[str, float]]:
    return [(one.action, one.score) for one in annotations if one.score is not None]
