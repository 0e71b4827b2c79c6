"""Cuts one clip out of its recording, into the authors' layout.

    run_all(clips, Cut(settings), ...)            # `prepare.run`

All streams run on the clock of the set. A clip that a stream does not cover whole is refused, with
every stream that fails it, and never made shorter.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from flex.cameras import Calibration, cameras_path, read_cameras, scaled, write_cameras
from flex.dataset import FRAMES_PER_CLIP, semg_path, skeleton_path
from flex.files import write_text
from flex.number_table import Floats
from flex.physiology import COLUMNS, load_physiology, physiology_path
from flex.problems import InputError, Problem
from flex.skeleton import JOINTS
from flex.video import probe
from prepare.film import Film, film_view
from prepare.recording import Recording
from prepare.survey import read_semg, read_skeleton

Form = Literal["both", "mp4", "jpeg"]
_HEADER = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")


@dataclass(frozen=True)
class CutSettings:
    """What clips shall be like.

    Attributes:
        lines: the most lines that pictures have; never more than the source.
        crf: constant rate factor of the video.
        fps: the most frames a second of the video; `None` for all that there are.
        form: a video at true times, the 103 frames of the layout, or both.
        blur_faces: whether heads are made unrecognisable.
    """

    lines: int = 540
    crf: int = 22
    fps: float | None = None
    form: Form = "both"
    blur_faces: bool = False


@dataclass(frozen=True)
class ClipItem:
    """One clip to cut.

    Attributes:
        clip: `A16/001`.
        repetition: its number within the set.
        times_s: (4,) as in `prepare.table`.
        offsets_s: view → when its first frame was taken, on the clock of the set.
    """

    clip: str
    recording: Recording
    repetition: int
    times_s: tuple[float, ...]
    offsets_s: tuple[tuple[str, float], ...]

    @property
    def span_s(self) -> tuple[float, float]:
        """Start and end on the clock of the set."""
        return self.times_s[0], self.times_s[-1]


@dataclass(frozen=True)
class Cut:
    """The work on one clip; picklable."""

    settings: CutSettings

    def __call__(self, item: ClipItem, folder: Path) -> dict[str, Any]:
        """Write the clip's files under a folder; return how many frames each view has.

        Raises:
            InputError: every stream that does not cover the clip, or cannot be read.
        """
        problems: list[Problem] = []
        frames: dict[str, int] = {}
        for step in (_write_skeleton, _write_semg, _write_vitals):
            with _collected(problems):
                step(item, folder)
        calibrated: dict[str, Calibration] = {}
        with _collected(problems):
            if item.recording.cameras:
                calibrated = read_cameras(item.recording.cameras)
        if not problems:  # pictures cost most
            for view, offset_s in item.offsets_s:
                with _collected(problems):
                    frames[view] = self._film(item, folder, view, offset_s)
            with _collected(problems):
                _write_cameras(item, folder, {v: calibrated[v] for v in frames if v in calibrated})
        if problems:
            raise InputError(problems)
        return {"frames": frames}

    def _film(self, item: ClipItem, folder: Path, view: str, offset_s: float) -> int:
        settings, recording = self.settings, item.recording
        heads = None
        if settings.blur_faces:
            heads = _heads(recording, view)
        film = Film(
            lines=settings.lines,
            crf=settings.crf,
            fps=settings.fps,
            video=folder / item.clip / f"{view}.mp4" if settings.form != "jpeg" else None,
            pictures=folder / item.clip / view if settings.form != "mp4" else None,
            heads=heads,
        )
        return film_view(recording.views[view], item.span_s, offset_s, film)


class _collected:  # noqa: N801, reads as the statement it is
    """Collect the problems of an `InputError` that is raised inside."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> bool:
        if isinstance(error, InputError):
            self.problems += error.problems
            return True
        return False


def _write_skeleton(item: ClipItem, folder: Path) -> None:
    recording = item.recording
    rate_hz = recording.card.skeleton.rate_hz
    points = read_skeleton(recording.skeleton)
    start_s, end_s = item.span_s
    ends_s = len(points) / rate_hz
    if end_s > ends_s + 0.5 / rate_hz:
        message = f"ends at {ends_s:.3f} s, the repetition at {end_s:.3f} s"
        raise InputError([Problem(str(recording.skeleton), message)])
    rows = at_times(points, rate_hz, np.linspace(start_s, end_s, FRAMES_PER_CLIP))
    flat = rows.reshape(FRAMES_PER_CLIP, -1)
    line = ",".join(["%.5f"] * flat.shape[1]) + "\n"
    text = _HEADER + "\n" + line * len(flat) % tuple(flat.ravel().tolist())
    write_text(skeleton_path(folder, item.clip), text)


