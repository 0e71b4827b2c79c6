"""What a simulated data set looks like: counts, scores by skill, histogram, frequent errors.

A `Tally` counts records as they are written, so that nothing is read twice or held in memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from rich.console import Group
from rich.table import Table

from flex.sample import Annotation

_BIN = 5
_BAR = 40
_FREQUENT = 5


@dataclass(frozen=True)
class Spread:
    """A distribution in a few figures; skew and excess kurtosis of a normal one are 0."""

    mean: float
    sd: float
    low: float
    high: float
    skew: float
    excess_kurtosis: float


@dataclass
class Tally:
    """Counts of the records seen so far."""

    scores: dict[str, list[float]] = field(default_factory=dict)
    frames: list[float] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)
    actions: set[str] = field(default_factory=set)
    errors: Counter[str] = field(default_factory=Counter)

    def counting(self, records: Iterable[Annotation]) -> Iterator[Annotation]:
        """Yield the records unchanged, and count them."""
        for record in records:
            self.scores.setdefault(record.skill or "unknown", []).append(record.score or 0.0)
            self.frames.append((record.duration_s or 0) * (record.frame_rate_hz or 0))
            self.subjects.add(record.subject or "unknown")
            self.actions.add(record.action)
            self.errors.update(label.error_type for label in record.errors)
            yield record

    def all_scores(self) -> list[float]:
        """Return the scores of all skills together."""
        return [score for scores in self.scores.values() for score in scores]


def spread_of(values: Iterable[float]) -> Spread:
    """Return mean, standard deviation, range, skew and excess kurtosis of one or more values."""
    data = np.fromiter(values, dtype=float)
    away = data - data.mean()
    sd = float(data.std())
    standard = away / sd if sd else away
    return Spread(
        mean=float(data.mean()),
        sd=sd,
        low=float(data.min()),
        high=float(data.max()),
        skew=float((standard**3).mean()),
        excess_kurtosis=float((standard**4).mean() - 3) if sd else 0.0,
    )


def report(tally: Tally) -> Group:
    """Return the summary for a terminal."""
    scores = tally.all_scores()
    counts = Table("clips", "subjects", "actions", "mean frames", "errors a clip", "commonest")
    commonest = ", ".join(error for error, _ in tally.errors.most_common(_FREQUENT))
    counts.add_row(
        f"{len(scores):,}",
        str(len(tally.subjects)),
        str(len(tally.actions)),
        f"{np.mean(tally.frames):.1f}",
        f"{tally.errors.total() / len(scores):.1f}",
        commonest,
    )
    by_skill = Table("score", "clips", "mean", "sd", "range", "skew", "excess kurtosis")
    for name, values in (*sorted(tally.scores.items()), ("all", scores)):
        spread = spread_of(values)
        by_skill.add_row(
            name,
            f"{len(values):,}",
            f"{spread.mean:.2f}",
            f"{spread.sd:.2f}",
            f"{spread.low:.2f}–{spread.high:.2f}",
            f"{spread.skew:+.2f}",
            f"{spread.excess_kurtosis:+.2f}",
        )
    return Group(counts, by_skill, *histogram(scores))


def histogram(scores: Iterable[float]) -> list[str]:
    """Return one line per five points of score, from the lowest that occurs to 100."""
    bins = Counter(min(int(score // _BIN), 100 // _BIN - 1) for score in scores)
    most = max(bins.values())
    return [
        f"{low * _BIN:3d}–{(low + 1) * _BIN:<3d} {bins[low]:6,d} {'█' * _width(bins[low], most)}"
        for low in range(min(bins), 100 // _BIN)
    ]


def _width(count: int, most: int) -> int:
    return -(-count * _BAR // most)
