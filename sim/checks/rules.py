"""Which rule answers for which error: error type → measurement, with what differs by exercise.

    rule = find_rule("A16", Occurrence("AK44", "ET056"))
    rule(step)      # (N,), too high or too low where the error shows

Keys are an error type, or an error type with a key step, an action, or both; the most exact wins.
"""

from collections.abc import Callable

from flex.graph import Occurrence
from sim.checks import rules_arms as arms
from sim.checks import rules_body as body
from sim.checks.step import Step
from sim.study import Floats

Rule = Callable[[Step], Floats]

RULES: dict[str, Rule] = {
    "ET001": body.stance_width,
    "ET003": body.spine_bent,
    "ET004": body.shoulders_off,
    "ET004 AK48": body.shoulders_off_late,
    "ET005": body.rocking,
    "ET007": arms.grip_width,
    "ET007 A19": arms.hanging_width,
    "ET007 A20": arms.hanging_width,
    "ET008": arms.elbow_bend,
    "ET008 A03:AK02": arms.elbow_flexion,
    "ET008 AK47": arms.elbow_flexion,
    "ET008 AK04": arms.elbow_bend_late,
    "ET008 AK09": arms.elbow_bend_late,
    "ET008 AK12": arms.elbow_bend_late,
    "ET008 AK14": arms.elbow_bend_through,
    "ET008 AK15": arms.elbow_bend_through,
    "ET008 AK18": arms.elbow_bend_late,
    "ET008 AK20": arms.elbow_bend_through,
    "ET008 AK23": arms.elbow_bend_through,
    "ET008 AK27": arms.elbow_flexion_end,
    "ET008 AK31": arms.elbow_flexion_early,
    "ET008 AK34": arms.elbow_bend_through,
    "ET008 AK35": arms.elbow_bend_through,
    "ET008 AK38": arms.elbow_flexion_early,
    "ET008 AK52": arms.straighter_elbow_end,
    "ET009": arms.wrist_bend,
    "ET010": arms.hands_at_start,
    "ET010 AK10": body.shoulders_against_after,
    "ET010 AK43": arms.bar_on_back,
    "ET010 AK47": body.shoulders_against_after,
    "ET011": arms.forearms_out,
    "ET011 A01": arms.forearms_ahead,
    "ET013": arms.arm_spread,
    "ET013 AK03": arms.elbow_gap,
    "ET013 AK04": arms.elbow_turn,
    "ET013 AK05": arms.elbows_out,
    "ET013 AK37": arms.arm_spread_end,
    "ET013 AK47": arms.elbows_out,
    "ET015": body.body_help,
    "ET016": body.head_pushed,
    "ET018": arms.descent_time,
    "ET018 A13": arms.descent_over_lift_time,
    "ET019": arms.bar_over_body,
    "ET019 A01": arms.hands_at_end,
    "ET019 A02": arms.elbow_flexion_end,
    "ET019 A03": arms.hands_at_end,
    "ET020": arms.arm_pitch,
    "ET020 A02:AK07": arms.hands_ahead_at_start,
    "ET021": arms.arm_spread,
    "ET021 A02": arms.elbows_flare,
    "ET021 AK54": arms.arm_spread_more,
    "ET022": body.shoulders_off,
    "ET023": arms.arm_pitch_end,
    "ET024": arms.elbows_at_end,
    "ET025": arms.bar_bulge,
    "ET025 A15": arms.bar_range,
    "ET027": arms.elbow_off_arc,
    "ET028": arms.hands_at_end,
    "ET028 A04": arms.armpit_end,
    "ET028 A05": arms.elbow_flexion_end,
    "ET029": arms.arm_swing_end,
    "ET031": arms.arm_swing,
    "ET032": body.knee_bend,
    "ET032 A16": body.knee_bend_at_end,
    "ET033": body.lean,
    "ET033 A17": body.lean_at_end,
    "ET033 A18": body.lean_at_end,
    "ET033 A16": body.squat_lean,
    "ET034": body.shoulders_off,
    "ET035": arms.elbows_at_end,
    "ET036": body.heels_lifted,
    "ET038": arms.arm_plane_end,
    "ET038 AK32": arms.arm_spread_end,
    "ET038 AK48": arms.elbows_out_end,
    "ET039": arms.elbow_flexion_end,
    "ET039 A16": body.knee_bend_at_end,
    "ET040": body.hips_lifted,
    "ET041": body.head_lifted,
    "ET042": body.shoulders_off,
    "ET043": arms.tilt,
    "ET044": arms.arm_swing_end,
    "ET044 A15": body.bent_at_end,
    "ET044 AK48": arms.hands_at_end,
    "ET045": arms.arm_swing,
    "ET045 A13": arms.elbows_at_start,
    "ET046": arms.forearms_out_end,
    "ET046 A13": arms.hand_gap_end,
    "ET047": arms.uneven,
    "ET048": arms.elbows_at_end,
    "ET048 A13": arms.higher_elbow_at_end,
    "ET048 A19": arms.elbow_flexion_end,
    "ET048 A20": arms.arm_pitch_end,
    "ET049": arms.elbows_at_end,
    "ET049 A14": arms.more_bent_elbow_end,
    "ET049 A19": arms.further_arm_pitch_end,
    "ET049 A20": arms.more_bent_elbow_end,
    "ET050": arms.uneven,
    "ET050 A14": arms.uneven_midway,
    "ET050 A19": arms.uneven_elbows_end,
    "ET050 A20": arms.uneven_elbows_end,
    "ET051": arms.bar_ahead,
    "ET052": body.hips_first,
    "ET052 A15": body.lean_early,
    "ET053": body.shoulders_tipped,
    "ET054": body.knees_first,
    "ET055": body.knees_ahead,
    "ET056": body.knees_in,
    "ET058": body.hip_height,
    "ET058 A19": body.knees_rise,
    "ET059": arms.elbow_flexion,
    "ET059 AK55": arms.more_bent_elbow_end,
    "ET060": arms.elbow_flexion_end,
    "ET061": body.stance_width,
    "ET062": arms.bar_ahead,
    "ET063": body.knee_bend_at_start,
    "ET063 AK42": body.knee_bend_at_end,
}


def find_rule(action: str, item: Occurrence) -> Rule:
    """Return the rule of an error at its key step in an action.

    Raises:
        KeyError: there is no rule for the error type.
    """
    key_step, error_type = item
    for place in (f"{action}:{key_step}", action, key_step):
        if (exact := f"{error_type} {place}") in RULES:
            return RULES[exact]
    return RULES[error_type]
