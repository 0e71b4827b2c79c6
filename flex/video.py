"""The one frame sampler: which frames of a clip a model sees, decoded and resized once.

    frames = sample(Path("A01/001/View-1.mp4"), Sampler(frames=16))
    frames.pixels        # (16, 112, 112, 3) uint8
    frames.times_s       # when each was taken

Training, evaluation, serving and chat all call `sample`, so that a model never meets frames chosen
in another way than those it learnt from. A clip is a video file or a folder of JPEG frames, whose
rate the data folder states (`flex.frame_rate`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from flex import llama_factory
from flex.dataset import frame_files
from flex.files import hash_text
from flex.frame_rate import folder_rate, stated_rate
from flex.problems import InputError, Problem
from flex.sample import PhaseSpan
from flex.video_reader import VideoInfo, picture_times, probe_video, read_pictures

# A vision token covers 2 × 2 patches of 14 pixels.
SIDE_STEP = 28
Pixels = NDArray[np.uint8]


class Sampler(BaseModel):
    """The settings of the sampler; they are stored with every adapter.

    Attributes:
        kind: "uniform" takes the middles of N equal parts of the clip; "phases" spends the same
            number of frames on every phase; "llama-factory" does what LLaMA-Factory does: two
            frames a second from end to end, and its sizes (`flex.llama_factory`).
        frames: how many frames, even since the vision tower sees them in pairs; of the kind
            "llama-factory" at most so many.
        pixels: the most pixels that a frame has after the one resize; of the kind "llama-factory"
            before its sides are rounded to multiples of 28.
        folder_fps: the frames a second of folders of JPEG frames whose rate nobody states; `None`:
            such a folder is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["uniform", "phases", "llama-factory"] = "uniform"
    frames: int = Field(16, ge=2, le=128)
    pixels: int = Field(112 * 112, ge=SIDE_STEP**2)
    folder_fps: float | None = Field(None, gt=0, allow_inf_nan=False)

    @field_validator("frames")
    @classmethod
    def _even(cls, frames: int) -> int:
        if frames % 2:
            raise ValueError("expected an even number of frames")
        return frames

    @model_serializer(mode="wrap")
    def _what_is_set(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in dump(self).items() if value is not None}

    def fingerprint(self) -> str:
        """Return a hash of all that decides which pixels come out."""
        return hash_text("sampler", self.model_dump_json())

    def without_phases(self) -> "Sampler":
        """Return what samples a clip whose phases nobody knows."""
        return self.model_copy(update={"kind": "uniform"}) if self.kind == "phases" else self


@dataclass(frozen=True)
class Frames:
    """What was sampled from one clip.

    Attributes:
        pixels: (N, H, W, 3) uint8 RGB; H and W are multiples of 28.
        indices: the number of each frame in the clip, from 0, ascending.
        fps: frames per second of the clip.
        total: how many frames the clip has.
        times_s: when each frame is shown, in seconds from the first one of the clip, by the clip's
            own clock; from `fps` if it is not given, which holds at a constant frame rate only.
        doubled: the last frame is there twice only to make their number even; the steps between
            pairs are reckoned without it, as LLaMA-Factory does.

    Raises:
        ValueError: not one time for each frame.
    """

    pixels: Pixels
    indices: tuple[int, ...]
    fps: float
    total: int
    times_s: tuple[float, ...] = ()
    doubled: bool = False

    def __post_init__(self) -> None:
        if not self.times_s:
            by_rate = tuple(index / self.fps for index in self.indices)
            object.__setattr__(self, "times_s", by_rate)
        if len(self.times_s) != len(self.indices):
            raise ValueError(f"{len(self.times_s)} times for {len(self.indices)} frames")

    @property
    def sampled(self) -> int:
        """How many frames were sampled: all but a doubled one."""
        return len(self.indices) - self.doubled


def probe(path: Path) -> VideoInfo:
    """Return what a clip is like, without decoding all of it.

    Returns:
        Of a folder of frames, `fps` is 0 where nobody states it.

    Raises:
        InputError: the file or folder is missing, or cannot be read as a clip.
    """
    if not path.is_dir():
        return probe_video(path)
    files = frame_files(path)
    if not files:
        raise InputError([Problem(str(path), "holds no JPEG frames")])
    first = probe_video(files[0])
    return VideoInfo(len(files), stated_rate(path, len(files)) or 0.0, first.width, first.height)


