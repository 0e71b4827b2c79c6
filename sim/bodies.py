"""Anthropometry: how long the segments of a subject are, how heavy, how thick.

    body = build_body(study, subject)
    body.length["thigh"]        # metres

Mean proportions are those of Drillis and Contini as printed by Winter (Biomechanics and Motor
Control of Human Movement, table and figure 4.1), hip joint centres excepted, which lie closer
together than the hips are wide. Everything of a subject is drawn from the subject's id, so the
same person has the same body in every clip.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sim.study import Study
from sim.subjects import Subject

# Share of the stature. The hand reaches to the middle of the grip, the foot from heel to toe.
_PROPORTIONS = {
    "shank": 0.246,
    "thigh": 0.245,
    "ankle_height": 0.039,
    "heel": 0.038,
    "toe": 0.114,
    "hip_half": 0.050,
    "trunk": 0.288,
    "shoulder_half": 0.113,
    "neck": 0.056,
    "head": 0.066,
    "upper_arm": 0.172,
    "forearm": 0.146,
    "hand": 0.048,
}
_STATURE_M, _STATURE_SD = 1.755, 0.062
_SEGMENT_SD = 0.022
_BODY_MASS_INDEX = {"novice": 22.6, "amateur": 24.0, "expert": 25.6}
_BODY_MASS_INDEX_SD = 1.9


@dataclass(frozen=True)
class Body:
    """A subject's body.

    Attributes:
        subject: id of the subject.
        stature_m: height.
        mass_kg: mass without load.
        length: segment → length in metres: shank, thigh, ankle_height, heel, toe, hip_half,
            trunk (hip midpoint to upper spine), shoulder_half, neck, head, upper_arm, forearm,
            hand (wrist to the middle of the grip).
        girth: how thick the body is, as a multiple of the usual at this stature.
    """

    subject: str
    stature_m: float
    mass_kg: float
    length: Mapping[str, float]
    girth: float


def build_body(study: Study, subject: Subject) -> Body:
    """Return the body of a subject."""
    draws = study.draws("body", subject.id)
    stature_m = float(draws.normal(_STATURE_M, _STATURE_SD))
    index = float(draws.normal(_BODY_MASS_INDEX[subject.skill], _BODY_MASS_INDEX_SD))
    own = draws.normal(1.0, _SEGMENT_SD, size=len(_PROPORTIONS)).tolist()
    length = {
        name: stature_m * share * factor
        for (name, share), factor in zip(_PROPORTIONS.items(), own, strict=True)
    }
    mass_kg = index * stature_m**2
    return Body(subject.id, stature_m, mass_kg, length, girth=float((index / 23.5) ** 0.5))
