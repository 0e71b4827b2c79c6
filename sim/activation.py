"""How active each recorded muscle is: the torque that it has to give, over what it can give.

    active = muscle_activation(study, subject, body, record, motion)   # (T, channels), 0 to 1

Joint torques are projected on what a muscle does, in the frame of the trunk, so a muscle is found
by the direction of the effort whatever the posture. Lifting (shortening) takes more activation than
lowering the same weight; a little is always there, and a joint under load is steadied from both
sides. The sEMG comes some 50 ms before the torque that it leads to.

How strong a person is in an action comes from what that person lifts once, so 80 % of the maximum
is about equally hard for a novice and for an expert.
"""

from collections.abc import Mapping

import numpy as np
from scipy.signal import butter, sosfiltfilt

from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.skeleton import INDEX, spine_base
from sim.bodies import Body
from sim.motion import SIDES, Motion
from sim.signal_settings import Muscle, load_signals
from sim.study import Floats, Study
from sim.subjects import Subject, max_load_kg
from sim.torque import GRAVITY, joint_torques, place_load
from sim.vectors import unit

_HANGING = 0.25  # sine of the angle below which an arm has no direction to be raised in
_OUT = np.array([-1.0, 1.0])[:, None] * np.eye(3)[[0]]  # abduction turns about forward, by side
_TURN = np.array([-1.0, 1.0])[:, None] * np.eye(3)[[2]]  # horizontal abduction turns about up
_FLEX = np.array([[0.0, -1.0, 0.0]])


def muscle_activation(
    study: Study, subject: Subject, body: Body, record: Annotation, motion: Motion
) -> Floats:
    """Return the activation of every recorded channel: (T, channels), 0 to 1.

    Args:
        study: the study.
        subject: who lifts.
        body: the subject's body.
        record: says which muscles are recorded (`record.semg.channels`).
        motion: T times at equal steps over the clip.

    Raises:
        InputError: a record without sEMG, or a channel that `sim/signals.yaml` does not know.
    """
    if record.semg is None:
        raise InputError([Problem(record.clip, "no sEMG was recorded; semg is missing")])
    signals = load_signals()
    settings = signals.activation
    load = place_load(record.action, motion)
    torques = joint_torques(body, motion, load)
    axes = _axes(motion)
    asked = {name: _along(torques[joint], axis) for name, (joint, axis) in axes.items()}
    speeds = _speeds(motion, axes)
    size = {joint: np.linalg.norm(torque, axis=-1) for joint, torque in torques.items()}
    held = load.each_hand_kg * -GRAVITY[2] * body.length["upper_arm"]
    strength = _strength(study, subject, record.action)
    strength /= signals.load.demand.get(record.action, 1.0)
    columns = []
    for channel in record.semg.channels:
        side, muscle = signals.muscle_of(channel)
        number = SIDES.index(side)
        main = axes[max(muscle.pull, key=lambda name: muscle.pull[name])][0]
        need = sum(share * asked[name][:, number] for name, share in muscle.pull.items())
        torque = np.maximum(need, 0) * _effort(muscle, speeds, number)
        torque += settings.co_contraction * size[main][:, number] + muscle.steady * held
        columns.append(torque / (muscle.maximal_nm * strength * _dominance(study, subject, side)))
    drive = _steadied(np.stack(columns, axis=-1), motion.times_s) + settings.tonic
    moved = motion.times_s + settings.lead_s
    early = [np.interp(moved, motion.times_s, column) for column in drive.T]
    return _saturated(np.stack(early, axis=-1))


def _strength(study: Study, subject: Subject, action: str) -> float:
    """Return what a person can give in an action, as a multiple of the middle amateur."""
    maximum_kg = max_load_kg(study, subject, action)
    if maximum_kg is None:
        return subject.strength
    return maximum_kg / study.settings.loads.maximum_kg[action].amateur


def _dominance(study: Study, subject: Subject, side: str) -> float:
    sd = load_signals().activation.dominance_sd
    right = study.draws("dominance", subject.id).normal(scale=sd)
    return float(np.exp(right / 2 if side == "right" else -right / 2))