def sample(path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> Frames:
    """Return the frames of a clip that a model sees.

    Args:
        path: a video file, or a folder of JPEG frames.
        sampler: which frames, and how large.
        phases: where the phases lie, for samplers of the kind "phases".

    Raises:
        InputError: the clip is missing, breaks off or cannot be decoded; the rate of a folder is
            not known; or phases are needed and there are none. Names the file.
    """
    info = probe(path)
    if path.is_dir():
        info = info._replace(fps=folder_rate(path, info.frames, sampler.folder_fps))
    indices = choose(info, sampler, phases, str(path))
    pictures = _pictures(path, indices, info, sampler)
    times_s = times_of(path, indices, info.fps)
    doubled = sampler.kind == "llama-factory" and len(set(indices)) < len(indices)
    return Frames(np.stack(pictures), tuple(indices), info.fps, info.frames, times_s, doubled)


def times_of(path: Path, indices: Sequence[int], fps: float | None = None) -> tuple[float, ...]:
    """Return when each frame is shown, in seconds from the clip's first; decodes nothing.

    Args:
        path: a video file, which has its own clock, or a folder of JPEG frames.
        indices: the numbers of the frames.
        fps: frames a second of a folder; `None`: what its data folder states.

    Raises:
        InputError: the clip is missing or breaks off, or has no such frame; or nobody states the
            rate of a folder.
    """
    if path.is_dir():
        rate = fps or folder_rate(path, len(frame_files(path)))
        return tuple(index / rate for index in indices)
    return tuple(picture_times(path, indices))


def _pictures(
    path: Path, indices: Sequence[int], info: VideoInfo, sampler: Sampler
) -> list[Pixels]:
    filmed = (info.width, info.height)
    if sampler.kind == "llama-factory":
        shrink = partial(llama_factory.shrink, pixels=sampler.pixels)
        read = partial(read_pictures, size=filmed, change=shrink)
    else:
        read = partial(read_pictures, size=resized(*filmed, sampler.pixels))
    if not path.is_dir():
        return read(path, indices)
    files = frame_files(path)
    return [read(files[i], [0])[0] for i in indices]


def choose(
    info: VideoInfo, sampler: Sampler, phases: Sequence[PhaseSpan] = (), place: str = "clip"
) -> list[int]:
    """Return the numbers of the frames to take, ascending; a short clip repeats some."""
    if sampler.kind == "llama-factory":
        return llama_factory.frame_numbers(info, sampler.frames)
    if sampler.kind == "uniform":
        return _middles(0, info.frames, sampler.frames, info.frames)
    spans = [span for span in phases if span.end_s > span.start_s][: sampler.frames]
    if not spans:
        message = "has no phases, which a sampler of kind 'phases' needs; use kind 'uniform'"
        raise InputError([Problem(place, message)])
    share, extra = divmod(sampler.frames, len(spans))
    chosen = []
    for number, span in enumerate(sorted(spans, key=lambda s: s.start_s)):
        start, end = span.start_s * info.fps, span.end_s * info.fps
        chosen += _middles(start, end - start, share + (number < extra), info.frames)
    return sorted(chosen)


def _middles(start: float, length: float, parts: int, total: int) -> list[int]:
    at = [math.floor(start + (i + 0.5) * length / parts) for i in range(parts)]
    return [min(max(index, 0), total - 1) for index in at]


def resized(width: int, height: int, pixels: int) -> tuple[int, int]:
    """Return (width, height) in multiples of 28, of at most `pixels`, near the aspect; not larger.

    A side never falls below 28, so that a very long picture loses some of its aspect.
    """
    scale = min(1.0, math.sqrt(pixels / (width * height)))
    # A side that is a whole number of steps but for rounding keeps its last step.
    steps = [max(1, math.floor(side * scale / SIDE_STEP + 1e-6)) for side in (width, height)]
    most = pixels // SIDE_STEP**2
    short = min(steps)
    wide, high = (min(count, most // short) if count > short else count for count in steps)
    return wide * SIDE_STEP, high * SIDE_STEP
