"""Judges predictions: variants × seeds on the same clips, every figure with its interval.

    found = evaluate(predictions, ranges_of(scores))
    found.variants["mv"].figures["rho"]          # mean over seeds, 95 % interval, each seed's value
    found.leads["mv_pose", "mv"]["rho"]          # the lead of one variant over another, paired

Figures: "rho" (Fisher-z mean over actions, section 8.1), "rho pooled", "rho within" (ranks within
the action, over all clips), "r_l2" and "r_l2 test" (× 100, by the range of the action's labels and
of its judged clips), "mae", and for what names errors "f1 occurrence", "f1 type" and "ece".

An interval is over subjects, and over seeds where there are several: both are drawn.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from aqa.calibration import Bin, calibration_error, reliability
from aqa.evaluate_intervals import (
    Floats,
    f1,
    mean_absolute,
    mean_r_l2,
    mean_rho,
    pooled_rho,
    rows_of,
    within_rho,
)
from aqa.evaluate_tables import Table, claims_and_labels, error_counts, tables_of
from aqa.measures import Range, mae, r_l2, spearman
from aqa.predictions import Prediction
from learn.intervals import RESAMPLES, draws, percentiles

Against = Literal["previous", "first"]
LOWER_IS_BETTER = frozenset({"r_l2", "r_l2 test", "mae", "ece"})
_NAN = float("nan")


@dataclass(frozen=True)
class Figure:
    """A measure: mean over seeds, 95 % interval (NaN if it cannot be told), value of each seed.

    Attributes:
        drawn: the value in each draw of subjects and seeds; differences are taken draw by draw.
    """

    value: float
    low: float
    high: float
    seeds: tuple[float, ...] = ()
    drawn: Floats = field(default_factory=lambda: np.empty(0), repr=False, compare=False)

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Judged:
    """One variant.

    Attributes:
        figures: name → figure; those of errors only where errors are named.
        actions: action → "clips", "rho", "r_l2", "mae", mean over seeds.
        bins: of the reliability diagram, over all seeds; empty without probabilities.
        points: (true score, given score) of every clip and seed.
    """

    table: Table
    figures: dict[str, Figure]
    actions: dict[str, dict[str, float]]
    bins: list[Bin]
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Evaluation:
    """All variants, in the order in which they came.

    Attributes:
        leads: (variant, the one it is held against) → figure → how much greater the first one's is.
        clips, subjects, actions: how many were judged.
        fewest: clips of the action that has the fewest.
        left_out: predicted clips without a true score.
    """

    variants: dict[str, Judged]
    leads: dict[tuple[str, str], dict[str, Figure]]
    clips: int
    subjects: int
    actions: int
    fewest: int
    left_out: int


def evaluate(
    predictions: Sequence[Prediction],
    ranges: Mapping[str, Range],
    *,
    order: Sequence[str] = (),
    against: Against = "previous",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Return the figures of every variant.

    Args:
        predictions: of any number of variants and seeds, on the same clips.
        ranges: action → range of its scores in the whole data set.
        order: variants in the order of the table; others follow.
        against: what the leads of each variant are over.
        resamples: draws of subjects and seeds.
        seed: of the draws.

    Raises:
        InputError: no clip with a true score, clips that not every run predicts, a clip that a run
            predicts twice.
    """
    tables, left_out = tables_of(predictions, order)
    first = next(iter(tables.values()))
    weights = draws(first.subjects, resamples=resamples, seed=seed)
    judged = {
        name: _judged(table, ranges, weights, np.random.default_rng([seed, number]))
        for number, (name, table) in enumerate(tables.items())
    }
    names = list(judged)
    pairs = [(other, one) for one in names[1:] for other in names[:1]]
    if against == "previous":
        pairs = list(itertools.pairwise(names))
    return Evaluation(
        variants=judged,
        leads={
            (one, other): _lead(judged[one].figures, judged[other].figures) for other, one in pairs
        },
        clips=len(first.rows),
        subjects=len(set(first.subjects)),
        actions=len(set(first.actions)),
        fewest=min(map(len, rows_of(first.actions).values())),
        left_out=left_out,
    )