def _axes(motion: Motion) -> Mapping[str, tuple[str, Floats]]:
    """Return action → its joint and the axis it turns the limb about: (T, 2, 3) in world axes."""
    joints = motion.joints
    trunk = _trunk_frame(joints)
    arm, forearm = _limb(joints, "shoulder", "elbow"), _limb(joints, "elbow", "wrist")

    def fixed(axis: Floats) -> Floats:
        return np.asarray(np.broadcast_to(axis, (2, 3)) @ trunk)

    def across_arm(axis: Floats) -> Floats:
        # What turns the arm about its own length is the work of other muscles.
        return np.asarray(axis - (axis * arm).sum(axis=-1, keepdims=True) * arm)

    flexion, abduction = across_arm(fixed(_FLEX)), across_arm(fixed(_OUT))
    turning = across_arm(fixed(_TURN))
    down = fixed(np.array([[0.0, 0.0, -1.0]]))
    raising = np.cross(down, arm)
    raising /= np.maximum(np.linalg.norm(raising, axis=-1, keepdims=True), _HANGING)
    bending = unit(np.cross(arm, forearm))
    leg = fixed(_FLEX)
    return {
        "shoulder flexion": ("shoulder", flexion),
        "shoulder extension": ("shoulder", -flexion),
        "shoulder abduction": ("shoulder", abduction),
        "shoulder adduction": ("shoulder", -abduction),
        "shoulder elevation": ("shoulder", raising),
        "horizontal abduction": ("shoulder", turning),
        "horizontal adduction": ("shoulder", -turning),
        "elbow flexion": ("elbow", bending),
        "elbow extension": ("elbow", -bending),
        "hip extension": ("hip", -leg),
        "knee extension": ("knee", leg),
        "knee flexion": ("knee", -leg),
    }


def _speeds(motion: Motion, axes: Mapping[str, tuple[str, Floats]]) -> Mapping[str, Floats]:
    """Return action → how fast the joint turns that way: (T, 2) rad/s."""
    joints = motion.joints
    bones = {
        "trunk": np.repeat(_trunk_frame(joints)[:, [2]], 2, axis=1),
        "arm": _limb(joints, "shoulder", "elbow"),
        "forearm": _limb(joints, "elbow", "wrist"),
        "thigh": _limb(joints, "hip", "knee"),
        "shank": _limb(joints, "knee", "ankle"),
    }
    if len(joints) < 2:
        return {name: np.zeros((len(joints), 2)) for name in axes}
    turning = {
        name: np.cross(bone, np.gradient(bone, motion.times_s, axis=0))
        for name, bone in bones.items()
    }
    pairs = {
        "shoulder": ("arm", "trunk"),
        "elbow": ("forearm", "arm"),
        "hip": ("thigh", "trunk"),
        "knee": ("shank", "thigh"),
    }
    return {
        name: _along(turning[pairs[joint][0]] - turning[pairs[joint][1]], axis)
        for name, (joint, axis) in axes.items()
    }


def _effort(muscle: Muscle, speeds: Mapping[str, Floats], side: int) -> Floats:
    """Return activation for each unit of torque: (T,), above 1 while the muscle shortens."""
    settings = load_signals().activation
    total = sum(muscle.pull.values())
    speed = sum(share / total * speeds[name][:, side] for name, share in muscle.pull.items())
    course = np.tanh(speed / settings.speed_rad_s)
    return 1 + np.where(course > 0, settings.shortening, settings.lengthening) * course


def _steadied(drive: Floats, times_s: Floats) -> Floats:
    """Take out what changes faster than a muscle's drive does."""
    rate_hz = (len(times_s) - 1) / (times_s[-1] - times_s[0])
    cut_hz = load_signals().activation.smooth_hz
    if cut_hz >= rate_hz / 2:
        return drive
    sections = butter(2, cut_hz, fs=rate_hz, output="sos")
    smooth: Floats = sosfiltfilt(sections, drive, axis=0, padlen=min(len(drive) - 1, 15))
    return np.maximum(smooth, 0)


def _saturated(drive: Floats) -> Floats:
    power = load_signals().activation.saturation
    return drive / (1 + drive**power) ** (1 / power)


def _trunk_frame(joints: Floats) -> Floats:
    """Return the trunk's own axes as rows: forward, left, up, (T, 3, 3) in world axes."""
    up = unit(joints[:, INDEX["upper_spine"]] - spine_base(joints))
    across = joints[:, INDEX["left_shoulder"]] - joints[:, INDEX["right_shoulder"]]
    forward = unit(np.cross(across, up))
    return np.stack([forward, np.cross(up, forward), up], axis=1)


def _limb(joints: Floats, near: str, far: str) -> Floats:
    """Return the directions of a bone of both sides: (T, 2, 3) of length 1."""
    ends = [[INDEX[f"{side}_{part}"] for side in SIDES] for part in (near, far)]
    return unit(joints[:, ends[1]] - joints[:, ends[0]])


def _along(vectors: Floats, axis: Floats) -> Floats:
    return np.asarray((vectors * axis).sum(axis=-1))
