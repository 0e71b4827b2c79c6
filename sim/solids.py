"""A body and its equipment as solids: what there is to draw at each time of a motion.

    solids = build_solids(motion, body, look, chest)      # arrays over T times and N solids

A body is rounded cones, flattened where people are flat, and a few ellipsoids. The trunk follows
the spine through the lumbar point, so that a hollow back shows; thumbs close around the handle or
lie beside it. Radii are in metres for a stature of 1.755 m and a usual girth.
"""

from itertools import pairwise

import numpy as np

from sim.bodies import Body
from sim.looks import Colour, Look
from sim.motion import SIDES, Motion
from sim.shapes import BALL, CLOTH, MAT, SKIN, Pile, Solids, across, add_equipment, joint
from sim.study import Floats
from sim.vectors import unit

_STATURE_M = 1.755
# Along the spine from the hips to the upper spine: half width, half depth.
_TRUNK = ((0.160, 0.115), (0.150, 0.112), (0.138, 0.103), (0.150, 0.112), (0.168, 0.122),
          (0.155, 0.105))  # fmt: skip
_FINGERS = (-0.031, -0.010, 0.011, 0.031)  # along the handle, metres


def build_solids(motion: Motion, body: Body, look: Look, chest: Floats) -> Solids:
    """Return the solids of a motion.

    Args:
        motion: over T times.
        body: whose body it is.
        look: how the person is dressed, and what the equipment looks like.
        chest: (T,) how full of air the chest is, 0 to 1.
    """
    pile = Pile(len(motion.times_s))
    scale = body.stature_m / _STATURE_M
    _add_trunk(pile, motion, look, scale, scale * body.girth, chest)
    _add_head(pile, motion, look, scale)
    for side in SIDES:
        _add_arm(pile, motion, look, scale * body.girth, side)
        _add_hand(pile, motion, look, scale, side)
        _add_leg(pile, motion, look, scale * body.girth, side)
    add_equipment(pile, motion, look)
    return pile.solids()


def _add_trunk(
    pile: Pile, motion: Motion, look: Look, scale: float, thick: float, chest: Floats
) -> None:
    wear = look.outfit
    hips = (joint(motion, "right_hip") + joint(motion, "left_hip")) / 2
    top = joint(motion, "upper_spine")
    hip_left = unit(joint(motion, "left_hip") - joint(motion, "right_hip"))
    left = unit(joint(motion, "left_shoulder") - joint(motion, "right_shoulder"))
    points = []
    for share in np.linspace(0, 0.88, len(_TRUNK)):
        # The parabola through the hips, the lumbar point half-way and the upper spine.
        a, b, c = (1 - share) * (1 - 2 * share), 4 * share * (1 - share), share * (2 * share - 1)
        points.append(a * hips + b * motion.lumbar + c * top)
    for n, ((wide, deep), (wide2, deep2)) in enumerate(pairwise(_TRUNK)):
        share = n / (len(_TRUNK) - 2)
        colour = wear.bottom if n == 0 else wear.top
        breath = 1 + 0.09 * chest * max(0.0, share * 1.6 - 0.6)
        flat = (deep + deep2) / (wide + wide2) * breath
        leftward = (1 - share) * hip_left + share * left
        radii = (wide * thick, wide2 * thick)
        pile.cone(points[n], points[n + 1], radii, colour, CLOTH, leftward, flat, 0.55)
    up = unit(points[-1] - points[-3])
    front = np.cross(left, up)
    swell = (0.064 * thick + 0.010 * chest)[:, None]
    for sign, side in ((-1, "right"), (1, "left")):
        breast = points[-2] + up * 0.045 * scale + front * swell + left * sign * 0.072 * thick
        half = (0.088 * thick, 0.046 * thick, 0.068 * thick)
        pile.block(BALL, breast, up, left, half, wear.top, CLOTH)
        shoulder, hip = joint(motion, f"{side}_shoulder"), joint(motion, f"{side}_hip")
        pile.cone(top, shoulder, (0.070 * thick, 0.060 * thick), wear.top, CLOTH)
        back = np.cross(unit(motion.lumbar - hips), hip_left)
        seat = hip + back * 0.035 * thick - unit(motion.lumbar - hips) * 0.02
        pile.block(
            BALL, seat, up, hip_left, (0.092 * thick, 0.09 * thick, 0.10 * thick),
            wear.bottom, CLOTH,
        )  # fmt: skip
        nape = top + 0.5 * (joint(motion, "neck") - top)
        trap = top + 0.72 * (shoulder - top) + up * 0.012
        pile.cone(nape, trap, (0.055 * thick, 0.048 * thick), wear.skin, SKIN)


