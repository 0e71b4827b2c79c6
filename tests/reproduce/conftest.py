"""The fixtures of the room."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cheap_chain import Cheap


@pytest.fixture
def cheap(tmp_path: Path) -> Cheap:
    folder = tmp_path / "out"
    folder.mkdir()
    return Cheap(folder)


@pytest.fixture
def film() -> Callable[[Path], Path]:
    """Return what writes a film of 12 frames, 64 × 48, that gets brighter."""
    return _film


def _film(path: Path) -> Path:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            picture = np.full((48, 64, 3), 40 + 15 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
