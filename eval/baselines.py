"""What needs no model: always printed beside one.

Each returns answers of a mode of its own, so that they go through the very same metrics.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from eval.answers import Answer, Truth, of_stage
from eval.numbers import means_of
from flex.graph import Graph
from flex.sample import Annotation

MEAN_SCORE = "baseline: mean score"
FREQUENT = "baseline: frequent errors"
SHUFFLED = "baseline: shuffled"
SHUFFLED_ACTION = "baseline: shuffled in action"
DEFAULT_SHARE = 0.3
_SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)


def truth_of(annotation: Annotation) -> Truth:
    """Return what an annotation says of its clip, as answers carry it."""
    return Truth(
        errors=tuple(map(str, annotation.occurrences)),
        score=annotation.score,
        labelled=annotation.labelled,
        times={
            str(label.occurrence): (label.start_s, label.end_s)
            for label in annotation.errors
            if label.start_s is not None and label.end_s is not None
        },
    )


def baselines(
    graph: Graph, training: Sequence[Annotation], asked: Sequence[Answer], *, seed: int = 0
) -> list[Answer]:
    """Return the answers of every baseline to the questions of one mode's answers."""
    return [
        *mean_scores(training, asked),
        *frequent_errors(graph, training, asked, share=best_share(graph, training)),
        *shuffled(asked, seed=seed),
        *shuffled(asked, seed=seed, same_action=True),
    ]


def mean_scores(training: Iterable[Annotation], asked: Iterable[Answer]) -> list[Answer]:
    """Answer each score question with the mean training score of the clip's action."""
    known = [(a.action, a.score) for a in training if a.score is not None]
    means = means_of(known)
    overall = float(np.mean([value for _, value in known])) if known else 0.0
    return [
        item.model_copy(
            update={
                "mode": MEAN_SCORE,
                "answer": f"{means.get(item.action, overall):.4f} out of 100",
            }
        )
        for item in of_stage(asked, "score")
    ]


def frequent_errors(
    graph: Graph,
    training: Sequence[Annotation],
    asked: Iterable[Answer],
    *,
    share: float = DEFAULT_SHARE,
) -> list[Answer]:
    """Answer each evaluation with the occurrences seen in more than `share` of training clips."""
    usual = _usual(graph, training, share)
    return [
        item.model_copy(
            update={
                "mode": FREQUENT,
                "answer": "",
                "found": usual.get(item.action, ()),
                "names": {},
            }
        )
        for item in of_stage(asked, "evaluate")
    ]


def best_share(graph: Graph, training: Sequence[Annotation]) -> float:
    """Return the share that gives the best micro F1 of error types on the training clips."""

    def f1(share: float) -> float:
        usual = _usual(graph, training, share)
        hits = extra = missed = 0
        for clip in training:
            said = {text.partition(":")[2] for text in usual.get(clip.action, ())}
            true = {o.error_type for o in clip.occurrences}
            hits += len(said & true)
            extra += len(said - true)
            missed += len(true - said)
        return 2 * hits / max(2 * hits + extra + missed, 1)

    return max(_SHARES, key=lambda share: (f1(share), -abs(share - DEFAULT_SHARE)))


def shuffled(asked: Sequence[Answer], *, seed: int = 0, same_action: bool = False) -> list[Answer]:
    """Answer each question with the reference of another clip: right style, wrong video.

    Args:
        asked: answers with references; each stage is shuffled on its own.
        seed: of the shuffle.
        same_action: only among clips of one action, so that only what went wrong is a guess.
    """
    groups: dict[tuple[str, str], list[Answer]] = {}
    for item in asked:
        groups.setdefault((item.stage, item.action if same_action else ""), []).append(item)
    generator = np.random.default_rng(seed)
    mode = SHUFFLED_ACTION if same_action else SHUFFLED
    answers = []
    for members in groups.values():
        # A cycle through a random order never gives a clip its own answer, unless it is alone.
        order = generator.permutation(len(members))
        for here, there in zip(order, np.roll(order, 1), strict=True):
            if here != there:
                update = {"mode": mode, "answer": members[there].reference, "found": None}
                answers.append(members[here].model_copy(update=update))
    return answers


def _usual(
    graph: Graph, training: Sequence[Annotation], share: float
) -> dict[str, tuple[str, ...]]:
    """Return action → the occurrences that more than `share` of its clips show."""
    clips: dict[str, list[Annotation]] = {}
    for clip in training:
        clips.setdefault(clip.action, []).append(clip)
    return {
        action: tuple(
            str(o)
            for o in graph.occurrences(action)
            if sum(o in clip.occurrences for clip in members) > share * len(members)
        )
        for action, members in clips.items()
    }
