"""Writes the recordings of one clip into the authors' layout; what is there already is kept.

ROOT/Skeleton/A01/001/skeleton_points.csv      header, 103 rows of 21 joints × xyz, metres
ROOT/EMG/A01/001/EMG.csv                       no header, 2000 Hz, millivolts
ROOT/Physiology/A01/001/physiology.csv         ours: heart rate, breathing rate, chest volume
ROOT/A01/001/View-1.mp4                        or View-1/img_00001.JPG … img_00103.JPG

Every file is written under another name and then moved, so one that is there is complete.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from flex.dataset import FRAMES_PER_CLIP, semg_path, skeleton_path
from flex.files import atomic_write, write_text
from flex.physiology import physiology_path
from flex.sample import Annotation
from flex.skeleton import JOINTS
from sim.bodies import build_body
from sim.breathing import chest_volume
from sim.lift import Stage, frame_times, lift
from sim.motion import Motion
from sim.physiology import physiology_table
from sim.semg import simulate_semg
from sim.study import Floats
from sim.subjects import Subject

Media = Literal["mp4", "jpeg"]
_MOTION_RATE_HZ = 60.0  # of what the signals are computed from
_HEADER = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")


@dataclass(frozen=True)
class Video:
    """How clips are filmed.

    Attributes:
        views: numbers of the cameras, 1 to 5.
        size: width and height in pixels.
        fps: frames a second of an mp4; JPEG frames are always 103 a clip.
        plain: one look for all people and rooms, to see what that changes.
    """

    views: tuple[int, ...] = (1, 2)
    size: int = 224
    fps: float = 30.0
    media: Media = "mp4"
    plain: bool = False

    def path(self, clip: str, view: int) -> str:
        """Return where a view of a clip lies, relative to the data folder."""
        return f"{clip}/View-{view}" + (".mp4" if self.media == "mp4" else "")


def write_clip(stage: Stage, root: Path, record: Annotation, video: Video | None) -> None:
    """Write whatever of a clip's recordings is not there yet."""
    subject = stage.subject(record)
    assert record.duration_s is not None
    skeleton, semg = skeleton_path(root, record.clip), semg_path(root, record.clip)
    body_signals = physiology_path(root, record.clip)
    if not skeleton.exists():
        _write_skeleton(skeleton, lift(stage, subject, record, frame_times(record)))
    if record.semg and not semg.exists():
        times_s = np.arange(0, record.duration_s, 1 / _MOTION_RATE_HZ)
        motion = lift(stage, subject, record, times_s)
        body = build_body(stage.study, subject)
        _write_numbers(semg, simulate_semg(stage.study, subject, body, record, motion), "%.4f")
    if not body_signals.exists():
        write_text(body_signals, physiology_table(stage.study, subject, record))
    if video is not None:
        _film(stage, root, record, subject, video)


def _write_skeleton(path: Path, motion: Motion) -> None:
    _write_numbers(path, motion.joints.reshape(len(motion.joints), -1), "%.5f", _HEADER)


def _write_numbers(path: Path, rows: Floats, number: str, header: str = "") -> None:
    line = ",".join([number] * rows.shape[1]) + "\n"
    with atomic_write(path) as stream:
        if header:
            stream.write(header + "\n")
        # One format for all cells at once: several times as fast as row by row.
        stream.write(line * len(rows) % tuple(rows.ravel().tolist()))


def _film(stage: Stage, root: Path, record: Annotation, subject: Subject, video: Video) -> None:
    missing = [view for view in video.views if not (root / video.path(record.clip, view)).exists()]
    if not missing:
        return
    from sim.video import film

    assert record.duration_s is not None
    count = FRAMES_PER_CLIP
    if video.media == "mp4":
        count = video_frames(record, video.fps)
    times_s = frame_times(record, count)
    motion = lift(stage, subject, record, times_s)
    chest = chest_volume(stage.study, record, times_s)
    for view in missing:
        film(stage.study, subject, record, motion, chest, view, video, root)


def video_frames(record: Annotation, fps: float) -> int:
    """Return how many frames an mp4 of a clip has."""
    return max(2, round((record.duration_s or 0.0) * fps))