def at_times(points: Floats, rate_hz: float, times_s: Floats) -> Floats:
    """Return joints at some times: (T, 21, 3) → (N, 21, 3), straight lines between rows."""
    at = np.clip(times_s * rate_hz, 0, len(points) - 1)
    first = np.minimum(at.astype(int), len(points) - 2)
    share = (at - first)[:, None, None]
    between: Floats = points[first] * (1 - share) + points[first + 1] * share
    return between


def _write_semg(item: ClipItem, folder: Path) -> None:
    part = item.recording.card.semg
    if part is None:
        return
    path = item.recording.folder / part.file
    lines = read_semg(path, len(part.channels))
    first, last = (round((time_s - part.offset_s) * part.rate_hz) for time_s in item.span_s)
    if first < 0 or last > len(lines):
        ends_s = part.offset_s + len(lines) / part.rate_hz
        raise InputError([_uncovered(path, part.offset_s, ends_s, item.span_s)])
    write_text(semg_path(folder, item.clip), "\n".join(lines[first:last]) + "\n")


def _write_cameras(item: ClipItem, folder: Path, cameras: Mapping[str, Calibration]) -> None:
    """Write cameras for pictures as large as those of the clip; nothing where there are none."""
    fitting = {}
    for view, camera in cameras.items():
        film = folder / item.clip / f"{view}.mp4"
        picture = probe(film if film.exists() else folder / item.clip / view)
        fitting[view] = scaled(camera, picture.width, picture.height)
    if fitting:
        write_cameras(cameras_path(folder, item.clip), fitting)


def _write_vitals(item: ClipItem, folder: Path) -> None:
    part = item.recording.card.vitals
    if part is None:
        return
    path = item.recording.folder / part.file
    table = _vitals(path)
    times_s = table[:, 0] + part.offset_s
    start_s, end_s = item.span_s
    inside = (times_s >= start_s) & (times_s < end_s)
    if not inside.any():
        raise InputError([_uncovered(path, times_s[0], times_s[-1], item.span_s)])
    rows = table[inside].copy()
    rows[:, 0] = times_s[inside] - start_s
    text = "%.4f,%.1f,%.1f,%.4f\n" * len(rows) % tuple(rows.ravel().tolist())
    write_text(physiology_path(folder, item.clip), ",".join(COLUMNS) + "\n" + text)


@functools.lru_cache(maxsize=1)
def _vitals(path: Path) -> Floats:
    signal = load_physiology(path)
    rates = (signal.heart_rate_bpm, signal.breathing_rate_per_min)
    return np.stack([signal.times_s, *rates, signal.chest_volume], axis=-1)


def _uncovered(path: Path, starts_s: float, ends_s: float, span_s: tuple[float, float]) -> Problem:
    message = f"goes from {starts_s:.3f} to {ends_s:.3f} s, the repetition"
    return Problem(str(path), f"{message} from {span_s[0]:.3f} to {span_s[1]:.3f} s")


def _heads(recording: Recording, view: str) -> Any:
    from prepare.faces import head_in

    assert recording.cameras is not None  # checked before anything is cut
    camera = read_cameras(recording.cameras, [view])[view]
    points, rate_hz = read_skeleton(recording.skeleton), recording.card.skeleton.rate_hz

    def head(time_s: float, width: int) -> tuple[Floats, float] | None:
        found = head_in(camera, at_times(points, rate_hz, np.array([time_s]))[0])
        scale = width / camera.width
        return (found[0] * scale, found[1] * scale) if found else None

    return head


def refuse_unblurred(recordings: Iterable[Recording]) -> None:
    """Raise an `InputError` that names every recording whose faces could not be blurred."""
    problems: list[Problem] = []
    for recording in recordings:
        if not recording.views:
            continue
        if recording.cameras is None:
            message = "cameras: names no calibration, without which --blur-faces finds no head"
            problems.append(Problem(str(recording.folder / "recording.yaml"), message))
            continue
        with _collected(problems):
            read_cameras(recording.cameras, recording.views)
    if problems:
        raise InputError(problems)
