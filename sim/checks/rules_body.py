"""Rules for feet, legs, hips, trunk, shoulders and head: one number per clip.

Each is what a coach would look at by the description in the knowledge graph, set against the
person's own body or the person's own other phases. `sim.checks.rules` says which is for what.
"""

import numpy as np

from sim.checks import features as f
from sim.checks.step import (
    Step,
    bulge,
    early_bulge,
    end,
    held,
    opening,
    progress,
    sway,
    within,
)
from sim.study import Floats

# How much farther than the upper trunk neck and head go when the whole spine bends.
_NECK_FOLLOWS = 1.5


def stance_width(step: Step) -> Floats:
    """Feet too close or too far apart: distance of the ankles in shoulder widths."""
    return opening(f.gap(step.setup, "ankle")) / step.shoulder_width_m


def spine_bent(step: Step) -> Floats:
    """Whole spine bent: degrees of bend that its shortening from end to end tells."""
    return held(_spine_bend(step))


def shoulders_off(step: Step) -> Floats:
    """Shoulders up or forward: how far they are from the upper spine, in trunk lengths."""
    return held(f.length(f.shoulder_shift(step.now)))


def shoulders_off_late(step: Step) -> Floats:
    """The same towards the end of a pull, when the shoulder blades should be drawn back."""
    return within(f.length(f.shoulder_shift(step.now)), 0.6, 0.85)


def shoulders_tipped(step: Step) -> Floats:
    """Shoulders tipped forward or backward: how far ahead of the spine, in trunk lengths."""
    return held(f.shoulder_shift(step.now)[..., 0])


def rocking(step: Step) -> Floats:
    """Trunk rocking forward and back: degrees of lean to and fro."""
    return sway(f.trunk_lean(step.now))


def body_help(step: Step) -> Floats:
    """Push from the knees or backward lean: knees that give, or a trunk that goes back, early."""
    knees, lean = f.knee_flexion(step.now), f.trunk_lean(step.now)
    return np.maximum(early_bulge(knees), early_bulge(-lean))


def head_pushed(step: Step) -> Floats:
    """Head pushed forward: lean of neck and head that a bent spine does not explain, degrees."""
    lean = held(f.neck_lean(step.now))
    return np.asarray(lean - np.sign(lean) * _NECK_FOLLOWS * spine_bent(step))


def head_lifted(step: Step) -> Floats:
    """Head lifted or neck pushed forward in the effort: degrees more than before and after."""
    return bulge(f.neck_lean(step.now))


def heels_lifted(step: Step) -> Floats:
    """Feet not pressed into the floor: height of the heels over the toes, in foot lengths."""
    foot = f.middle(step.now, "heel") - f.middle(step.now, "toe")
    return held(foot[..., 2] / f.length(foot))


def hips_lifted(step: Step) -> Floats:
    """Hips lifting in the effort: trunk lengths higher than before and after."""
    return bulge(f.middle(step.now, "hip")[..., 2]) / step.trunk_m


def knee_bend(step: Step) -> Floats:
    """Knees bent too much or too straight: degrees in the middle of the phase."""
    return held(f.knee_flexion(step.now))


def knee_bend_at_end(step: Step) -> Floats:
    """Knees bent too much or too little where the phase ends: degrees."""
    return end(f.knee_flexion(step.now))


def knee_bend_at_start(step: Step) -> Floats:
    """Knees already straight as the lift begins: degrees."""
    return within(f.knee_flexion(step.now), 0, 0.12)


def knees_rise(step: Step) -> Floats:
    """Hips held too high or low against the set-up: how many degrees less the knees are bent."""
    return within(f.knee_flexion(step.now), 0.65, 0.9) - opening(f.knee_flexion(step.setup))


def lean(step: Step) -> Floats:
    """Torso too steep or too shallow: degrees from upright."""
    return held(f.trunk_lean(step.now))


def lean_at_end(step: Step) -> Floats:
    """The same where the repetition ends: a bar at the wrong height at the start leans too."""
    return end(f.trunk_lean(step.lowering))


def lean_early(step: Step) -> Floats:
    """Hips rising faster than the bar: degrees that the trunk leans soon after the start."""
    return within(f.trunk_lean(step.now), 0.2, 0.3)


def shoulders_against_after(step: Step) -> Floats:
    """Bar too high or low at the start though the arms are straight: the whole trunk is.

    Height of the upper spine at the start against the end of the repetition, in trunk lengths.
    """
    before, after = (f.joint(p, "upper_spine")[..., 2] for p in (step.setup, step.lowering))
    return (opening(before) - end(after)) / step.trunk_m


def squat_lean(step: Step) -> Floats:
    """Torso too steep or too shallow in a squat: degrees more than at the stand."""
    return within(f.trunk_lean(step.now), 0.5, 1) - held(f.trunk_lean(step.setup))


def hip_height(step: Step) -> Floats:
    """Hips too high or too low: height over the ankles in leg lengths."""
    hip, knee, ankle = (f.middle(step.now, part) for part in ("hip", "knee", "ankle"))
    return held((hip - ankle)[..., 2] / (f.length(hip - knee) + f.length(knee - ankle)))


def bent_at_end(step: Step) -> Floats:
    """Not fully upright: degrees that hips and knees are still bent."""
    return end(f.knee_flexion(step.now) + f.hip_flexion(step.now))


def hips_first(step: Step) -> Floats:
    """Hips rising faster than the bar: their greatest lead over the upper spine, share of the way.

    The upper spine carries the bar, or the straight arms that hold it.
    """
    hips, spine = f.middle(step.now, "hip"), f.joint(step.now, "upper_spine")
    return np.asarray((progress(hips[..., 2]) - progress(spine[..., 2])).max(axis=1))


def knees_first(step: Step) -> Floats:
    """Knees bending too soon: degrees that the shins lean forward early in the lowering."""
    shin = f.middle(step.now, "knee") - f.middle(step.now, "ankle")
    return within(f.pitch(shin), 0.15, 0.4)


def knees_ahead(step: Step) -> Floats:
    """Knees too far forward: shank lengths ahead of the toes at the lowest point."""
    shank = f.length(f.middle(step.now, "knee") - f.middle(step.now, "ankle"))
    return end(f.ahead(step.now, "knee", "toe") / shank)


def knees_in(step: Step) -> Floats:
    """Knees falling in: how far they are outside the line from hip to ankle, lowest point."""
    return end(f.knees_out(step.now))


def _spine_bend(step: Step) -> Floats:
    """Return the bend of each half of the trunk against its whole: (N, S) degrees."""
    share = f.length(f.trunk(step.now)) / step.trunk_m[:, None]
    return np.asarray(np.degrees(np.arccos(np.clip(share, 0, 1))))
