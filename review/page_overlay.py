"""A skeleton where a camera saw it, to be drawn over that camera's view.

    drawing = overlay(points, camera, root / "A16/001/View-1.mp4")

The first frame of a view belongs to the first row of the skeleton, and the last to the last, as in
FLEX's layout, where both are 103.
"""

from pathlib import Path
from typing import Any

import numpy as np

from flex.cameras import Calibration, project
from flex.number_table import Floats

_DIGITS = 1  # of a pixel, which keeps the answer small


def overlay(points: Floats, camera: Calibration, picture: Path) -> dict[str, Any]:
    """Return a skeleton in the pictures of a view, as plain values for JSON.

    Args:
        points: (T, 21, 3) in the unit of the calibration.
        camera: of the view.
        picture: a video file, or a folder of frames.

    Returns:
        frames: (T, 42) column and row of each joint in pixels, `None` behind the camera.
        width: of the picture that these pixels count in.
        height: likewise.
        last_s: when the video shows its last frame, in seconds; `None` for a folder.

    Raises:
        InputError: the video cannot be read.
    """
    rows = project(camera, points).reshape(len(points), -1).round(_DIGITS)
    return {
        "frames": np.where(np.isnan(rows), None, rows).tolist(),  # type: ignore[call-overload]
        "width": camera.width,
        "height": camera.height,
        "last_s": None if picture.is_dir() else _last_s(picture),
    }


def _last_s(path: Path) -> float:
    from flex.video_reader import picture_times, probe_video

    return picture_times(path, [probe_video(path).frames - 1])[0]