def _add_head(pile: Pile, motion: Motion, look: Look, scale: float) -> None:
    wear = look.outfit
    top, neck, head = (joint(motion, name) for name in ("upper_spine", "neck", "head"))
    left = unit(joint(motion, "left_shoulder") - joint(motion, "right_shoulder"))
    up = unit(head - neck)
    left = across(up, left)
    front = np.cross(left, up)

    def at(forward: float, upward: float, leftward: float = 0.0) -> Floats:
        return np.asarray(head + scale * (forward * front + upward * up + leftward * left))

    def ball(centre: Floats, half_m: tuple[float, float, float], colour: Colour) -> None:
        pile.block(
            BALL, centre, up, left, (half_m[0] * scale, half_m[1] * scale, half_m[2] * scale),
            colour, SKIN,
        )  # fmt: skip

    pile.cone(top, neck, (0.062 * scale, 0.056 * scale), wear.skin, SKIN)
    pile.cone(neck, at(-0.01, -0.03), (0.056 * scale, 0.055 * scale), wear.skin, SKIN)
    ball(at(-0.005, 0.020), (0.076, 0.096, 0.105), wear.skin)
    pile.cone(at(0.005, -0.01), at(0.046, -0.078), (0.070 * scale, 0.038 * scale), wear.skin, SKIN)
    pile.cone(at(0.086, 0.02), at(0.104, -0.018), (0.009, 0.015), wear.skin, SKIN)
    ball(at(0.078, -0.060), (0.021, 0.008, 0.006), (wear.skin[0] * 0.6, *wear.skin[1:]))
    for sign in (-1, 1):
        ball(at(0.0, -0.005, sign * 0.078), (0.010, 0.020, 0.032), wear.skin)
        ball(at(0.081, 0.022, sign * 0.031), (0.014, 0.010, 0.008), (0.03, 0.02, 0.02))
        ball(at(0.076, 0.045, sign * 0.030), (0.017, 0.009, 0.005), wear.hair)
    for (forward, upward), half_m in look.outfit.hair_balls:
        ball(at(forward, upward), half_m, wear.hair)


def _add_arm(pile: Pile, motion: Motion, look: Look, thick: float, side: str) -> None:
    wear = look.outfit
    shoulder, elbow, wrist = (
        joint(motion, f"{side}_{name}") for name in ("shoulder", "elbow", "wrist")
    )
    sleeve, bare = (wear.top, CLOTH), (wear.skin, SKIN)
    covered = sleeve if wear.sleeves else bare
    cuff = shoulder + 0.45 * (elbow - shoulder)
    belly = shoulder + 0.55 * (elbow - shoulder)
    pile.cone(shoulder, cuff, (0.066 * thick, 0.056 * thick), *covered)
    pile.cone(shoulder, belly, (0.060 * thick, 0.051 * thick), *bare)
    pile.cone(belly, elbow, (0.051 * thick, 0.039 * thick), *bare)
    bulge = elbow + 0.25 * (wrist - elbow)
    pile.cone(elbow, bulge, (0.039 * thick, 0.045 * thick), *bare)
    pile.cone(bulge, wrist, (0.045 * thick, 0.029 * thick), *bare)


