"""Can this frame, this folder of frames, this video be read? Without decoding all of it.

    list(view_problems(path, frames=103))   # one `Problem` for each thing that is wrong

A JPEG is read up to the header that states its size, and its last bytes are looked at for the end
marker that a broken-off copy lacks. A video is demuxed to its end and its first frame decoded.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from flex.dataset import frame_files
from flex.problems import Problem

_HEAD_BYTES = 64 * 1024
_TAIL_BYTES = 4 * 1024
_START, _END = b"\xff\xd8", b"\xff\xd9"
# SOF0–SOF15 state height and width; C4, C8 and CC in that range are other markers.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def view_problems(path: Path, frames: int, *, video_frames: Collection[int]) -> Iterator[Problem]:
    """Yield what is wrong with a view.

    Args:
        path: a folder of JPEG frames, or a video file.
        frames: how many frames a folder must hold.
        video_frames: how many frames a video may have; empty if any number will do.
    """
    if path.is_dir():
        yield from _folder_problems(path, frames)
    elif path.is_file():
        yield from _video_problems(path, video_frames)
    else:
        yield Problem(str(path), "is missing")


def jpeg_size(path: Path) -> tuple[int, int]:
    """Return (width, height) from the header of a JPEG.

    Raises:
        ValueError: not a JPEG, a broken header, or no end marker; says which.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - _TAIL_BYTES))
        tail = stream.read()
    if not head:
        raise ValueError("is empty")
    if not head.startswith(_START):
        raise ValueError("is not a JPEG")
    size = _size_in_header(head)
    if _END not in tail:
        raise ValueError("breaks off before the end of the picture")
    return size


def _size_in_header(head: bytes) -> tuple[int, int]:
    at = len(_START)
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _FRAME_HEADERS:
            height, width = head[at + 5 : at + 7], head[at + 7 : at + 9]
            return int.from_bytes(width), int.from_bytes(height)
        at += 1 if marker == 0xFF else 2 + int.from_bytes(head[at + 2 : at + 4])
    raise ValueError("has no readable JPEG header")


def _folder_problems(folder: Path, expected: int) -> Iterator[Problem]:
    files = frame_files(folder)
    if len(files) != expected:
        missing = _missing_frames(files, expected)
        hint = f"; missing: {', '.join(missing)}" if 0 < len(missing) <= 5 else ""
        yield Problem(str(folder), f"has {len(files)} frames, expected {expected}{hint}")
    sizes: dict[tuple[int, int], Path] = {}
    for file in files:
        try:
            sizes.setdefault(jpeg_size(file), file)
        except (ValueError, OSError) as error:
            yield Problem(str(file), str(error))
    if len(sizes) > 1:
        shown = ", ".join(f"{w}×{h} in {file.name}" for (w, h), file in sizes.items())
        yield Problem(str(folder), f"has frames of more than one size: {shown}")


def _missing_frames(files: list[Path], expected: int) -> list[str]:
    numbers = {int(found[0]) for file in files if (found := re.findall(r"\d+", file.stem)[-1:])}
    return [f"img_{n:05d}" for n in range(1, expected + 1) if n not in numbers]


def _video_problems(path: Path, expected: Collection[int]) -> Iterator[Problem]:
    import av
    import av.error

    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                yield Problem(str(path), "has no video stream")
                return
            stream = container.streams.video[0]
            stated, frames, picture = stream.frames, 0, None
            for packet in container.demux(stream):
                frames += bool(packet.size)
                if picture is None:
                    picture = next(iter(packet.decode()), None)
    except (av.error.FFmpegError, OSError) as error:
        yield Problem(str(path), f"cannot be decoded: {error}")
        return
    if picture is None or picture.is_corrupt:
        yield Problem(str(path), "has no picture that can be decoded")
    elif stated and frames < stated:
        yield Problem(str(path), f"breaks off after {frames} of {stated} frames")
    elif expected and frames not in expected:
        wanted = " or ".join(map(str, sorted(expected)))
        yield Problem(str(path), f"has {frames} frames, expected {wanted}")
