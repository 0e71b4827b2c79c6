"""Proposes repetitions and phases of a set from its skeleton alone, with a confidence.

    for found in propose(points, 120.0, movement): ...     # (T, 21, 3)
        found.times_s          # start of the clip, of its second and third phase, and its end
        found.confidence       # 0 to 1

FLEX cuts a repetition into three phases by the trend of the major limbs (section 3.3.1). The angle
that `prepare.movements` names for the action goes out in the second phase and back in the third; a
way counts if it is far enough beside the others of the set. Onset and end of a movement are
extrapolated from where the speed passes a share of its peak, by the minimum-jerk profile of human
movements (Flash and Hogan 1985). The preparation before it begins when the feet have come to
stand; where that cannot be seen it gets a usual length.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from flex.number_table import Floats
from flex.skeleton import INDEX, limb_lengths
from prepare.movements import Movement, course_of

_FEET = [INDEX[f"{s}_{j}"] for s in ("left", "right") for j in ("ankle", "heel", "toe")]
_SMOOTH_HZ = 6.0
_LEAST_REACH = 0.25  # of the usual way; smaller ones are hesitation
_LEAST_SPREAD_DEG = 15.0  # over a set; less is standing still
_LEAST_SHARE = 0.1  # of the spread
_SHORTEST_S = 0.4  # between two turns
# Speed of a minimum-jerk movement is 16 u² (1 − u)² of its peak at the share u of its time, so it
# is a fifth of it at 0.128; from there to the onset is 0.345 times as long as to the peak.
_SHARE, _EXTRAPOLATION = 0.2, 0.345
# What is slower and shorter beside the fastest between two turns is no phase of its own.
_STROKE_SPEED, _STROKE_WAY = 0.15, 0.3
# A pose that is taken up before the lift is dropped faster than any weight is lowered.
_DROP_S, _DROP_RATIO, _DROP_REST_S = 0.35, 3.0, 0.7
_SHADOW_REST_S, _SHADOW_SHARE = 0.5, 0.7
_LEAST_STEP = 0.15  # forearms a second; slower feet stand
_USUAL_PREPARATION_S = 0.35
_LONGEST_PREPARATION_S = 1.5


@dataclass(frozen=True)
class Proposal:
    """One proposed repetition.

    Attributes:
        times_s: (4,) start, turn into the second and the third phase, end; seconds.
        confidence: 0 to 1; how much its way and its length are like those of the whole set.
    """

    times_s: tuple[float, ...]
    confidence: float


def propose(points: Floats, rate_hz: float, movement: Movement) -> list[Proposal]:
    """Return the repetitions of a set in the order of time.

    Args:
        points: (T, 21, 3) joints of `flex.skeleton` in any unit of length, of a whole set.
        rate_hz: rows a second.
        movement: which angle shows a repetition of the action.

    Returns:
        One proposal for each; none if nobody moves.
    """
    course = _smooth(course_of(points, movement), rate_hz)
    ways = _without_shadows(_without_setting_up(_ways(course, rate_hz), rate_hz), rate_hz)
    if not ways:
        return []
    forearm = float(np.median(limb_lengths(points)[:, 1]))
    feet = _feet_speed(points, rate_hz) / forearm
    rows: list[tuple[float, ...]] = []
    for way in ways:
        before = rows[-1][-1] if rows else 0.0
        start = _settled(feet, before, max(way.out, before), rate_hz)
        rows.append((start, way.out, (way.reached + way.left) / 2, way.end))
    return _with_confidence(np.array(rows) / rate_hz, np.array([way.reach for way in ways]))


@dataclass(frozen=True)
class _Way:
    """A way out and back: when, in rows, and how far, in degrees.

    Attributes:
        out: where the movement out begins.
        reached: where it ends.
        left: where the movement back begins.
        end: where that ends.
        there: how far the movement out goes.
        back: how far the movement back goes.
        reach: how far the turn is from the nearer one of the poses between which it lies.
    """

    out: float
    reached: float
    left: float
    end: float
    there: float
    back: float
    reach: float


def _ways(course: Floats, rate_hz: float) -> list[_Way]:
    speed = np.gradient(course) * rate_hz
    tops, reaches = _turns(course, rate_hz)
    found = []
    for number, top in enumerate(tops):
        first = int(tops[number - 1]) if number else 0
        last = int(tops[number + 1]) if number + 1 < len(tops) else len(course) - 1
        out, reached = _movement(speed[first : top + 1], first, last=True)
        left, end = _movement(-speed[top : last + 1], int(top), last=False)
        there, back = (course[top] - course[[int(out), int(end)]]).tolist()
        found.append(_Way(out, reached, left, end, there, back, float(reaches[number])))
    return found


def _without_setting_up(ways: list[_Way], rate_hz: float) -> list[_Way]:
    """Leave out taking up a bent pose and dropping it at once when the lift begins."""
    kept = []
    for number, way in enumerate(ways):
        rest = (ways[number + 1].out - way.end) / rate_hz if number + 1 < len(ways) else np.inf
        fall = way.end - way.left
        steeper = (way.left - way.out) * way.back > _DROP_RATIO * fall * way.there
        if not (fall < _DROP_S * rate_hz and steeper and rest < _DROP_REST_S):
            kept.append(way)
    return kept


def _without_shadows(ways: list[_Way], rate_hz: float) -> list[_Way]:
    """Leave out the much smaller one of two ways without a rest between."""
    small = set()
    for number, (way, after) in enumerate(pairwise(ways)):
        if (after.out - way.end) / rate_hz < _SHADOW_REST_S:
            if way.reach < _SHADOW_SHARE * after.reach:
                small.add(number)
            elif after.reach < _SHADOW_SHARE * way.reach:
                small.add(number + 1)
    return [way for number, way in enumerate(ways) if number not in small]


def _turns(course: Floats, rate_hz: float) -> tuple[Floats, Floats]:
    """Return the rows where the way out ends and how far it went, for each repetition."""
    spread = float(np.ptp(course))
    nothing = np.zeros(0)
    if spread < _LEAST_SPREAD_DEG:
        return nothing, nothing
    tops, shapes = find_peaks(
        course, prominence=_LEAST_SHARE * spread, distance=round(_SHORTEST_S * rate_hz)
    )
    reaches = shapes["prominences"]
    if not len(tops):
        return nothing, nothing
    usual = np.median(reaches[reaches > 0.5 * reaches.max()])
    kept = reaches >= _LEAST_REACH * usual
    return tops[kept], reaches[kept]


def _movement(speed: Floats, at: int, *, last: bool) -> tuple[float, float]:
    """Return when a movement begins and ends, in rows.

    Args:
        speed: (N,) in its direction.
        at: the row of the first.
        last: whether the last movement is meant that is worth the name, or the first.
    """
    way = np.maximum(speed, 0)
    padded = np.concatenate([[0.0], way, [0.0]])
    peaks = find_peaks(padded, height=_STROKE_SPEED * way.max())[0] - 1
    edges = [_edges(speed, int(peak)) for peak in peaks]
    ways = np.array([way[one:other].sum() for one, other in edges])
    worthy = np.flatnonzero(ways >= _STROKE_WAY * ways.max(initial=0.0))
    chosen = int(worthy[-1 if last else 0])
    peak, (first, end) = int(peaks[chosen]), edges[chosen]
    onset = first - _EXTRAPOLATION * (peak - first)
    stop = end + _EXTRAPOLATION * (end - peak)
    return at + max(onset, 0.0), at + min(stop, len(speed) - 1.0)


def _edges(speed: Floats, peak: int) -> tuple[int, int]:
    """Return the rows before and after a peak at which the speed falls to a share of it."""
    slow = speed < _SHARE * speed[peak]
    before, after = np.flatnonzero(slow[:peak]), np.flatnonzero(slow[peak:])
    first = int(before[-1]) if len(before) else 0
    return first, peak + int(after[0]) if len(after) else len(speed) - 1


def _settled(feet: Floats, before: float, out: float, rate_hz: float) -> float:
    """Return the row at which a person who sets out at `out` has come to stand.

    Args:
        feet: (T,) speed of the feet, forearms a second.
        before: the row at which the repetition before it ends.
        out: the row at which this one sets out.
        rate_hz: rows a second.
    """
    usual = max(before, out - _USUAL_PREPARATION_S * rate_hz)
    first, last = int(before), int(out)
    steps = feet[first:last]
    if len(steps) < 3 or steps.max() < _LEAST_STEP:
        return usual
    peak = len(steps) - 1 - int(np.argmax(steps[::-1] >= 0.9 * steps.max()))
    after = np.flatnonzero(steps[peak:] < _SHARE * steps[peak])
    if not len(after):
        return usual
    still = first + peak + (1 + _EXTRAPOLATION) * float(after[0])
    return still if out - still < _LONGEST_PREPARATION_S * rate_hz else usual


def _feet_speed(points: Floats, rate_hz: float) -> Floats:
    feet = _smooth(points[:, _FEET].mean(axis=1), rate_hz)
    speed: Floats = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * rate_hz
    return speed


def _smooth(values: Floats, rate_hz: float) -> Floats:
    sections = butter(2, min(_SMOOTH_HZ, 0.45 * rate_hz), fs=rate_hz, output="sos")
    smooth: Floats = sosfiltfilt(sections, values, axis=0)
    return smooth


def _with_confidence(times_s: Floats, reaches: Floats) -> list[Proposal]:
    lengths = times_s[:, 3] - times_s[:, 1]
    far = np.abs(np.log(reaches / np.median(reaches)))
    long = np.abs(np.log(lengths / np.median(lengths)))
    sure = np.exp(-far / 2 - long / 2)
    return [
        Proposal(tuple(row.round(4).tolist()), round(float(share), 3))
        for row, share in zip(times_s, sure, strict=True)
    ]
