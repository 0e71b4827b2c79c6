"""Which moments and muscles of a prediction are shown: those that tell most.

for moment in peak_moments(prediction, clip.annotation.phases):
    print(moment.time_s, moment.phase)
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emg.prediction import Prediction
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan

_PARTS = 3


@dataclass(frozen=True)
class Moment:
    """A frame of a prediction.

    Attributes:
        index: of the frame.
        time_s: when that is, in seconds from the start of the clip.
        phase: which phase it lies in, empty if that is not known.
    """

    index: int
    time_s: float
    phase: str = ""


def peak_moments(prediction: Prediction, phases: Sequence[PhaseSpan] = ()) -> list[Moment]:
    """Return the moment of the highest mean activation in each phase, or in each third.

    Raises:
        InputError: the prediction has no frame or no muscle.
    """
    require_content(prediction)
    mean = prediction.predicted[:, prediction.mask].mean(axis=1)
    times = prediction.times_s
    spans: list[tuple[float, float, str]]
    spans = [(span.start_s, span.end_s, span.phase) for span in phases]
    if not spans:
        edges = np.linspace(times[0], times[-1], _PARTS + 1)
        spans = [(low, high, "") for low, high in itertools.pairwise(edges)]
    found = []
    for start, end, phase in sorted(spans):
        inside = np.flatnonzero((times >= start) & (times <= end))
        if inside.size:
            index = int(inside[mean[inside].argmax()])
            found.append(Moment(index, float(times[index]), phase))
    return found


def most_active(prediction: Prediction, most: int) -> list[int]:
    """Return the indices of the muscles with the highest predicted peaks, in the model's order."""
    shown = np.flatnonzero(prediction.mask)
    peaks: NDArray[np.float64] = prediction.predicted[:, shown].max(axis=0)
    return sorted(int(index) for index in shown[np.argsort(-peaks, kind="stable")[:most]])


def require_content(prediction: Prediction) -> None:
    """Raise an `InputError` if there is nothing to show, or what there is is not finite."""
    if not len(prediction.times_s) or not prediction.mask.any():
        message = "expected a prediction with a frame and a muscle, found none"
        raise InputError([Problem(prediction.clip, message)])
    if not np.isfinite(prediction.predicted[:, prediction.mask]).all():
        raise InputError([Problem(prediction.clip, "holds predicted values that are not finite")])
