"""Puts predictions of many runs side by side: one row a run, one column a clip."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aqa.predictions import Prediction
from flex.problems import InputError, Problem

Floats = NDArray[np.float64]
Kind = Literal["occurrence", "type"]
_SHOWN = 5


@dataclass(frozen=True)
class Table:
    """One variant's S runs on N clips.

    Attributes:
        variant: its name.
        seeds: of the runs.
        runs: the predictions of each run, clips in one order.
        scores: (S, N)
        truth: (N,)
        actions: of the clips.
        subjects: of the clips; a clip without a subject counts as one of its own.
    """

    variant: str
    seeds: tuple[int, ...]
    runs: tuple[tuple[Prediction, ...], ...]
    scores: Floats
    truth: Floats
    actions: tuple[str, ...]
    subjects: tuple[str, ...]

    @property
    def rows(self) -> tuple[Prediction, ...]:
        """The predictions of the first run."""
        return self.runs[0]

    @property
    def names_errors(self) -> bool:
        """Whether the variant says which errors were made, and they were labelled."""
        rows = [row for run in self.runs for row in run]
        return any(r.probabilities or r.errors for r in rows) and all(
            r.true_errors is not None for r in rows
        )


def tables_of(
    predictions: Iterable[Prediction], order: Sequence[str] = ()
) -> tuple[dict[str, Table], int]:
    """Return variant → table, those of `order` first, and how many clips have no true score.

    Raises:
        InputError: nothing to judge, clips that not every run predicts, a clip predicted twice.
    """
    runs: dict[tuple[str, int], dict[str, Prediction]] = {}
    problems, unscored = [], set()
    for row in predictions:
        if row.truth is None:
            unscored.add(row.clip)
            continue
        run = runs.setdefault((row.variant, row.seed), {})
        if row.clip in run:
            problems.append(Problem(_say(row.variant, row.seed), f"predicts {row.clip} twice"))
        run[row.clip] = row
    clips = sorted({clip for run in runs.values() for clip in run})
    if not clips:
        raise InputError([Problem("predictions", "hold no clip with a true score")])
    for (variant, seed), run in runs.items():
        if missing := [clip for clip in clips if clip not in run]:
            shown = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
            message = f"lacks {len(missing)} of the {len(clips)} clips that others predict: {shown}"
            problems.append(Problem(_say(variant, seed), message))
    if problems:
        raise InputError(problems)
    names = dict.fromkeys(variant for variant, _ in runs)
    known = [name for name in order if name in names]
    return {
        name: _table(name, {s: run for (v, s), run in sorted(runs.items()) if v == name}, clips)
        for name in dict.fromkeys([*known, *names])
    }, len(unscored)


def error_counts(run: Sequence[Prediction], kind: Kind) -> Floats:
    """Return hits, claims and true errors of each clip: (N, 3), within what was labelled.

    What a model abstains from counts as not claimed, so a true error there is missed.
    """
    rows = []
    for row in run:
        claims, true = set(row.errors), set(row.true_errors or ())
        if row.labelled is not None:
            claims &= set(row.labelled)
        if kind == "type":
            claims, true = ({text.partition(":")[2] for text in side} for side in (claims, true))
        rows.append((len(claims & true), len(claims), len(true)))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def claims_and_labels(run: Iterable[Prediction]) -> tuple[Floats, Floats]:
    """Return every labelled probability of a run, and whether the error was there: (K,), (K,)."""
    claimed, there = [], []
    for row in run:
        if row.true_errors is None:
            continue
        labelled = set(row.probabilities if row.labelled is None else row.labelled)
        for name, probability in row.probabilities.items():
            if name in labelled:
                claimed.append(probability)
                there.append(float(name in row.true_errors))
    return np.array(claimed), np.array(there)


def _table(variant: str, runs: dict[int, dict[str, Prediction]], clips: Sequence[str]) -> Table:
    rows = tuple(tuple(run[clip] for clip in clips) for run in runs.values())
    return Table(
        variant=variant,
        seeds=tuple(runs),
        runs=rows,
        scores=np.array([[row.score for row in run] for run in rows], dtype=np.float64),
        truth=np.array([row.truth for row in rows[0]], dtype=np.float64),
        actions=tuple(row.action for row in rows[0]),
        subjects=tuple(row.subject or f"clip {row.clip}" for row in rows[0]),
    )


def _say(variant: str, seed: int) -> str:
    return f"{variant}, seed {seed}"
