"""Judges what models say of clips, beside the baselines: every figure with its interval.

    found = evaluate(clips, {"small": said, "phase_mean": …}, scales)
    found.methods["small"].figures["r"]                # value, 95 % interval over subjects
    found.muscles["small"]["biceps brachii"]["mae"]    # both sides together
    found.leads["small"]["biceps brachii"]["mae"]      # model less per-phase mean, paired

Figures: "mae", "rmse", "r", "r2" of normalised activation (`emg.measures`), "mae_mv" and "rmse_mv"
in the unit of the recordings, "r_clip" (r within each clip and muscle, averaged), "onset_ms" (mean
distance of onsets where both have one), "onset_missed" (share without one), "asymmetry" (mean
distance of left–right indices, in percentage points). The names end in mv for FLEX's unit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from emg.baselines import PHASE_MEAN
from emg.clips import ReadyClip
from emg.measures import (
    Row,
    asymmetry,
    correlation,
    explained,
    figures,
    level_share,
    mean_error,
    onset_s,
    pooled,
    row_sums,
)
from emg.normalise import Scales
from flex.number_table import Floats
from flex.semg_columns import GROUPS, MUSCLES
from learn.intervals import RESAMPLES, draws, percentiles

Item = TypeVar("Item")
LOWER_IS_BETTER = frozenset(
    {"mae", "rmse", "mae_mv", "rmse_mv", "onset_ms", "onset_missed", "asymmetry"}
)


@dataclass(frozen=True)
class Figure:
    """A measure, its 95 % interval (NaN if it cannot be told) and its value in each draw."""

    value: float
    low: float
    high: float
    drawn: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Judged:
    """One method.

    Attributes:
        figures: name → figure, over everything.
        groups: muscle without its side → "mae", "r", "r2".
        sides: muscle with its side → "mae", "r", "r2", plain numbers.
        level_share: muscle without its side → share of the squared error that is level.
    """

    figures: dict[str, Figure]
    groups: dict[str, dict[str, Figure]]
    sides: dict[str, dict[str, float]]
    level_share: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """All methods, in the order in which they came.

    Attributes:
        leads: method → muscle without its side → "mae", "r": the method less the per-phase mean.
        clips, subjects, actions: how many were judged.
        counts: muscle without its side → clips that recorded it.
    """

    methods: dict[str, Judged]
    leads: dict[str, dict[str, dict[str, Figure]]]
    clips: int
    subjects: int
    actions: int
    counts: dict[str, int]


def evaluate(
    clips: Sequence[ReadyClip],
    said: Mapping[str, Sequence[Floats]],
    scales: Scales,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Return the figures of every method.

    Args:
        clips: N judged clips.
        said: method → (T, 18) normalised activation of each clip.
        scales: back to the unit of the recordings.
        resamples: draws of subjects.
        seed: of the draws.
    """
    subjects = [str(clip.sample.record.subject) for clip in clips]
    # One person can only be drawn again: then there are no intervals.
    several = len(set(subjects)) > 1
    weights = draws(subjects, resamples=resamples if several else 0, seed=seed)
    methods = {
        name: _judged(
            [_seen(clip, one, scales) for clip, one in zip(clips, answers, strict=True)], weights
        )
        for name, answers in said.items()
    }
    base = methods.get(PHASE_MEAN)
    leads = {
        name: {
            muscle: {
                measure: _less(one.groups[muscle][measure], base.groups[muscle][measure])
                for measure in ("mae", "r")
            }
            for muscle in one.groups
        }
        for name, one in methods.items()
        if base is not None and one is not base
    }
    return Evaluation(
        methods=methods,
        leads=leads,
        clips=len(clips),
        subjects=len(set(subjects)),
        actions=len({clip.sample.record.action for clip in clips}),
        counts=counts_of(clips),
    )


@dataclass(frozen=True)
class _Seen:
    """What is measured of one clip: rows of sums, and of their muscles onsets, r and asymmetry."""

    rows: list[Row]
    rows_mv: list[Row]
    r: list[float]
    onset_ms: list[float]
    missed: list[float]
    asymmetry: list[float]


