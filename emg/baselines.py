"""What needs no network: the mean of a muscle, and its mean at that moment of that lift.

    baselines = fit_baselines(training_clips)
    baselines["phase_mean"](clip)              # (T, 18)

The per-phase mean is strong: it is told which lift it is and, where a record says so, when each
phase begins and ends, both of which a model has to find out. Both learn from training clips only.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emg.clips import ReadyClip
from flex.number_table import Floats
from flex.sample import Annotation

PARTS = 10  # of each phase; of the whole clip where no phases are told: three times as many
MEAN, PHASE_MEAN = "mean", "phase_mean"
Baseline = Callable[[ReadyClip], Floats]


def fit_baselines(train: Sequence[ReadyClip]) -> dict[str, Baseline]:
    """Return both baselines, by name; each gives (T, 18) for a clip."""
    mean = _Means()
    at_phase: dict[str, _Means] = {}
    for clip in train:
        mean.add(np.zeros(len(clip.y), dtype=int), clip.y)
        places = positions(clip.sample.record, clip.times_s)
        at_phase.setdefault(clip.sample.record.action, _Means()).add(places, clip.y)
    overall = np.nan_to_num(mean.of(np.zeros(1, dtype=int))[0])

    def by_muscle(clip: ReadyClip) -> Floats:
        return np.broadcast_to(overall, clip.y.shape).copy()

    def by_phase(clip: ReadyClip) -> Floats:
        record = clip.sample.record
        if record.action not in at_phase:
            return by_muscle(clip)  # a lift that was never seen
        found = at_phase[record.action].of(positions(record, clip.times_s))
        return np.where(np.isfinite(found), found, overall)

    return {MEAN: by_muscle, PHASE_MEAN: by_phase}


def positions(record: Annotation, times_s: Floats) -> NDArray[np.int64]:
    """Return which part of which phase each frame is in: (T,) whole numbers, rising.

    Args:
        record: its phases, if it tells them; else the whole clip counts as one.
        times_s: (T,) of the frames.
    """
    if not record.phases:
        share = (times_s - times_s[0]) / (times_s[-1] - times_s[0])
        whole: NDArray[np.int64] = np.minimum((share * 3 * PARTS).astype(int), 3 * PARTS - 1)
        return whole
    starts = np.array([span.start_s for span in record.phases])
    number = np.clip(np.searchsorted(starts, times_s, side="right") - 1, 0, len(starts) - 1)
    ends = np.array([span.end_s for span in record.phases])
    lasts = np.maximum(ends - starts, 1e-9)
    share = np.clip((times_s - starts[number]) / lasts[number], 0, 1)
    found: NDArray[np.int64] = number * PARTS + np.minimum((share * PARTS).astype(int), PARTS - 1)
    return found


class _Means:
    """Running means of the 18 muscles at numbered places."""

    def __init__(self) -> None:
        self.sums: dict[int, Floats] = {}
        self.counts: dict[int, Floats] = {}

    def add(self, places: NDArray[np.int64], y: NDArray[np.float32]) -> None:
        for place in np.unique(places):
            rows = y[places == place].astype(np.float64)
            there = np.isfinite(rows)
            width = y.shape[1]
            self.sums.setdefault(int(place), np.zeros(width))
            self.counts.setdefault(int(place), np.zeros(width))
            self.sums[int(place)] += np.where(there, rows, 0).sum(axis=0)
            self.counts[int(place)] += there.sum(axis=0)

    def of(self, places: NDArray[np.int64]) -> Floats:
        """Return (T, 18), NaN at a place where nothing was learnt: the nearest one is taken."""
        known = np.array(sorted(self.sums))
        nearest = known[np.abs(known[None] - places[:, None]).argmin(axis=1)]
        means = {
            place: np.where(self.counts[place] > 0, self.sums[place], np.nan)
            / np.maximum(self.counts[place], 1)
            for place in set(nearest.tolist())
        }
        return np.stack([means[int(place)] for place in nearest])
