"""Films a clip: which cameras, how large, how often, and where the files go.

    film(stage, root, record, Video(views=(1, 2), size=224))    # …/View-1.mp4, …

People wear the same clothes, and the room stays as it is, through the exercises of one day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from flex.dataset import FRAMES_PER_CLIP
from flex.sample import Annotation
from sim.bodies import build_body
from sim.breathing import chest_volume
from sim.cameras import Session, place_camera
from sim.lift import Stage, frame_times, lift
from sim.looks import Look, choose_look

Media = Literal["mp4", "jpeg"]
_ACTIONS_A_DAY = 5


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

    def frames(self, record: Annotation) -> int:
        """Return how many frames a view of a clip has."""
        if self.media == "jpeg":
            return FRAMES_PER_CLIP
        return max(2, round((record.duration_s or 0.0) * self.fps))

    def path(self, clip: str, view: int) -> str:
        """Return where a view of a clip lies, relative to the data folder."""
        return f"{clip}/View-{view}" + (".mp4" if self.media == "mp4" else "")


def film(stage: Stage, root: Path, record: Annotation, video: Video) -> None:
    """Write those views of a clip that are not there yet."""
    from sim.video import write_jpegs, write_mp4

    missing = [view for view in video.views if not (root / video.path(record.clip, view)).exists()]
    times_s = frame_times(record, video.frames(record))
    for view in missing:
        path = root / video.path(record.clip, view)
        frames = shots(stage, record, video, view, times_s)
        if video.media == "jpeg":
            write_jpegs(path, frames)
        else:
            crf = look_of(stage, record, video).room.crf
            write_mp4(path, frames, video.fps, video.size, crf)


def shots(
    stage: Stage, record: Annotation, video: Video, view: int, times_s: npt.NDArray[np.float64]
) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield pictures (size, size, 3) of a clip at some times, from one view."""
    from sim.video import render

    subject = stage.subject(record)
    motion = lift(stage, subject, record, times_s)
    chest = chest_volume(stage.study, record, times_s)
    camera = place_camera(stage.study, view, session(stage, record))
    look = look_of(stage, record, video)
    body = build_body(stage.study, subject)
    yield from render(motion, body, look, camera, video.size, chest)


def look_of(stage: Stage, record: Annotation, video: Video) -> Look:
    """Return what person and room look like in a clip."""
    subject = stage.subject(record)
    return choose_look(stage.study, subject, session(stage, record), plain=video.plain)


def session(stage: Stage, record: Annotation) -> Session:
    """Return what names the day on which a clip was recorded: its person and the day's number."""
    number = list(stage.study.graph.actions).index(record.action)
    return (record.subject or "", number // _ACTIONS_A_DAY)