def _seen(clip: ReadyClip, said: Floats, scales: Scales) -> _Seen:
    true = clip.y.astype(np.float64)
    subject = clip.sample.record.subject
    rows = row_sums(said, true)
    onsets = [_onset(said[:, row.muscle], true[:, row.muscle], clip.times_s) for row in rows]
    pairs = [
        abs(_index(said, left) - _index(true, left))
        for left in range(0, len(MUSCLES), 2)
        if np.isfinite(true[:, [left, left + 1]]).all()
    ]
    return _Seen(
        rows=rows,
        rows_mv=row_sums(scales.invert(said, subject), scales.invert(true, subject)),
        r=[float(correlation(row.sums)) for row in rows],
        onset_ms=[gap for gap, _ in onsets],
        missed=[missed for _, missed in onsets],
        asymmetry=[100 * one for one in pairs],
    )


def _onset(said: Floats, true: Floats, times_s: Floats) -> tuple[float, float]:
    """Return how far the onsets lie apart in ms, and 1 if none is said; NaN if none is true."""
    wanted = onset_s(true, times_s)
    if wanted is None:
        return float("nan"), float("nan")
    found = onset_s(said, times_s)
    return (float("nan"), 1.0) if found is None else (1000 * abs(found - wanted), 0.0)


def _index(values: Floats, left: int) -> float:
    return asymmetry(values[:, left], values[:, left + 1])


def _judged(seen: Sequence[_Seen], weights: Floats) -> Judged:
    rows, at = _flat(seen, lambda one: one.rows)
    rows_mv, _ = _flat(seen, lambda one: one.rows_mv)
    of_rows = weights[:, at]
    sums = pooled(rows, of_rows)
    values = figures(sums)
    in_mv = figures(pooled(rows_mv, of_rows))
    values |= {"mae_mv": in_mv["mae"], "rmse_mv": in_mv["rmse"]}
    for name, pick in (
        ("r_clip", lambda one: one.r),
        ("onset_ms", lambda one: one.onset_ms),
        ("onset_missed", lambda one: one.missed),
        ("asymmetry", lambda one: one.asymmetry),
    ):
        each, where = _flat(seen, pick)
        values[name] = _mean(np.array(each, dtype=np.float64), weights[:, where])
    groups, levels = {}, {}
    for number, muscle in enumerate(GROUPS):
        both = sums[:, 2 * number] + sums[:, 2 * number + 1]
        if both[0, 0] == 0:
            continue
        groups[muscle] = {
            "mae": _figure(mean_error(both)),
            "r": _figure(correlation(both)),
            "r2": _figure(explained(both)),
        }
        table = np.stack([row.sums for row in rows if row.muscle // 2 == number])
        levels[muscle] = level_share(table)
    sides = {
        muscle.name: {
            "mae": float(mean_error(sums[0, number])),
            "r": float(correlation(sums[0, number])),
            "r2": float(explained(sums[0, number])),
        }
        for number, muscle in enumerate(MUSCLES)
        if sums[0, number, 0] > 0
    }
    return Judged({name: _figure(one) for name, one in values.items()}, groups, sides, levels)


def _flat(
    seen: Sequence[_Seen], pick: Callable[[_Seen], Sequence[Item]]
) -> tuple[list[Item], NDArray[np.intp]]:
    """Return all items, and which clip each is of."""
    items = [item for one in seen for item in pick(one)]
    return items, np.repeat(np.arange(len(seen)), [len(pick(one)) for one in seen])


def _mean(values: Floats, weights: Floats) -> Floats:
    """Return the mean of what can be judged in every draw: (N,), (R, N) → (R,)."""
    there = np.isfinite(values)
    total = weights[:, there].sum(axis=1)
    top = weights[:, there] @ values[there]
    mean: Floats = np.divide(top, total, out=np.full(len(weights), np.nan), where=total > 0)
    return mean


def _figure(values: Floats) -> Figure:
    """Return a figure from (1 + R,): its first value is on all clips."""
    return Figure(float(values[0]), *percentiles(values[1:]), values[1:])


def _less(one: Figure, other: Figure) -> Figure:
    drawn = one.drawn - other.drawn
    return Figure(one.value - other.value, *percentiles(drawn), drawn)


def counts_of(clips: Sequence[ReadyClip]) -> dict[str, int]:
    """Return muscle without its side → how many of the clips recorded it."""
    there = np.stack([np.isfinite(clip.y).any(axis=0) for clip in clips])
    pairs = there.reshape(len(clips), -1, 2).any(axis=2).sum(axis=0)
    return {muscle: int(count) for muscle, count in zip(GROUPS, pairs, strict=True) if count}
