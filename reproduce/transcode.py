"""How long one core takes to decode, shrink and encode video, and how many bytes come out."""

import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from flex.files import atomic_path
from flex.pictures import jpeg

_CRF = "23"
_JPEG_QUALITY, _EVERY = 3, 10


class Work(NamedTuple):
    """What was done: million pixels and frames, seconds of one core, bytes.

    Attributes:
        read_s: to decode the small clips that were written, once more.
        jpeg_bytes: of every frame as JPEG, by every tenth.
    """

    mpx_in: float
    mpx_out: float
    frames: int
    decode_s: float
    encode_s: float
    read_s: float
    bytes_out: int
    jpeg_bytes: int

    def plus(self, other: "Work") -> "Work":
        """Return the sum of both."""
        return Work(
            self.mpx_in + other.mpx_in,
            self.mpx_out + other.mpx_out,
            self.frames + other.frames,
            self.decode_s + other.decode_s,
            self.encode_s + other.encode_s,
            self.read_s + other.read_s,
            self.bytes_out + other.bytes_out,
            self.jpeg_bytes + other.jpeg_bytes,
        )


def transcode(source: Path, target: Path, size: int) -> Work:
    """Decode a video, shrink its frames to `size` × `size`, encode them as H.264 (crf 23).

    Times are of the processor, so that other work on the machine does not count.
    """
    frames, mpx_in, decode_s = _decode(source, size)
    before = time.process_time()
    with atomic_path(target) as name:
        _encode(name, frames, size)
        bytes_out = name.stat().st_size
    encode_s = time.process_time() - before
    _, mpx_out, read_s = _decode(target, size)
    some = frames[::_EVERY]
    sizes = (len(jpeg(one.to_ndarray(format="rgb24"), _JPEG_QUALITY)) for one in some)
    as_jpeg = round(sum(sizes) * len(frames) / len(some))
    return Work(mpx_in, mpx_out, len(frames), decode_s, encode_s, read_s, bytes_out, as_jpeg)


def transcode_all(sources: Sequence[Path], folder: Path, size: int) -> Work:
    """Do so for several videos; return the sum."""
    work = Work(0.0, 0.0, 0, 0.0, 0.0, 0.0, 0, 0)
    for number, source in enumerate(sources):
        work = work.plus(transcode(source, folder / f"{number}.mp4", size))
    return work


def fastest(rounds: Sequence[Work]) -> Work:
    """Return the same work, done several times, with the shortest time of each part."""
    return rounds[0]._replace(
        decode_s=min(work.decode_s for work in rounds),
        encode_s=min(work.encode_s for work in rounds),
        read_s=min(work.read_s for work in rounds),
    )


def _decode(source: Path, size: int) -> tuple[list[Any], float, float]:
    import av

    before = time.process_time()
    frames: list[Any] = []
    mpx = 0.0
    with av.open(str(source)) as container:
        container.streams.video[0].thread_count = 1
        for frame in container.decode(video=0):
            mpx += frame.width * frame.height / 1e6
            small = frame.reformat(size, size, format="yuv420p", interpolation="AREA")
            small.pts = len(frames)
            small.time_base = Fraction(1, 30)
            frames.append(small)
    return frames, mpx, time.process_time() - before


def _encode(target: Path, frames: Sequence[Any], size: int) -> None:
    import av

    with av.open(str(target), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30)
        stream.width = stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": _CRF, "threads": "1"}
        for packet in _packets(stream, frames):
            container.mux(packet)


def _packets(stream: Any, frames: Sequence[Any]) -> Iterator[Any]:
    for frame in frames:
        yield stream.encode(frame)
    yield stream.encode(None)
