"""Writes the recordings of one clip into the authors' layout; what is there already is kept.

ROOT/Skeleton/A01/001/skeleton_points.csv      header, 103 rows of 21 joints × xyz, metres
ROOT/EMG/A01/001/EMG.csv                       no header, 2000 Hz, millivolts
ROOT/Physiology/A01/001/physiology.csv         ours: heart rate, breathing rate, chest volume
ROOT/A01/001/View-1.mp4                        or View-1/img_00001.JPG … img_00103.JPG
ROOT/Cameras/A01/001/cameras.json              ours: where the cameras of these views stood

Every file is written under another name and then moved, so one that is there is complete.
"""

from pathlib import Path

import numpy as np

from flex.dataset import semg_path, skeleton_path
from flex.files import atomic_write, write_text
from flex.physiology import physiology_path
from flex.sample import Annotation
from flex.skeleton import JOINTS
from sim.bodies import build_body
from sim.calibration import write_calibration
from sim.film import Video, film
from sim.lift import Stage, frame_times, lift
from sim.motion import Motion
from sim.physiology import physiology_table
from sim.semg import simulate_semg
from sim.study import Floats

MOTION_RATE_HZ = 60.0  # of what the signals are computed from
HEADER = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")


def write_clip(stage: Stage, root: Path, record: Annotation, video: Video | None) -> None:
    """Write whatever of a clip's recordings is not there yet."""
    subject = stage.subject(record)
    assert record.duration_s is not None
    skeleton, semg = skeleton_path(root, record.clip), semg_path(root, record.clip)
    body_signals = physiology_path(root, record.clip)
    if not skeleton.exists():
        _write_skeleton(skeleton, lift(stage, subject, record, frame_times(record)))
    if record.semg and not semg.exists():
        times_s = np.arange(0, record.duration_s, 1 / MOTION_RATE_HZ)
        motion = lift(stage, subject, record, times_s)
        body = build_body(stage.study, subject)
        write_numbers(semg, simulate_semg(stage.study, subject, body, record, motion), "%.4f")
    if not body_signals.exists():
        write_text(body_signals, physiology_table(stage.study, subject, record))
    if video is not None:
        write_calibration(stage, root, record, video)
        film(stage, root, record, video)


def _write_skeleton(path: Path, motion: Motion) -> None:
    write_numbers(path, motion.joints.reshape(len(motion.joints), -1), "%.5f", HEADER)


def write_numbers(path: Path, rows: Floats, number: str, header: str = "") -> None:
    """Write (N, columns) as CSV, atomically; `number` is the format of a cell, such as "%.4f"."""
    line = ",".join([number] * rows.shape[1]) + "\n"
    with atomic_write(path) as stream:
        if header:
            stream.write(header + "\n")
        # One format for all cells at once: several times as fast as row by row.
        stream.write(line * len(rows) % tuple(rows.ravel().tolist()))
