"""A small data folder in the authors' layout, made of real JPEGs, CSVs and videos."""

import functools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flex.dataset import semg_path, skeleton_path
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.sample import Annotation

WriteClip = Callable[..., Path]
MakeRecord = Callable[..., Annotation]


@functools.cache
def _pixels(shade: int, width: int, height: int) -> Any:
    import av

    array = np.full((height, width, 3), shade % 256, dtype=np.uint8)
    return av.VideoFrame.from_ndarray(array, format="rgb24")


@functools.cache
def _jpeg(shade: int, width: int = 16, height: int = 16) -> bytes:
    import av

    codec: Any = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuvj420p"
    codec.time_base = Fraction(1, 25)
    frame = _pixels(shade, width, height).reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


@pytest.fixture(scope="session")
def graph() -> Graph:
    return load_graph()


@pytest.fixture(scope="session")
def jpeg() -> Callable[..., bytes]:
    return _jpeg


@pytest.fixture(scope="session")
def write_video() -> Callable[[Path, int, int], None]:
    def write(path: Path, frames: int, shade: int = 0) -> None:
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("mpeg4", rate=30)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
            for index in range(frames):
                container.mux(stream.encode(_pixels(shade + index, 32, 32)))
            container.mux(stream.encode(None))

    return write


@pytest.fixture
def write_clip(tmp_path: Path) -> WriteClip:
    """Write one clip's recordings under tmp_path and return tmp_path."""

    def write(clip: str, views: int = 2, frames: int = 103, shade: int = 0, semg: int = 4) -> Path:
        for view in range(1, views + 1):
            folder = tmp_path / clip / f"View-{view}"
            folder.mkdir(parents=True)
            for number in range(1, frames + 1):
                data = _jpeg(shade + view) + bytes([number])
                (folder / f"img_{number:05d}.JPG").write_bytes(data)
        if not semg:
            return tmp_path
        rng = np.random.default_rng(shade)
        points = skeleton_path(tmp_path, clip)
        points.parent.mkdir(parents=True)
        header = ",".join(f"j{joint}_{axis}" for joint in range(21) for axis in "xyz")
        np.savetxt(points, rng.normal(size=(103, 63)), "%.4f", ",", header=header, comments="")
        signal = semg_path(tmp_path, clip)
        signal.parent.mkdir(parents=True)
        np.savetxt(signal, rng.normal(size=(40, semg)), "%.4f", ",")
        return tmp_path

    return write


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """Make a record; "A01/001" and so on give the action unless it is named."""

    def make(clip: str, **fields: Any) -> Annotation:
        errors = [
            dict(zip(("key_step", "error_type"), text.split(":"), strict=True))
            for text in fields.pop("errors", ())
        ]
        fields.setdefault("action", clip.partition("/")[0])
        return Annotation.model_validate({"clip": clip, "errors": errors, **fields})

    return make
