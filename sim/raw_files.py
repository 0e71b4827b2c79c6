"""Writes whole sets as a raw folder, the form in which `python -m flex prepare` takes them.

RAW/N03-A16/recording.yaml     what was recorded, with rates
RAW/N03-A16/skeleton.csv       header, 120 rows a second of 21 joints × xyz, metres
RAW/N03-A16/semg.csv, vitals.csv, cameras.json, View-1.mp4 …
RAW/annotations.jsonl          the labels
RAW/truth.csv, offsets.csv     when repetitions and phases begin; when each camera started

A recording whose recording.yaml is there is complete. Cameras start when somebody presses their
buttons, so each has an offset; the sEMG device is triggered, and its offset is stated.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from flex.annotations import ANNOTATIONS_FILE
from flex.cameras import CAMERAS_FILE, write_cameras
from flex.files import write_jsonl, write_text
from flex.physiology import COLUMNS
from sim.bodies import build_body
from sim.breathing import breathing_rate
from sim.calibration import calibration
from sim.cameras import place_camera
from sim.clips import SOURCE
from sim.files import HEADER, MOTION_RATE_HZ, write_numbers
from sim.film import Video, look_of, session
from sim.heart import heart_rate
from sim.lift import Stage
from sim.lift import lift as lift_motion
from sim.physiology import RATE_HZ
from sim.raw import Take, set_chest, set_motion
from sim.semg import simulate_semg
from sim.signal_settings import load_signals
from sim.study import Floats

SEGMENTS = ("recording", "repetition", "start_s", "phase_2_s", "phase_3_s", "end_s")
_SEMG_OFFSET_S = 0.25
_CAMERA_LATE_S = (-0.8, 1.8)  # before or after the skeleton starts


@dataclass(frozen=True)
class RawTake:
    """One set to write, with how it is filmed."""

    take: Take
    video: Video | None


def write_lists(stage: Stage, raw: Path, takes: Sequence[RawTake]) -> None:
    """Write labels and truth of all recordings."""
    records = [r.model_copy(update={"views": {}}) for t in takes for r in t.take.records]
    write_jsonl(raw / ANNOTATIONS_FILE, records)
    write_text(raw / "truth.csv", _csv(SEGMENTS, (row for t in takes for row in _truth(t.take))))
    offsets = (
        (t.take.name, f"View-{view}", round(offset_s(stage, t.take, view), 4))
        for t in takes
        for view in (t.video.views if t.video else ())
    )
    write_text(raw / "offsets.csv", _csv(("recording", "view", "offset_s"), offsets))


def write_take(stage: Stage, raw: Path, item: RawTake) -> str:
    """Write the files of one recording, unless it is there; return its name."""
    take, folder = item.take, raw / item.take.name
    if (folder / "recording.yaml").exists():
        return take.name
    rate_hz = stage.study.settings.recording.frame_rate_hz
    motion = set_motion(stage, take, np.arange(0, take.duration_s, 1 / rate_hz))
    rows = motion.joints.reshape(len(motion.joints), -1)
    write_numbers(folder / "skeleton.csv", rows, "%.5f", HEADER)
    write_text(folder / "vitals.csv", _vitals(stage, take))
    if take.records[0].semg:
        write_numbers(folder / "semg.csv", _semg(stage, take), "%.4f")
    if item.video:
        _film(stage, folder, take, item.video)
    card = yaml.safe_dump(_card(take, item.video, rate_hz), sort_keys=False)
    write_text(folder / "recording.yaml", card)
    return take.name


def offset_s(stage: Stage, take: Take, view: int) -> float:
    """Return when a camera's first frame was taken, seconds on the clock of the set."""
    draws = stage.study.draws("camera start", take.name, view)
    return float(draws.uniform(*_CAMERA_LATE_S))


def _truth(take: Take) -> Iterable[tuple[str | float, ...]]:
    for record in take.records:
        start = take.start_s(record)
        times = [round(start + span.start_s, 4) for span in record.phases]
        yield take.name, record.repetition or 1, *times, round(take.end_s(record), 4)


def _card(take: Take, video: Video | None, rate_hz: float) -> dict[str, Any]:
    first = take.records[0]
    card: dict[str, Any] = {
        "source": SOURCE,
        "action": first.action,
        "subject": first.subject,
        "skill": first.skill,
        "load_kg": first.load_kg,
        "skeleton": {"file": "skeleton.csv", "rate_hz": rate_hz},
        "vitals": {"file": "vitals.csv"},
    }
    if first.semg:
        card["semg"] = {
            "file": "semg.csv",
            "rate_hz": first.semg.sample_rate_hz,
            "channels": list(first.semg.channels),
            "offset_s": _SEMG_OFFSET_S,
        }
    if video:
        card["views"] = {f"View-{view}": {"file": f"View-{view}.mp4"} for view in video.views}
        card["cameras"] = CAMERAS_FILE
    return card


def _vitals(stage: Stage, take: Take) -> str:
    times_s = np.arange(0, take.duration_s, 1 / RATE_HZ)
    action, study = take.records[0].action, stage.study
    rows = np.stack(
        [
            times_s,
            heart_rate(study, take.subject, action, take.line, times_s),
            breathing_rate(study, take.subject, action, take.line, times_s),
            set_chest(stage, take, times_s),
        ],
        axis=-1,
    )
    return ",".join(COLUMNS) + "\n" + "%.2f,%.1f,%.1f,%.3f\n" * len(rows) % tuple(rows.ravel())


def _semg(stage: Stage, take: Take) -> Floats:
    """Return the sEMG of a set: (samples, channels) mV; in rests the noise of the electrodes."""
    first = take.records[0]
    assert first.semg is not None
    rate_hz, body = first.semg.sample_rate_hz, build_body(stage.study, take.subject)
    count = round((take.duration_s - _SEMG_OFFSET_S) * rate_hz)
    draws = stage.study.draws("semg in rests", take.name)
    noise_mv = load_signals().semg.noise_mv
    values = draws.normal(scale=noise_mv, size=(count, len(first.semg.channels)))
    for record in take.records:
        times_s = np.arange(0, record.duration_s or 0.0, 1 / MOTION_RATE_HZ)
        motion = lift_motion(stage, take.subject, record, times_s)
        part = simulate_semg(stage.study, take.subject, body, record, motion)
        at = round((take.start_s(record) - _SEMG_OFFSET_S) * rate_hz)
        values[at : at + len(part)] = part
    return values


def _film(stage: Stage, folder: Path, take: Take, video: Video) -> None:
    from sim.video import render, write_mp4

    first = take.records[0]
    look, body = look_of(stage, first, video), build_body(stage.study, take.subject)
    cameras = {}
    for view in video.views:
        start = offset_s(stage, take, view)
        times_s = np.arange(start, take.duration_s, 1 / video.fps)
        camera = place_camera(stage.study, view, session(stage, first))
        motion = set_motion(stage, take, times_s)
        frames = render(motion, body, look, camera, video.size, set_chest(stage, take, times_s))
        write_mp4(folder / f"View-{view}.mp4", frames, video.fps, video.size, look.room.crf)
        cameras[f"View-{view}"] = calibration(camera, video.size)
    write_cameras(folder / CAMERAS_FILE, cameras)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