def _add_hand(pile: Pile, motion: Motion, look: Look, scale: float, side: str) -> None:
    """Add palm, curled fingers and thumb of a hand around its handle."""
    n = SIDES.index(side)
    wrist, grip = joint(motion, f"{side}_wrist"), joint(motion, f"{side}_hand")
    palm = across(motion.handles[:, n], motion.palms[:, n])
    fingers = np.cross(palm, motion.handles[:, n])
    # Either end of the handle may be meant; fingers point away from the wrist.
    fingers = fingers * np.where((fingers * (grip - wrist)).sum(-1) < 0, -1.0, 1.0)[:, None]
    index = np.cross(fingers, palm) * (1 if side == "right" else -1)  # the thumb's side

    def at(outward: float, onward: float, sideward: float) -> Floats:
        offset = outward * palm + onward * fingers + sideward * index
        return np.asarray(grip + scale * offset)

    skin = (look.outfit.skin, SKIN)
    pile.cone(
        wrist, at(-0.026, 0.026, 0.0), (0.030 * scale, 0.042 * scale), *skin, index, 0.48
    )  # fmt: skip
    for sideward in _FINGERS:
        knuckle, tip = at(-0.020, 0.036, sideward), at(0.026, -0.016, sideward)
        bend = at(0.024, 0.030, sideward)
        pile.cone(knuckle, bend, (0.0115 * scale, 0.0105 * scale), *skin)
        pile.cone(bend, tip, (0.0105 * scale, 0.009 * scale), *skin)
    is_open = motion.thumbs[:, None]
    root = at(-0.026, -0.030, 0.030)
    knuckle = (1 - is_open) * at(0.010, -0.036, 0.044) + is_open * at(-0.022, 0.018, 0.052)
    tip = (1 - is_open) * at(0.038, 0.012, 0.030) + is_open * at(-0.016, 0.066, 0.054)
    pile.cone(root, knuckle, (0.017 * scale, 0.014 * scale), *skin)
    pile.cone(knuckle, tip, (0.014 * scale, 0.012 * scale), *skin)


def _add_leg(pile: Pile, motion: Motion, look: Look, thick: float, side: str) -> None:
    wear = look.outfit
    hip, knee, ankle, heel, toe = (
        joint(motion, f"{side}_{name}") for name in ("hip", "knee", "ankle", "heel", "toe")
    )
    cloth, bare = (wear.bottom, CLOTH), (wear.skin, SKIN)
    shin = cloth if wear.trousers else bare
    hem = hip + 0.62 * (knee - hip)
    loose = 1.08 if wear.trousers else 1.0
    pile.cone(hip, hem, (0.098 * thick, 0.078 * thick), *cloth)
    pile.cone(hem, knee, (0.070 * thick * loose, 0.055 * thick * loose), *shin)
    calf = knee + 0.30 * (ankle - knee)
    behind = across(unit(ankle - knee), heel - toe) * 0.012
    pile.cone(knee, calf + behind, (0.054 * thick * loose, 0.059 * thick * loose), *shin)
    pile.cone(calf + behind, ankle, (0.059 * thick * loose, 0.037 * thick * loose), *shin)
    sole = np.cross(unit(toe - heel), unit(np.cross(ankle - heel, toe - heel)))
    sole = sole * np.where((sole * (ankle - heel)).sum(-1) < 0, -1.0, 1.0)[:, None]
    wide = np.cross(sole, unit(toe - heel))
    pile.cone(ankle, ankle + 0.12 * (knee - ankle), (0.043, 0.041), wear.socks, CLOTH)
    upper = heel + 0.25 * (toe - heel) + sole * 0.022
    pile.cone(ankle - sole * 0.01, upper, (0.043, 0.042), wear.shoes)
    pile.cone(upper, toe + sole * 0.016 - unit(toe - heel) * 0.03, (0.044, 0.040), wear.shoes,
              SKIN, wide, 0.80)  # fmt: skip
    pile.cone(heel + unit(toe - heel) * 0.01, toe - unit(toe - heel) * 0.03, (0.041, 0.046),
              wear.soles, MAT, wide, 0.42)  # fmt: skip
