"""Looks at one recording: when its cameras started, and where repetitions seem to be.

The result goes on the done list of the engine; what cannot be used goes to quarantine with all that
is wrong with it.
"""

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flex.dataset import load_skeleton
from flex.number_table import Floats, read_numbers
from flex.problems import InputError, Problem
from prepare.alignment import estimate_offset, joint_speed
from prepare.footage import list_frames, motion_energy
from prepare.movements import Movement
from prepare.recording import Recording
from prepare.segmentation import propose

LEAST_CORRELATION = 0.35
MOST_DRIFT_FRAMES = 3.0
_SAME_LENGTH = 0.1


@dataclass(frozen=True)
class ViewSurvey:
    """What is known of a view.

    Attributes:
        offset_s: when its first frame was taken, on the clock of the set.
        stated: whether recording.yaml says so; else it is estimated.
        correlation: of camera and skeleton at that offset; `None` if it is stated.
        frames: how many frames the file holds.
        fps: its usual rate.
        longest_gap_s: the longest time between two frames.
        breaks_off: how many frames the file promises, if it holds fewer.
    """

    offset_s: float
    stated: bool
    correlation: float | None
    frames: int
    fps: float
    longest_gap_s: float
    breaks_off: int | None


@dataclass(frozen=True)
class Survey:
    """The work on one recording; a picklable function of it.

    Attributes:
        movements: action → the angle that shows its repetitions.
    """

    movements: Mapping[str, Movement]

    def __call__(self, recording: Recording, _: Path) -> dict[str, Any]:
        """Return views and proposals, as plain data.

        Raises:
            InputError: everything that makes the recording unusable.
        """
        missing = [Problem(str(p), "is missing") for p in recording.files if not p.is_file()]
        if missing:
            raise InputError(missing)
        rate_hz = recording.card.skeleton.rate_hz
        points = read_skeleton(recording.skeleton)
        speed = joint_speed(points, rate_hz)
        problems = list(_semg_length(recording, len(points) / rate_hz))
        views: dict[str, Any] = {}
        for name in recording.views:
            try:
                views[name] = asdict(_look_at(recording, name, rate_hz, speed))
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(problems)
        movement = self.movements.get(recording.card.action)
        found = propose(points, rate_hz, movement) if movement else []
        return {
            "rows": len(points),
            "views": views,
            "proposals": [[*p.times_s, p.confidence] for p in found],
        }


@functools.lru_cache(maxsize=1)
def read_skeleton(path: Path) -> Floats:
    """Return the joints of a whole set: (T, 21, 3); the clips of a set ask for the same one."""
    return load_skeleton(path)


@functools.lru_cache(maxsize=1)
def read_semg(path: Path, columns: int) -> tuple[str, ...]:
    """Return the lines of a set's sEMG, which are checked and then copied as they are.

    Raises:
        InputError: every cell and row that is not as it should be.
    """
    read_numbers(path, columns=columns, header=False)
    text = path.read_text(encoding="utf-8-sig")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _semg_length(recording: Recording, set_s: float) -> list[Problem]:
    part = recording.card.semg
    if part is None:
        return []
    path = recording.folder / part.file
    try:
        samples = len(read_semg(path, len(part.channels)))
    except InputError as error:
        return list(error.problems)
    lasts_s = samples / part.rate_hz
    if abs(part.offset_s + lasts_s - set_s) <= _SAME_LENGTH * set_s:
        return []
    message = f"{samples} samples at rate_hz {part.rate_hz:g} last {lasts_s:.1f} s"
    return [Problem(str(path), f"{message}, the skeleton {set_s:.1f} s; is the rate right?")]


def _look_at(recording: Recording, name: str, rate_hz: float, speed: Floats) -> ViewSurvey:
    path, stated = recording.views[name], recording.card.views[name].offset_s
    footage = list_frames(path)

    def seen(offset_s: float, correlation: float | None) -> ViewSurvey:
        return ViewSurvey(
            round(offset_s, 4),
            stated is not None,
            correlation,
            len(footage.times_s),
            round(footage.fps, 3),
            round(footage.longest_gap_s, 4),
            footage.breaks_off,
        )

    if stated is not None:
        return seen(stated, None)
    found = estimate_offset(*motion_energy(path), rate_hz, speed)
    if found.correlation < LEAST_CORRELATION:
        message = f"does not move as the skeleton does (correlation {found.correlation:.2f}, "
        message += f"expected {LEAST_CORRELATION}); state views.{name}.offset_s"
        raise InputError([Problem(str(path), message)])
    lost = found.drift_s * footage.fps
    if lost > max(MOST_DRIFT_FRAMES, 0.05 * footage.fps):
        message = f"its start, its middle and its end fit offsets {found.drift_s:.2f} s apart: "
        message += f"about {np.rint(lost):.0f} frames are lost without a gap in its times"
        raise InputError([Problem(str(path), message)])
    return seen(found.offset_s, round(found.correlation, 3))
