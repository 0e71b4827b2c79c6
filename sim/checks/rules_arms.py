"""Rules for hands, wrists, elbows and upper arms, and for what the hands hold: one number per clip.

Written as those of `sim.checks.rules_body`; sides are averaged unless a rule compares them. The
hands stand for bar and dumbbells, which the skeleton does not show.
"""

import numpy as np

from sim.checks import features as f
from sim.checks.step import (
    Step,
    both_ends,
    bulge,
    end,
    held,
    opening,
    progress,
    within,
)
from sim.study import Floats


def grip_width(step: Step) -> Floats:
    """Hands too close or too far apart: distance in shoulder widths."""
    return opening(f.gap(step.setup, "hand")) / step.shoulder_width_m


def hanging_width(step: Step) -> Floats:
    """The same of dumbbells where they hang after the lowering."""
    return end(f.gap(step.lowering, "hand")) / step.shoulder_width_m


def elbow_gap(step: Step) -> Floats:
    """Elbows too close or flaring: distance in shoulder widths."""
    return opening(f.gap(step.now, "elbow")) / step.shoulder_width_m


def elbows_flare(step: Step) -> Floats:
    """Elbows flaring on a bar: shoulder widths outside the lines from shoulders to hands."""
    elbow, hand, shoulder = (f.gap(step.now, part) for part in ("elbow", "hand", "shoulder"))
    return opening(elbow - (hand + shoulder) / 2) / step.shoulder_width_m


def elbow_bend(step: Step) -> Floats:
    """Elbows bent too much or past straight at rest: degrees."""
    return opening(_mean(f.elbow_bend(step.now)))


def elbow_bend_through(step: Step) -> Floats:
    """The same of a raise: soon after its start and before its end, where its arc is the same."""
    return both_ends(_mean(f.elbow_bend(step.now)))


def elbow_flexion_early(step: Step) -> Floats:
    """Elbows kept bent too much where a press begins: degrees."""
    return within(_mean(f.elbow_flexion(step.now)), 0.2, 0.4)


def elbow_bend_late(step: Step) -> Floats:
    """Elbows bent too much or past straight towards the end: degrees."""
    return end(_mean(f.elbow_bend(step.now)))


def elbow_flexion(step: Step) -> Floats:
    """Angle between upper arm and forearm: degrees in the middle of the phase."""
    return held(_mean(f.elbow_flexion(step.now)))


def elbow_flexion_end(step: Step) -> Floats:
    """Elbow angle where the phase ends: degrees."""
    return end(_mean(f.elbow_flexion(step.now)))


def straighter_elbow_end(step: Step) -> Floats:
    """Flexion of the straighter elbow where the phase ends: degrees."""
    return np.asarray(end(f.elbow_flexion(step.now)).min(axis=-1))


def more_bent_elbow_end(step: Step) -> Floats:
    """Flexion of the more bent elbow where the phase ends: degrees."""
    return np.asarray(end(f.elbow_flexion(step.now)).max(axis=-1))


def elbow_off_arc(step: Step) -> Floats:
    """Elbow angle changing under way: degrees more half-way than near start and end."""
    bend = _mean(f.elbow_bend(step.now))
    return within(bend, 0.4, 0.6) - both_ends(bend)


def hand_gap_end(step: Step) -> Floats:
    """Dumbbells that knock together at the end: distance in shoulder widths."""
    return end(f.gap(step.now, "hand")) / step.shoulder_width_m


def wrist_bend(step: Step) -> Floats:
    """Wrists bent: degrees off the forearm's line."""
    return held(_mean(f.wrist_bend(step.now)))


def hands_at_start(step: Step) -> Floats:
    """Bar or dumbbells too high or low at the start: arm lengths over the shoulders."""
    return opening(f.above(step.now, "hand", "shoulder")) / step.arm_m


def bar_on_back(step: Step) -> Floats:
    """Bar too high or low on the back: arm lengths over the upper spine."""
    height = f.middle(step.now, "hand") - f.joint(step.now, "upper_spine")
    return opening(height[..., 2]) / step.arm_m


def hands_at_end(step: Step) -> Floats:
    """Bar or dumbbells too high or low at the end: arm lengths over the shoulders."""
    return end(f.above(step.now, "hand", "shoulder")) / step.arm_m


def bar_over_body(step: Step) -> Floats:
    """Bar too far up or down the body of someone lying: arm lengths from the hips, at the end."""
    return end(f.ahead(step.now, "hand", "hip")) / step.arm_m


def hands_ahead_at_start(step: Step) -> Floats:
    """Upper arms drifting before a bar: arm lengths that the hands are ahead of the shoulders."""
    return opening(f.ahead(step.now, "hand", "shoulder")) / step.arm_m


def bar_ahead(step: Step) -> Floats:
    """Bar away from the legs: arm lengths ahead of the ankles."""
    return held(f.ahead(step.now, "hand", "ankle")) / step.arm_m


def bar_bulge(step: Step) -> Floats:
    """Bar path off the vertical: arm lengths that the middle lies ahead of start and end."""
    return bulge(f.middle(step.now, "hand")[..., 0]) / step.arm_m


def bar_range(step: Step) -> Floats:
    """Bar path off the vertical: arm lengths between its hindmost and foremost point."""
    return np.asarray(np.ptp(f.middle(step.now, "hand")[..., 0], axis=1) / step.arm_m)


def forearms_out(step: Step) -> Floats:
    """Forearms off the vertical, inward or outward: degrees."""
    return held(_mean(f.forearm_out(step.now)))


def forearms_out_end(step: Step) -> Floats:
    """Dumbbells too close or apart at the end: outward tilt of the forearms, degrees."""
    return end(_mean(f.forearm_out(step.now)))


