"""Takes an uploaded clip in, or refuses it in one friendly sentence.

    upload = accept(path, limits, cache, Sampler(), name="squat.mov")
    upload.frames.pixels, upload.frames.times_s    # what the model sees, and when that was

A clip is judged by its bytes, never by its name: the header first, which costs milliseconds however
long the film is, then the list of its packets, which decodes nothing, and only then the frames.
They are decoded once, into `vlm.cache`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.limits import FORMATS, Limits
from coach.refusals import UploadError, shown_name
from flex.problems import InputError
from flex.video import Frames, Sampler, probe
from flex.video_reader import VideoInfo
from vlm.cache import FrameCache

_MIB = 1024**2
# Cameras count time in coarse steps, so that a clip of just the limit may seem a little longer.
_SLACK_S = 0.5
# Video files of the MP4 family name their kind here, also when their end is missing.
_MP4_MARK = slice(4, 8)


@dataclass(frozen=True)
class Upload:
    """A clip that was taken in.

    Attributes:
        name: for show only; plain text, to be escaped where it is HTML.
        path: where the bytes lie.
        sha: SHA-256 of the bytes.
        info: what the clip is like, upright.
        frames: what the model sees, and when each is shown.
        duration_s: from the first picture to the end of the last.
    """

    name: str
    path: Path
    sha: str
    info: VideoInfo
    frames: Frames
    duration_s: float


def accept(
    path: Path, limits: Limits, cache: FrameCache, sampler: Sampler, *, name: str | None = None
) -> Upload:
    """Return an uploaded clip with its frames.

    Args:
        path: the uploaded file.
        limits: what is taken.
        cache: where the frames are kept; a clip that is there is not decoded again.
        sampler: how the model sees clips. Nobody knows the phases of an upload, so one of the kind
            "phases" takes frames uniformly.
        name: what the user calls the file, for messages.

    Raises:
        UploadError: an `InputError` with one sentence for the user.
    """
    shown = shown_name(name if name is not None else path.name)
    _check_file(path, limits, shown)
    with _opened(path, shown) as (container, stream):
        _check_header(container, stream, limits, shown)
        lasts_s = _check_packets(container, stream, limits, shown)
    known = sampler.without_phases()
    try:
        info = probe(path)
        frames = cache.get(path, known)
        sha = cache.clip_hash(path)
    except UnicodeDecodeError as error:
        # The reader takes titles and makers' names for UTF-8, which some cameras do not write.
        raise UploadError("damaged", shown) from error
    except InputError as error:
        broken = any("breaks off" in problem.message for problem in error.problems)
        raise UploadError("cut_off" if broken else "damaged", shown) from error
    return Upload(shown, path, sha, info, frames, lasts_s + 1 / info.fps)


def _check_file(path: Path, limits: Limits, shown: str) -> None:
    if not path.is_file():
        raise UploadError("missing", shown)
    size = path.stat().st_size
    if not size:
        raise UploadError("empty", shown)
    if size > limits.most_bytes:
        found, limit = f"{size / _MIB:.0f}", f"{limits.most_bytes / _MIB:.0f}"
        raise UploadError("too_heavy", shown, found=found, limit=limit)


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[tuple[Any, Any]]:
    import av
    import av.error
    from av.stream import Disposition

    # The white lists keep ffmpeg from following what a play list names.
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    try:
        with av.open(str(path), container_options=options, metadata_errors="replace") as container:
            streams = container.streams.video
            # A sound file's cover is a picture too, which players do not show as a film.
            if not streams or streams[0].disposition & Disposition.attached_pic:
                raise UploadError("cut_off" if _is_cut(path) else "no_pictures", shown)
            yield container, streams[0]
    except (av.error.FFmpegError, OSError) as error:
        with path.open("rb") as file:
            begins = file.read(12)[_MP4_MARK] == b"ftyp"
        raise UploadError("cut_off" if begins else "not_video", shown) from error


def _is_cut(path: Path) -> bool:
    """Say whether a file of the MP4 family ends inside one of its boxes.

    Where the end is lost, so may be the list of pictures, and ffmpeg opens what is left.
    """
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        if file.read(12)[_MP4_MARK] != b"ftyp":
            return False
        while at < size:
            file.seek(at)
            length = int.from_bytes(file.read(4), "big")
            if length == 1:
                # The length is written in 64 bits after the box's name.
                length = int.from_bytes(file.read(12)[4:], "big")
            if length == 0:
                return False  # the last box, up to the end
            at += max(length, 8)
    return at > size


def _check_header(container: Any, stream: Any, limits: Limits, shown: str) -> None:
    codec = stream.codec_context
    name = codec.codec.canonical_name if codec is not None else "an unknown format"
    if name not in limits.codecs:
        raise UploadError("codec", shown, found=name)
    width, height = codec.width, codec.height
    found = f"{width} × {height}"
    if width * height > limits.most_pixels:
        limit = f"{limits.most_pixels / 1e6:.1f}"
        raise UploadError("too_large", shown, found=found, limit=limit)
    if min(width, height) < limits.least_side:
        raise UploadError("too_small", shown, found=found, limit=f"{limits.least_side}")
    stated = [float(stream.duration * stream.time_base)] if stream.duration else []
    stated += [container.duration / 1e6] if container.duration else []
    _check_length(max(stated, default=0.0), limits, shown)


def _check_packets(container: Any, stream: Any, limits: Limits, shown: str) -> float:
    """Return when the last picture is shown, in seconds from the first, without decoding.

    The list ends a clip that is longer than its header says as soon as it is too long.
    """
    unit, base = float(stream.time_base), None
    found: list[float] = []
    discarded = 0
    for packet in container.demux(stream):
        if not packet.size or packet.is_discard:
            discarded += bool(packet.size)
            continue
        at = packet.pts if packet.pts is not None else packet.dts
        at = len(found) if at is None else at
        base = at if base is None else base
        found.append(at * unit)
        _check_length((at - base) * unit, limits, shown)
    if len(found) + discarded < stream.frames:
        raise UploadError("cut_off", shown)
    if len(found) < limits.least_frames:
        said = f"{len(found)} frame" + ("" if len(found) == 1 else "s")
        raise UploadError("too_few", shown, found=said, limit=f"{limits.least_frames}")
    return max(found) - min(found)


def _check_length(seconds: float, limits: Limits, shown: str) -> None:
    if seconds > limits.longest_s + _SLACK_S:
        found, limit = _say_time(seconds), _say_time(limits.longest_s)
        raise UploadError("too_long", shown, found=found, limit=limit)


def _say_time(seconds: float) -> str:
    """Return "45 s", "3 min" or "2 h 5 min"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
