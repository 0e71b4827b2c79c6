"""How good scores of validation clips are: the one number that chooses a checkpoint.

ρ is that of scores less their action's training mean: it tells the order within actions, also where
an action has only two validation clips, whose own ρ is ±1.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aqa.measures import Range, mean_r_l2, spearman
from learn.fit import Quality
from learn.sample import Sample


def quality(
    scores: NDArray[np.float64],
    samples: Sequence[Sample],
    train: Sequence[Sample],
    ranges: Mapping[str, Range],
) -> Quality:
    """Return ρ within actions and R-l2 × 100 by training ranges; see the module."""
    actions = [sample.record.action for sample in samples]
    means = {
        action: np.mean([score_of(s) for s in train if s.record.action == action])
        for action in set(actions)
    }
    less = np.array([means[action] for action in actions])
    truth = np.array([score_of(sample) for sample in samples])
    return Quality(spearman(scores - less, truth - less), mean_r_l2(scores, truth, actions, ranges))


def training_ranges(train: Sequence[Sample]) -> dict[str, Range]:
    """Return action → least and greatest training score."""
    scores: dict[str, list[float]] = {}
    for sample in train:
        scores.setdefault(sample.record.action, []).append(score_of(sample))
    return {action: (min(values), max(values)) for action, values in scores.items()}


def score_of(sample: Sample) -> float:
    """Return the label's score; `load_records` refuses clips without one."""
    score = sample.record.score
    assert score is not None
    return score
