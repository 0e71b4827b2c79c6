"""What CoRe reads of the sEMG: how the two sides share the work, and envelopes over time.

    share = peak_share(signal, main_muscle(graph, "A01"))       # (2,) left, right; they add up to 1
    waves = envelopes(signal, main_muscle(graph, "A01"))        # (2, 103) for `aqa.semg_encoder`

Section 4.1 says "relative muscle contribution". The released code takes the highest |value| of the
action's main muscle on either side and divides by the sum of both; so do we. Channels are found
by their names, never by their position.
"""

import numpy as np
from numpy.typing import NDArray

from aqa.options import Peaks
from flex.dataset import FRAMES_PER_CLIP, SemgSignal
from flex.graph import Graph
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.semg import envelope
from flex.semg_columns import SIDES


def main_muscle(graph: Graph, action: str) -> str:
    """Return the muscle that Table 3 lists first for an action, without its side.

    Raises:
        InputError: the graph does not say which muscles were recorded.
    """
    muscles = graph.action(action).recorded_muscles
    if not muscles:
        raise InputError([Problem(action, "the graph names no recorded muscle (recorded_muscles)")])
    side, _, muscle = muscles[0].strip().lower().partition(" ")
    return muscle if side in SIDES else f"{side} {muscle}".strip()


def peak_share(
    signal: SemgSignal, muscle: str, *, peaks: Peaks = "raw", place: str = "sEMG"
) -> NDArray[np.float32]:
    """Return each side's share of the peaks of one muscle (section 4.1).

    Args:
        signal: the clip's sEMG; a side with several columns of the muscle counts by the mean of
            their absolute values.
        muscle: such as "anterior deltoid".
        peaks: of the absolute values as the released code takes them, or of the envelope, which
            one spike does not change.
        place: the file, for messages.

    Returns:
        (2,) float32, left and right, sum 1.

    Raises:
        InputError: the muscle is not recorded on both sides, values that are not finite, no
            signal at all, or a rate that is too low for an envelope.
    """
    sides = _sides(signal, muscle, place)
    if peaks == "raw":
        tops = [np.abs(side).mean(axis=1).max() for side in sides]
    else:
        tops = [_envelope(side, signal, place).max() for side in sides]
    total = sum(tops)
    if total == 0:
        raise InputError([Problem(place, f"{muscle}: both sides are silent, so there is no share")])
    return np.array([top / total for top in tops], dtype=np.float32)


def envelopes(
    signal: SemgSignal, muscle: str, *, frames: int = FRAMES_PER_CLIP, place: str = "sEMG"
) -> NDArray[np.float32]:
    """Return the envelope of one muscle on either side, averaged over each frame of the video.

    It is divided by the mean over both sides, so that it tells course and sides, not strength:
    strength needs a peak per subject from training trials, which one clip cannot give.

    Args:
        signal: the clip's sEMG.
        muscle: such as "anterior deltoid".
        frames: length of the result.
        place: the file, for messages.

    Returns:
        (2, frames) float32, left and right.

    Raises:
        InputError: as for `peak_share`, or fewer samples than frames.
    """
    sides = [_envelope(side, signal, place) for side in _sides(signal, muscle, place)]
    if len(sides[0]) < frames:
        message = f"{len(sides[0])} samples cannot be averaged over {frames} frames"
        raise InputError([Problem(place, message)])
    cuts = np.linspace(0, len(sides[0]), frames + 1).astype(int)
    means = np.stack([np.add.reduceat(side, cuts[:-1]) / np.diff(cuts) for side in sides])
    level = means.mean()
    if level == 0:
        raise InputError([Problem(place, f"{muscle}: both sides are silent")])
    relative: NDArray[np.float32] = (means / level).astype(np.float32)
    return relative


def _sides(signal: SemgSignal, muscle: str, place: str) -> list[Floats]:
    """Return the columns of a muscle, left and right: (samples, columns) each."""
    values = np.asarray(signal.values, dtype=np.float64)
    if not len(values) or not np.isfinite(values).all():
        raise InputError([Problem(place, "the sEMG is empty or not finite")])
    found = []
    for side in SIDES:
        wanted = f"{side} {muscle}"
        columns = [
            number
            for number, name in enumerate(signal.channels)
            # Two columns of one muscle are numbered: "left pectoralis major 1".
            if name.strip().lower().rstrip("0123456789 ") == wanted
        ]
        if not columns:
            message = f"no channel {wanted!r} among {', '.join(signal.channels)}"
            raise InputError([Problem(place, message)])
        found.append(values[:, columns])
    return found


def _envelope(side: Floats, signal: SemgSignal, place: str) -> Floats:
    try:
        result: Floats = envelope(side, signal.sample_rate_hz).mean(axis=1)
    except ValueError as error:
        raise InputError([Problem(place, str(error))]) from error
    return result