def forearms_ahead(step: Step) -> Floats:
    """Forearms off the vertical, forward or back: degrees."""
    return held(_mean(f.forearm_ahead(step.now)))


def elbows_out(step: Step) -> Floats:
    """Elbows too far in or out: degrees outward about the line from shoulder to wrist."""
    return opening(_mean(f.elbows_out(step.now)))


def elbows_out_end(step: Step) -> Floats:
    """The same where the phase ends: the angle between upper arms and trunk in a row."""
    return end(_mean(f.elbows_out(step.now)))


def elbow_turn(step: Step) -> Floats:
    """Elbows pointing in or out instead of forward: degrees."""
    return held(_mean(f.elbow_turn(step.now)))


def arm_spread(step: Step) -> Floats:
    """Elbows away from the torso: degrees that the upper arms point outward."""
    return opening(_mean(f.arm_spread(step.now)))


def arm_spread_end(step: Step) -> Floats:
    """The same where the phase ends."""
    return end(_mean(f.arm_spread(step.now)))


def arm_spread_more(step: Step) -> Floats:
    """The same, against the other of lifting and lowering."""
    return held(_mean(f.arm_spread(step.now) - f.arm_spread(step.back)))


def arm_plane_end(step: Step) -> Floats:
    """Too large or small an angle between upper arms and trunk on a bench: degrees."""
    return end(_mean(f.arm_plane(step.now)))


def armpit_end(step: Step) -> Floats:
    """How high the arms are raised at the end: degrees from the trunk's side."""
    return end(_mean(f.armpit(step.now)))


def arm_swing(step: Step) -> Floats:
    """Upper arms forward or back of the trunk: degrees."""
    return held(_mean(f.arm_swing(step.now)))


def arm_swing_end(step: Step) -> Floats:
    """The same where the phase ends."""
    return end(_mean(f.arm_swing(step.now)))


def arm_pitch(step: Step) -> Floats:
    """Upper arms forward or back of plumb: degrees."""
    return held(_mean(f.arm_pitch(step.now)))


def arm_pitch_end(step: Step) -> Floats:
    """The same where the phase ends."""
    return end(_mean(f.arm_pitch(step.now)))


def further_arm_pitch_end(step: Step) -> Floats:
    """Of the upper arm that hangs further forward at the end: both arms stop short, or one does."""
    return np.asarray(end(f.arm_pitch(step.now)).max(axis=-1))


def elbows_at_start(step: Step) -> Floats:
    """Elbows too high or low at the start: arm lengths over the shoulders."""
    return opening(_mean(f.elbow_height(step.now))) / step.arm_m


def elbows_at_end(step: Step) -> Floats:
    """Elbows too high or low at the end: arm lengths over the shoulders."""
    return end(_mean(f.elbow_height(step.now))) / step.arm_m


def higher_elbow_at_end(step: Step) -> Floats:
    """The same of the higher elbow: both arms are short of the height, not one."""
    return np.asarray(end(f.elbow_height(step.now)).max(axis=-1) / step.arm_m)


def tilt(step: Step) -> Floats:
    """Bar swaying or one arm working more: greatest height of one hand over the other."""
    return np.asarray(np.abs(_hand_difference(step)).max(axis=1))


def uneven(step: Step) -> Floats:
    """One dumbbell further or sooner: the hands' difference half-way and at the end.

    What the phase began with is taken away in step with the way that both have gone.
    """
    difference = _hand_difference(step)
    way = progress(f.middle(step.now, "hand")[..., 2])
    own = difference - difference[:, :1] * (1 - np.clip(way, 0, 1))
    return np.asarray(np.abs(within(own, 0.4, 0.6)) + np.abs(end(own)))


def uneven_midway(step: Step) -> Floats:
    """One dumbbell sooner: the hands' difference under way, against start and end."""
    return np.abs(bulge(_hand_difference(step)))


def uneven_elbows_end(step: Step) -> Floats:
    """One dumbbell further: degrees between the two elbow angles where the phase ends."""
    bend = end(f.elbow_flexion(step.now))
    return np.abs(bend[:, 1] - bend[:, 0])


def descent_time(step: Step) -> Floats:
    """Weight lowered too fast: time for most of the way over the time of the other phases."""
    others: Floats = step.seconds.sum(axis=1) - step.seconds[:, step.here]
    return _travel_seconds(step, step.here) / others


def descent_over_lift_time(step: Step) -> Floats:
    """The same over the time for most of the way up."""
    return _travel_seconds(step, step.here) / _travel_seconds(step, 3 - step.here)


def _travel_seconds(step: Step, number: int) -> Floats:
    """Return how long the hands take from a tenth to nine tenths of their way: (N,)."""
    hands = f.middle(step.phases[:, number], "hand")
    way: Floats = np.cumsum(f.length(np.diff(hands, axis=1, prepend=hands[:, :1])), axis=1)
    share = np.linspace(0, 1, way.shape[1])
    reached = np.array([np.interp([0.1, 0.9], one / one[-1], share) for one in way])
    return np.asarray((reached[:, 1] - reached[:, 0]) * step.seconds[:, number])


def _hand_difference(step: Step) -> Floats:
    """Return how much higher the left hand is: (N, S) arm lengths."""
    hands = f.both(step.now, "hand")[..., 2]
    return np.asarray((hands[..., 1] - hands[..., 0]) / step.arm_m[:, None])


def _mean(sides: Floats) -> Floats:
    """Return the mean of both sides: (..., 2) → (...)."""
    mean: Floats = sides.mean(axis=-1)
    return mean
