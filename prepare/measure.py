"""How well repetitions are proposed: against a table of truth, set by set.

    measured = measure(recordings, truth)
    measured.exact_share           # sets whose number of repetitions is exact
    measured.median_error_s        # of all boundaries in those sets

FLEX-Sim writes the truth (`python -m sim raw`); a corrected segments.csv serves as well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flex.number_table import Floats
from prepare.movements import Movement
from prepare.recording import Recording
from prepare.segmentation import propose
from prepare.survey import read_skeleton
from prepare.table import Segment

BOUNDARIES = ("start", "second phase", "third phase", "end")


@dataclass(frozen=True)
class SetMeasure:
    """One set.

    Attributes:
        found: repetitions that were proposed.
        true: repetitions that there are.
        errors_s: (R, 4) proposed less true times if the numbers are equal, else (0, 4).
    """

    recording: str
    action: str
    found: int
    true: int
    errors_s: Floats


@dataclass(frozen=True)
class Measured:
    """All sets."""

    sets: tuple[SetMeasure, ...]

    @property
    def exact_share(self) -> float:
        """Share of the sets whose number of repetitions is exact."""
        return float(np.mean([one.found == one.true for one in self.sets]))

    @property
    def errors_s(self) -> Floats:
        """(R, 4) proposed less true times, over the sets whose number is exact."""
        return np.concatenate([one.errors_s for one in self.sets])

    @property
    def median_error_s(self) -> float:
        """Median size of the error over all boundaries."""
        return float(np.median(np.abs(self.errors_s))) if len(self.errors_s) else float("nan")


def measure(
    recordings: Iterable[Recording],
    truth: Sequence[Segment],
    movements: Mapping[str, Movement],
) -> Iterator[SetMeasure]:
    """Yield how each set with a truth was proposed."""
    for recording in recordings:
        rows = [row.times_s for row in truth if row.recording == recording.name]
        movement = movements.get(recording.card.action)
        if not rows or movement is None:
            continue
        points = read_skeleton(Path(recording.skeleton))
        proposals = propose(points, recording.card.skeleton.rate_hz, movement)
        found = np.array([p.times_s for p in proposals]).reshape(-1, 4)
        same = len(found) == len(rows)
        errors = found - np.array(rows) if same else np.zeros((0, 4))
        yield SetMeasure(recording.name, recording.card.action, len(found), len(rows), errors)
