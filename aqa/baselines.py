"""What needs no CoRe and no graph head: always printed beside them, on the same clips.

    said = mean_scores(graph, training, asked)              # the exercise's usual score and errors
    said = skeleton_ridge(skeletons, training, asked)       # linear, on statistics of the skeleton

Each answers what a run was asked, as predictions of a variant of its own, so that they go through
the very same measures. `aqa.baselines_mlp` has one more, on video features.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa.predictions import Prediction
from flex.graph import Graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.skeleton import normalise

Floats = NDArray[np.float64]
PREFIX = "baseline_"
MEAN, RIDGE, MLP = f"{PREFIX}mean", f"{PREFIX}ridge", f"{PREFIX}mlp"
ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_FOLDS = 10


def mean_scores(
    graph: Graph, training: Sequence[Annotation], asked: Iterable[Prediction]
) -> list[Prediction]:
    """Give each clip its exercise's mean score, and each error the rate it has in training.

    Errors are claimed above the one rate that gives the best F1 on the training clips.

    Raises:
        InputError: an action without a scored training clip.
    """
    from aqa.calibration import best_threshold

    asked = list(asked)
    means = action_means(training, asked)
    rates = {action: _rates(graph, action, training) for action in means}
    pairs = [
        (rate, float(name in set(map(str, one.occurrences))))
        for one in training
        for name, rate in rates.get(one.action, {}).items()
    ]
    limit = best_threshold(*zip(*pairs, strict=True)) if pairs else 1.0
    said = []
    for row in asked:
        # Without labels of errors there is nothing to claim.
        known = rates[row.action] if row.true_errors is not None else {}
        errors = tuple(name for name, rate in known.items() if rate >= limit)
        said.append(answer(row, MEAN, means[row.action], probabilities=known, errors=errors))
    return said


def skeleton_statistics(points: Floats) -> Floats:
    """Return each coordinate's mean, deviation, least, greatest and mean speed.

    (T, 21, 3) → (315,), in spine lengths; speed is per frame.
    """
    flat = normalise(points).reshape(len(points), -1)
    speed = np.abs(np.diff(flat, axis=0)).mean(axis=0) if len(flat) > 1 else np.zeros(flat.shape[1])
    parts = (flat.mean(axis=0), flat.std(axis=0), flat.min(axis=0), flat.max(axis=0), speed)
    return np.concatenate(parts)


def skeleton_ridge(
    skeletons: Mapping[str, Floats], training: Sequence[Annotation], asked: Iterable[Prediction]
) -> list[Prediction]:
    """Regress scores on `skeleton_statistics`, exercise by exercise.

    The one penalty for all exercises is chosen by leaving subjects out of training.

    Args:
        skeletons: clip → (T, 21, 3).
        training: scored records.
        asked: what a run was asked.

    Raises:
        InputError: an action without a scored training clip, a clip without a skeleton.
    """
    asked = list(asked)
    action_means(training, asked)
    scored = [one for one in training if one.score is not None]
    require_clips(
        [*(one.clip for one in scored), *(row.clip for row in asked)], skeletons, "skeleton"
    )
    known = {clip: skeleton_statistics(points) for clip, points in skeletons.items()}
    actions = sorted({row.action for row in asked})
    members = {action: [one for one in scored if one.action == action] for action in actions}
    data = {
        action: (
            np.stack([known[one.clip] for one in lifts]),
            np.array([one.score for one in lifts], dtype=np.float64),
            [one.subject or one.clip for one in lifts],
        )
        for action, lifts in members.items()
    }
    errors = {alpha: sum(_left_out(*data[a], alpha) for a in actions) for alpha in ALPHAS}
    alpha = min(errors, key=lambda each: errors[each])
    given = {}
    for action in actions:
        rows = [row for row in asked if row.action == action]
        x, y, _ = data[action]
        scores = ridge(x, y, np.stack([known[row.clip] for row in rows]), alpha)
        given.update({row.clip: float(score) for row, score in zip(rows, scores, strict=True)})
    return [answer(row, RIDGE, given[row.clip]) for row in asked]


def ridge(x: Floats, y: Floats, asked: Floats, alpha: float) -> Floats:
    """Return ridge regression's answers: (N, D), (N,), (M, D) → (M,).

    Columns are brought to mean 0 and deviation 1 on the N rows; the penalty on the squared weights
    is alpha × D × N ÷ 100, so that it means the same for any size. Constant columns are left out.
    """
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    kept = deviation > 1e-9
    if not kept.any():
        return np.full(len(asked), y.mean())
    one = (x[:, kept] - mean[kept]) / deviation[kept]
    other = (asked[:, kept] - mean[kept]) / deviation[kept]
    penalty = alpha * kept.sum() * len(x) / 100
    # With more columns than rows, the dual form solves the smaller system.
    weights = np.linalg.solve(one @ one.T + penalty * np.eye(len(x)), y - y.mean())
    answers: Floats = y.mean() + other @ (one.T @ weights)
    return answers


def action_means(
    training: Iterable[Annotation], asked: Iterable[Prediction] = ()
) -> dict[str, float]:
    """Return action → mean score of its training clips.

    Raises:
        InputError: an action that is asked for has no scored training clip.
    """
    scores: dict[str, list[float]] = {}
    for one in training:
        if one.score is not None:
            scores.setdefault(one.action, []).append(one.score)
    if missing := sorted({row.action for row in asked} - set(scores)):
        raise InputError(Problem(action, "has no scored training clip") for action in missing)
    return {action: float(np.mean(values)) for action, values in scores.items()}


def _left_out(x: Floats, y: Floats, groups: Sequence[str], alpha: float) -> float:
    """Return the summed squared error where subjects are left out in turn."""
    names = np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1] % _FOLDS
    total = 0.0
    for fold in np.unique(names):
        out = names == fold
        if out.all():
            return float(((y - y.mean()) ** 2).sum())
        total += float(((ridge(x[~out], y[~out], x[out], alpha) - y[out]) ** 2).sum())
    return total


def _rates(graph: Graph, action: str, training: Iterable[Annotation]) -> dict[str, float]:
    """Return occurrence → the share of training clips that show it, among those that looked."""
    looked: dict[str, int] = {str(o): 0 for o in graph.occurrences(action)}
    seen = dict(looked)
    for one in training:
        if one.action == action:
            scope = graph.occurrences(action) if one.scope is None else one.scope
            for occurrence in scope:
                looked[str(occurrence)] += 1
            for occurrence in one.occurrences:
                seen[str(occurrence)] += 1
    return {name: seen[name] / count for name, count in looked.items() if count}


def require_clips(clips: Iterable[str], known: Mapping[str, Any], what: str = "features") -> None:
    """Refuse clips that nothing is known of.

    Raises:
        InputError: every such clip.
    """
    if missing := sorted(set(clips) - set(known)):
        raise InputError(Problem(clip, f"has no {what}") for clip in missing)


def answer(row: Prediction, variant: str, score: float, **fields: Any) -> Prediction:
    """Return a baseline's word on what a run was asked, without the run's own."""
    nothing: dict[str, Any] = {"votes": (), "voters": (), "errors": (), "abstained": ()}
    nothing |= {"probabilities": {}, "claimed_score": None, "views": (), "seed": 0}
    update = {**nothing, "variant": variant, "score": score, **fields}
    return row.model_copy(update=update)
