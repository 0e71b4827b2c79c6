"""Does quality fall before a set of repetitions ends, and does a model see it?

    sets = sets_of(predictions)                        # a set: one person, one exercise, in order
    study = study_sets(sets, drop=5.0, seed=0)
    study.given.slope, study.given.p                   # points a repetition, permutation test

The paper names the study ("early failure") and does not do it. A set's slope is that of a
least-squares line through its scores. A set drops at the first repetition after the third whose
score lies `drop` points under the mean of the first three. Chance is what the same scores do in any
other order: repetitions are permuted within each set, all sets at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa.predictions import Prediction
from flex.problems import InputError, Problem
from learn.intervals import draws, percentiles

Floats = NDArray[np.float64]
BASE = 3
DROP = 5.0
PERMUTATIONS = 2000


@dataclass(frozen=True)
class LiftSet:
    """One set: scores by repetition, mean over the seeds of a variant.

    Attributes:
        subject: who lifts.
        action: id of the exercise.
        repetitions: (R,) numbers, rising.
        given: (R,) what the model says.
        truth: (R,)
    """

    subject: str
    action: str
    repetitions: NDArray[np.int64]
    given: Floats
    truth: Floats


@dataclass(frozen=True)
class Course:
    """How one kind of score (given or true) runs through the sets.

    Attributes:
        slope: mean slope over sets, points a repetition.
        low, high: its 95 % interval over subjects.
        p: one-sided, how often permuted repetitions fall as steeply on average.
        falling: share of sets whose slope is negative.
        slopes: of each set.
        drops: of each set, the repetition at which it first drops; `None` if it never does.
        early: share of sets that drop before their last repetition.
        early_by_chance: the same share, mean over permutations.
        early_p: one-sided, how often permuted repetitions drop early in as many sets.
    """

    slope: float
    low: float
    high: float
    p: float
    falling: float
    slopes: tuple[float, ...]
    drops: tuple[int | None, ...]
    early: float
    early_by_chance: float
    early_p: float


@dataclass(frozen=True)
class Study:
    """The given scores' course against the true ones'.

    Attributes:
        agreement: correlation over sets of given and true slopes; NaN if one is constant.
        both_early: sets that drop early by either, and how many of them by both.
    """

    sets: tuple[LiftSet, ...]
    drop: float
    given: Course
    true: Course
    agreement: float
    both_early: tuple[int, int]


def sets_of(predictions: Iterable[Prediction], *, fewest: int = BASE + 2) -> list[LiftSet]:
    """Return the sets of one variant that have `fewest` repetitions or more; seeds are averaged.

    Clips without subject, repetition or true score are in no set.

    Raises:
        InputError: predictions of several variants.
    """
    rows: dict[tuple[str, str], dict[int, list[Prediction]]] = {}
    variants = set()
    for row in predictions:
        variants.add(row.variant)
        if row.subject is not None and row.repetition is not None and row.truth is not None:
            members = rows.setdefault((row.subject, row.action), {})
            members.setdefault(row.repetition, []).append(row)
    if len(variants) > 1:
        message = f"a study is of one variant, found {', '.join(sorted(variants))}"
        raise InputError([Problem("predictions", message)])
    return [
        LiftSet(
            subject=subject,
            action=action,
            repetitions=np.array(sorted(members), dtype=np.int64),
            given=np.array([np.mean([r.score for r in members[n]]) for n in sorted(members)]),
            truth=np.array([members[n][0].truth for n in sorted(members)], dtype=np.float64),
        )
        for (subject, action), members in sorted(rows.items())
        if len(members) >= fewest
    ]


def study_sets(
    sets: Sequence[LiftSet],
    *,
    drop: float = DROP,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Study:
    """Return the study of some sets.

    Args:
        sets: of one variant.
        drop: points under the mean of the first three repetitions that count as a drop.
        permutations: of the repetitions within each set.
        seed: of the permutations and of the draws of subjects.

    Raises:
        InputError: there are no sets.
    """
    if not sets:
        message = f"no set with {BASE + 2} or more repetitions of one person and exercise"
        raise InputError([Problem("predictions", message)])
    given = _course(sets, [one.given for one in sets], drop, permutations, seed)
    true = _course(sets, [one.truth for one in sets], drop, permutations, seed)
    early = [
        (_is_early(one, mine), _is_early(one, theirs))
        for one, mine, theirs in zip(sets, given.drops, true.drops, strict=True)
    ]
    constant = min(np.ptp(given.slopes), np.ptp(true.slopes)) == 0
    agreement = float("nan") if constant else float(np.corrcoef(given.slopes, true.slopes)[0, 1])
    both = (sum(map(any, early)), sum(map(all, early)))
    return Study(tuple(sets), drop, given, true, agreement, both)


def slopes_of(repetitions: NDArray[np.int64], scores: Floats) -> Floats:
    """Return least-squares slopes: (R,), (..., R) → (...) in points a repetition."""
    time = repetitions - repetitions.mean()
    slopes: Floats = scores @ time / (time @ time)
    return slopes


def first_drops(scores: Floats, drop: float) -> NDArray[np.int64]:
    """Return the position of the first drop, −1 if there is none: (..., R) → (...)."""
    base = scores[..., :BASE].mean(axis=-1, keepdims=True)
    # Sums of floats differ in the last bit between orders; a drop of exactly `drop` counts.
    fallen = scores[..., BASE:] <= base - drop + 1e-9
    return np.where(fallen.any(axis=-1), BASE + fallen.argmax(axis=-1), -1)


def _course(
    sets: Sequence[LiftSet], scores: Sequence[Floats], drop: float, permutations: int, seed: int
) -> Course:
    random = np.random.default_rng(seed)
    slopes, drops = [], []
    shuffled_slopes = np.zeros(permutations)
    shuffled_early = np.zeros(permutations)
    early = 0
    for one, values in zip(sets, scores, strict=True):
        last = len(values) - 1
        slopes.append(float(slopes_of(one.repetitions, values)))
        at = int(first_drops(values, drop))
        drops.append(int(one.repetitions[at]) if at >= 0 else None)
        early += 0 <= at < last
        mixed = random.permuted(np.tile(values, (permutations, 1)), axis=1)
        shuffled_slopes += slopes_of(one.repetitions, mixed)
        places = first_drops(mixed, drop)
        shuffled_early += (places >= 0) & (places < last)
    weights = draws([one.subject for one in sets], seed=seed)[1:]
    drawn = weights @ np.array(slopes) / weights.sum(axis=1)
    several = len({one.subject for one in sets}) > 1
    low, high = percentiles(drawn) if several else (float("nan"), float("nan"))
    count = len(sets)
    return Course(
        slope=float(np.mean(slopes)),
        low=low,
        high=high,
        p=_share(shuffled_slopes <= sum(slopes) + 1e-9),
        falling=float(np.mean([slope < 0 for slope in slopes])),
        slopes=tuple(slopes),
        drops=tuple(drops),
        early=early / count,
        early_by_chance=float(shuffled_early.mean() / count),
        early_p=_share(shuffled_early >= early),
    )


def _share(extreme: NDArray[np.bool_]) -> float:
    """Return a permutation test's p; the order that was seen counts as one permutation."""
    return float((extreme.sum() + 1) / (len(extreme) + 1))


def _is_early(one: LiftSet, drop: int | None) -> bool:
    return drop is not None and drop < int(one.repetitions[-1])
