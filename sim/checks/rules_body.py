"""Rules for feet, legs, hips, trunk, shoulders and head, one number a clip.

Written from the descriptions and standards of the knowledge graph: what a coach would look at, set
against the person's own body or the person's own other phases. Table: `sim.checks.rules`.
"""

import numpy as np

from sim.checks import features as f
from sim.checks.step import Step, bulge, end, held, start, sway
from sim.study import Floats


def stance_width(step: Step) -> Floats:
    """Feet too close or too far apart: ankle distance in shoulder widths."""
    return np.asarray(held(f.gap(step.setup, "ankle")) / f.shoulder_width(step.phases))


def shoulders_set(step: Step) -> Floats:
    """Shoulders raised or not drawn back and down: how far they are from the upper spine."""
    return np.asarray(np.linalg.norm(held(f.shoulder_shift(step.now)), axis=-1))


def shoulders_moved(step: Step) -> Floats:
    """Shoulders pushed forward or up in the effort: how far they leave their place at rest."""
    here, rest = held(f.shoulder_shift(step.now)), held(f.shoulder_shift(step.setup))
    return np.asarray(np.linalg.norm(here - rest, axis=-1))


def spine_bent(step: Step) -> Floats:
    """Whole spine bent: neck and head lean out of the trunk's line, degrees."""
    return held(f.neck_bend(step.now))


def spine_bent_now(step: Step) -> Floats:
    """Spine bent in this phase: neck and head lean more than in the corresponding other phase."""
    return held(f.neck_bend(step.now) - f.neck_bend(step.back))


def rocking(step: Step) -> Floats:
    """Trunk rocking forward and back: degrees of lean to and fro."""
    return sway(f.trunk_lean(step.now))


def body_help(step: Step) -> Floats:
    """Push from the knees or backward lean: knees that give early, trunk that goes back."""
    early = step.now[:, :28]
    knees = f.knee_flexion(early)
    lean = f.trunk_lean(early)
    return np.asarray(np.maximum(knees.max(axis=1) - knees[:, 0], lean[:, 0] - lean.min(axis=1)))


def heels_lifted(step: Step) -> Floats:
    """Feet not pressed into the floor: heel above toe, in foot lengths."""
    heel, toe = f.middle(step.now, "heel"), f.middle(step.now, "toe")
    return held((heel - toe)[..., 2]) / held(np.linalg.norm(heel - toe, axis=-1))


def hips_lifted(step: Step) -> Floats:
    """Hips lifting off the bench: rise of the hips in the phase, in trunk lengths."""
    hips = f.middle(step.now, "hip")[..., 2] / f.trunk_length(step.phases)[:, None]
    return bulge(hips)


def head_moved(step: Step) -> Floats:
    """Head lifted or pushed forward: neck and head lean more in the middle of the phase."""
    return bulge(f.neck_bend(step.now))


def head_forward(step: Step) -> Floats:
    """Head pushed forward of the trunk: more than at rest, in trunk lengths."""
    return held(f.head_ahead(step.now)) - held(f.head_ahead(step.setup))


def knee_bend(step: Step) -> Floats:
    """Knees bent too much or pushed straight: degrees."""
    return held(f.knee_flexion(step.now))


def knee_bend_end(step: Step) -> Floats:
    return end(f.knee_flexion(step.now))


def lean(step: Step) -> Floats:
    """Torso too steep or too shallow: degrees."""
    return held(f.trunk_lean(step.now))


def lean_end(step: Step) -> Floats:
    return end(f.trunk_lean(step.now))


def squat_depth(step: Step) -> Floats:
    """Bar not lowered far enough: knee flexion at the lowest point."""
    return end(f.knee_flexion(step.now))


def stood_up(step: Step) -> Floats:
    """Bar not raised far enough: hips and knees still bent at the end."""
    return end(f.knee_flexion(step.now) + f.hip_flexion(step.now))


def hips_first(step: Step) -> Floats:
    """Hips rising faster than the bar: largest lead of the hips' way over the shoulders'."""
    hips, bar = f.middle(step.now, "hip")[..., 2], f.joint(step.now, "upper_spine")[..., 2]
    return (f.progress(hips) - f.progress(bar)).max(axis=1)


def shoulders_tipped(step: Step) -> Floats:
    """Shoulders tipped forward or backward: shift ahead of the spine."""
    return held(f.shoulder_shift(step.now)[..., 0])


def knees_early(step: Step) -> Floats:
    """Knees bending too soon: share of knee bend that comes before the hips'."""
    return (f.knee_flexion(step.now) - f.knee_flexion(step.back)).max(axis=1)


def knees_ahead(step: Step) -> Floats:
    """Knees too far forward: knees ahead of the toes at the lowest point, in shank lengths."""
    knee, toe, ankle = (f.middle(step.now, part) for part in ("knee", "toe", "ankle"))
    return end((knee - toe)[..., 0] / np.linalg.norm(knee - ankle, axis=-1))


def knees_in(step: Step) -> Floats:
    """Knees falling in: knee distance over ankle distance at the lowest point."""
    return end(f.gap(step.now, "knee") / f.gap(step.now, "ankle"))


def hip_height(step: Step) -> Floats:
    """Hips too high or too low: height of the hips over the ankles in leg lengths."""
    hip, knee, ankle = (f.middle(step.now, part) for part in ("hip", "knee", "ankle"))
    leg = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
    return held((hip - ankle)[..., 2] / leg)


def knees_locked(step: Step) -> Floats:
    """Knees locked while they should extend: flexion in the phase."""
    return held(f.knee_flexion(step.now))
