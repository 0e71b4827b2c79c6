"""Pictures and video files of a motion, as a camera sees it.

    frames = render(motion, body, look, camera, size=224, chest=chest)     # (H, W, 3) uint8 each
    write_mp4(Path("A01/001/View-1.mp4"), frames, fps=30, size=224, crf=look.room.crf)
    write_jpegs(Path("A01/001/View-1"), frames)                            # img_00001.JPG …

The room is painted once for a clip; body, equipment and their shadows are drawn over it in every
frame. Equal arguments give equal bytes. Files appear whole or not at all.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from flex import pictures
from flex.files import atomic_path
from flex.problems import InputError, Problem
from sim.bodies import Body
from sim.cameras import Camera
from sim.looks import Look, Room, paint_room
from sim.motion import Motion
from sim.raster import (
    MAP_HALF_M,
    MAP_SIZE,
    Bytes,
    Lighting,
    develop,
    draw_frame,
    make_buffers,
)
from sim.solids import build_solids
from sim.study import Floats

_PRESET = "superfast"
_JPEG_QUALITY = 3  # of FFmpeg, 2 best to 31


def render(
    motion: Motion, body: Body, look: Look, camera: Camera, size: int, chest: Floats
) -> Iterator[Bytes]:
    """Yield the pictures of a motion.

    Args:
        motion: over T times, one picture for each.
        body: whose body it is.
        look: person and room.
        camera: where from.
        size: width and height in pixels.
        chest: (T,) how full of air the chest is, 0 to 1.

    Yields:
        (size, size, 3) uint8 RGB.

    Raises:
        InputError: the size is not even.
    """
    check_size(size)
    return _pictures(motion, body, look, camera, size, chest)


def _pictures(
    motion: Motion, body: Body, look: Look, camera: Camera, size: int, chest: Floats
) -> Iterator[Bytes]:
    solids = build_solids(motion, body, look, chest)
    light, buffers = _lighting(look.room), make_buffers(size, look.room.lens_blur)
    stage = _stage(look.room, light, camera, size)
    view = (camera.eye, camera.axes, camera.focal(size))
    for time in range(len(motion.times_s)):
        picture = np.empty((size, size, 3), np.uint8)
        draw_frame(
            solids.kind, solids.centre[time], solids.axes[time], solids.shape[time],
            solids.colour, solids.surface, view, light, stage, buffers, picture,
        )  # fmt: skip
        yield picture


def render_room(look: Look, camera: Camera, size: int) -> Bytes:
    """Return a picture of the empty room: what a model sees that never looks at the person.

    Returns:
        (size, size, 3) uint8 RGB.

    Raises:
        InputError: the size is not even.
    """
    check_size(size)
    buffers, picture = make_buffers(size, look.room.lens_blur), np.empty((size, size, 3), np.uint8)
    image = paint_room(look.room, camera, size)[0].astype(np.float32)
    develop(image, buffers.soft, buffers.lens_blur, buffers.tones, picture)
    return picture


def check_size(size: int) -> None:
    """Raise an `InputError` if pictures cannot have this width and height."""
    if size < 2 or size % 2:
        message = f"expected an even number of pixels, found {size}"
        raise InputError([Problem("size", message)])


def _lighting(room: Room) -> Lighting:
    away = -np.array(room.key_from)
    right = np.cross(away, (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    key, sky = np.array(room.key) * room.exposure, np.array(room.sky) * room.exposure
    return Lighting(
        axes=np.stack([right, np.cross(away, right), away]),
        origin=np.array((0.0, 0.0, 0.9)) - 4 * away,
        key=key,
        sky=sky * 0.85,
        ground=(key * 0.5 + sky * 0.5) * np.array(room.floor_colour) * 1.2,
    )


def _stage(room: Room, light: Lighting, camera: Camera, size: int) -> tuple[Any, ...]:
    """Return the painted room, where its floor lies in the shadow maps, and the key's share."""
    image, ground = paint_room(room, camera, size)
    on_floor = np.isfinite(ground[..., 0])
    places = np.zeros((*on_floor.shape, 3))
    places[on_floor, :2] = ground[on_floor]
    scale = MAP_SIZE / 2 / MAP_HALF_M
    shadow = (places - light.origin) @ light.axes[:2].T
    maps = np.concatenate([shadow, places[..., :2]], axis=-1) * scale + MAP_SIZE / 2
    maps[~on_floor] = -1.0
    key = room.key_from[2] * 0.75 * room.key[1]
    share = key / (key + 0.85 * room.sky[1])
    return image.astype(np.float32), maps.astype(np.float32), share


def write_mp4(path: Path, frames: Iterable[Bytes], fps: float, size: int, crf: int = 23) -> int:
    """Write pictures as H.264, whole or not at all; return how many.

    Args:
        path: the file; its folder is made if it is missing.
        frames: (size, size, 3) uint8 each.
        fps: frames a second.
        size: width and height in pixels.
        crf: constant rate factor, lower is better; `look.room.crf` is that of a session.

    Raises:
        InputError: the size is not even, or there are no frames.
    """
    check_size(size)
    with atomic_path(path) as temporary:
        count = _encode(str(temporary), frames, fps, size, crf)
        if not count:
            raise InputError([Problem(str(path), "a video needs at least one frame")])
    return count


def _encode(name: str, frames: Iterable[Bytes], fps: float, size: int, crf: int) -> int:
    import av

    count = 0
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(name, "w", format="mp4", options=options) as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"preset": _PRESET, "crf": str(crf), "threads": "1"}
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(picture))
            count += 1
        if count:
            container.mux(stream.encode())
    return count


def write_jpegs(folder: Path, frames: Iterable[Bytes]) -> int:
    """Write pictures as img_00001.JPG … into a folder, which appears whole or not at all.

    Args:
        folder: must not exist, or be empty.
        frames: (H, W, 3) uint8 each, H and W even.

    Returns:
        How many pictures were written.

    Raises:
        InputError: the folder has content already, or there are no frames.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError([Problem(str(folder), "is not empty")])
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        count = 0
        for count, frame in enumerate(frames, 1):
            (partial / f"img_{count:05d}.JPG").write_bytes(jpeg(frame))
        if not count:
            raise InputError([Problem(str(folder), "needs at least one frame")])
        partial.chmod(0o755)
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial)
        raise
    return count


def jpeg(frame: Bytes) -> bytes:
    """Return a picture (H, W, 3) uint8 as JPEG; H and W must be even."""
    return pictures.jpeg(frame, _JPEG_QUALITY)