def ranges_of(scores: Iterable[tuple[str, float | None]]) -> dict[str, Range]:
    """Return action → (lowest, highest) of (action, score) pairs; unscored ones do not count."""
    found: dict[str, list[float]] = {}
    for action, score in scores:
        if score is not None:
            found.setdefault(action, []).append(score)
    return {action: (min(values), max(values)) for action, values in found.items()}


def _judged(
    table: Table, ranges: Mapping[str, Range], weights: Floats, random: np.random.Generator
) -> Judged:
    truth, actions = table.truth, table.actions
    here = ranges_of(zip(actions, truth, strict=True))
    values: dict[str, list[Floats]] = {}
    for scores in table.scores:
        for name, value in (
            ("rho", mean_rho(scores, truth, actions, weights)),
            ("rho pooled", pooled_rho(scores, truth, weights)),
            ("rho within", within_rho(scores, truth, actions, weights)),
            ("r_l2", mean_r_l2(scores, truth, actions, ranges, weights)),
            ("r_l2 test", mean_r_l2(scores, truth, actions, here, weights)),
            ("mae", mean_absolute(scores, truth, weights)),
        ):
            values.setdefault(name, []).append(value)
    for kind in ("occurrence", "type") if table.names_errors else ():
        for run in table.runs:
            values.setdefault(f"f1 {kind}", []).append(f1(error_counts(run, kind), weights))
    figures = {name: _figure(np.stack(value), random) for name, value in values.items()}
    pairs = [claims_and_labels(run) for run in table.runs]
    bins: list[Bin] = []
    if all(len(claimed) for claimed, _ in pairs):
        each = tuple(calibration_error(reliability(*pair)) for pair in pairs)
        figures["ece"] = Figure(float(np.mean(each)), _NAN, _NAN, each)
        claimed, there = (np.concatenate(side) for side in zip(*pairs, strict=True))
        bins = reliability(claimed, there)
    points = [(float(t), float(s)) for run in table.scores for t, s in zip(truth, run, strict=True)]
    return Judged(table, figures, _by_action(table, ranges), bins, points)


def _figure(values: Floats, random: np.random.Generator) -> Figure:
    """Return a figure from (S, 1 + R): a row for each seed, its first value on all clips."""
    seeds, count = values.shape[0], values.shape[1] - 1
    chosen = random.multinomial(seeds, np.full(seeds, 1 / seeds), count) / seeds
    drawn = (chosen * values[:, 1:].T).sum(axis=1)
    low, high = percentiles(drawn)
    return Figure(float(values[:, 0].mean()), low, high, tuple(map(float, values[:, 0])), drawn)


def _lead(one: Mapping[str, Figure], other: Mapping[str, Figure]) -> dict[str, Figure]:
    found = {}
    for name in one:
        if name in other and len(one[name].drawn):
            drawn = one[name].drawn - other[name].drawn
            found[name] = Figure(
                one[name].value - other[name].value, *percentiles(drawn), (), drawn
            )
    return found


def _by_action(table: Table, ranges: Mapping[str, Range]) -> dict[str, dict[str, float]]:
    found = {}
    for action, at in rows_of(table.actions).items():
        truth, runs = table.truth[at], table.scores[:, at]
        low, high = ranges.get(action, (0.0, 0.0))
        found[action] = {
            "clips": float(len(at)),
            "rho": float(np.mean([spearman(run, truth) for run in runs])),
            "r_l2": float(np.mean([r_l2(run, truth, (low, high)) for run in runs]))
            if low < high
            else _NAN,
            "mae": float(np.mean([mae(run, truth) for run in runs])),
        }
    return found
