"""The camera views of one clip for a page: embedded as data URIs, or linked relative to the page.

    shown, problems = show_view("View-1", path, clip_s=2.1, room_bytes=15_000_000)

A view that browsers can play and that fits into its room is embedded byte for byte. Any other is
made smaller (H.264, at most 540 lines), and the page says so.
"""

import base64
import io
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from flex.dataset import frame_files
from flex.media_check import view_problems
from flex.problems import Problem

# What Chromium, Firefox and Safari play without a plug-in.
_PLAYABLE_CODECS = ("h264", "vp8", "vp9", "av1")
_PLAYABLE_PIXELS = ("yuv420p", "yuvj420p")
_HEIGHTS = (540, 360, 240)
_QUALITY = "27"
_KEY_FRAME_EVERY = 12  # so that scrubbing decodes a few frames, not the whole clip
# A video whose length differs by more from the clip's is played stretched.
_SAME_LENGTH = 0.02
View = dict[str, Any]


class _Video(NamedTuple):
    """What a video file says of itself."""

    codec: str
    pixels: str
    width: int
    height: int
    rate: Fraction
    lasts_s: float


def show_view(
    name: str, path: Path, *, clip_s: float | None, room_bytes: int, link_from: Path | None = None
) -> tuple[View, list[Problem]]:
    """Return a view for the page, and what is wrong with its files.

    Args:
        name: of the view.
        path: a folder of JPEG frames, or a video file.
        clip_s: how long the clip lasts in seconds, if that is known.
        room_bytes: the most that the view may take up in the page.
        link_from: the folder of the page, to link to the files instead of embedding them.

    Returns:
        view: `name`, `kind` ("video" or "frames"), `src` or `frames`, for a video its `lasts_s`,
            and `notes` for the reader. Empty if there are problems.
    """
    files = frame_files(path) if path.is_dir() else [path]
    problems = list(view_problems(path, len(files), video_frames=()))
    if not files:
        problems = [Problem(str(path), "holds no JPEG frames")]
    if problems:
        return {}, problems
    if path.is_dir():
        return _frames(name, files, clip_s, room_bytes, link_from), []
    return _video(name, path, clip_s, room_bytes, link_from), []


def video_length_s(path: Path) -> float | None:
    """Return how long a video file lasts, or `None` for anything else."""
    return _probe(path).lasts_s if path.is_file() else None


def _video(name: str, path: Path, clip_s: float | None, room: int, link_from: Path | None) -> View:
    video = _probe(path)
    view: View = {"name": name, "kind": "video", "lasts_s": video.lasts_s, "notes": []}
    if clip_s and abs(video.lasts_s - clip_s) > max(_SAME_LENGTH * clip_s, 2 / float(video.rate)):
        note = f"The video lasts {video.lasts_s:.2f} s; it is stretched over the clip."
        view["notes"].append(note)
    playable = video.codec in _PLAYABLE_CODECS and video.pixels in _PLAYABLE_PIXELS
    if link_from is not None:
        if not playable:
            view["notes"].append(f"Your browser may not play {video.codec}, {video.pixels}.")
        return view | {"src": _relative(path, link_from)}
    if playable and _embedded_size(path.stat().st_size) <= room:
        return view | {"src": _data_uri(path.read_bytes(), "video/mp4")}
    why = "to fit into the page" if playable else f"since browsers may not play {video.codec}"
    made = _smaller(lambda: _decoded(path), video.rate, room)
    return view | _made(made, why)


def _frames(
    name: str, files: list[Path], clip_s: float | None, room: int, link_from: Path | None
) -> View:
    view: View = {"name": name, "kind": "frames", "notes": []}
    if link_from is not None:
        return view | {"frames": [_relative(file, link_from) for file in files]}
    if _embedded_size(sum(file.stat().st_size for file in files)) <= room:
        return view | {"frames": [_data_uri(file.read_bytes(), "image/jpeg") for file in files]}
    lasts_s = clip_s or len(files) / 30
    rate = Fraction(len(files) / lasts_s).limit_denominator(1000)
    made = _smaller(lambda: (p for file in files for p in _decoded(file)), rate, room)
    return view | {"kind": "video", "lasts_s": lasts_s} | _made(made, "to fit into the page")


def _made(made: tuple[bytes, str] | None, why: str) -> View:
    if made is None:
        return {"src": None, "notes": ["Too large to embed even when made smaller; use --link."]}
    video, size = made
    return {"src": _data_uri(video, "video/mp4"), "notes": [f"Made smaller ({size}) {why}."]}


def _smaller(
    pictures: Callable[[], Iterator[Any]], rate: Fraction, room: int
) -> tuple[bytes, str] | None:
    """Return (video, size in words) at the greatest height that fits into the room."""
    for height in _HEIGHTS:
        video, size = _encode(pictures(), rate, height)
        if _embedded_size(len(video)) <= room:
            return video, size
    return None


def _encode(pictures: Iterator[Any], rate: Fraction, most_lines: int) -> tuple[bytes, str]:
    import av

    buffer, size = io.BytesIO(), (0, 0)
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream(
            "libx264", rate=rate, options={"crf": _QUALITY, "preset": "veryfast"}
        )
        for number, picture in enumerate(pictures):
            if not number:
                size = _fit(picture.width, picture.height, most_lines)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                stream.gop_size = _KEY_FRAME_EVERY
            frame = picture.reformat(*size, format="yuv420p")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue(), f"{size[0]} × {size[1]}"


def _fit(width: int, height: int, most_lines: int) -> tuple[int, int]:
    """Return even sizes: H.264 halves the resolution of colour."""
    scale = min(1.0, most_lines / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _decoded(path: Path) -> Iterator[Any]:
    import av

    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def _probe(path: Path) -> _Video:
    import av

    with av.open(str(path)) as container:
        stream: Any = container.streams.video[0]
        rate = Fraction(stream.average_rate or stream.guessed_rate or 30)
        if stream.duration is not None:
            lasts_s = float(stream.duration * stream.time_base)
        else:
            lasts_s = (container.duration or 0) / av.time_base
        context = stream.codec_context
        return _Video(
            context.name, context.pix_fmt or "", context.width, context.height, rate, lasts_s
        )


def _embedded_size(size_bytes: int) -> int:
    return 4 * -(-size_bytes // 3)


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _relative(path: Path, folder: Path) -> str:
    """Return the address of a file as seen from a page in a folder."""
    return quote(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())
