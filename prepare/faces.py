"""Makes heads unrecognisable: where the skeleton's head lands in a calibrated view, a mosaic.

camera = read_cameras(path)["View-1"]                        # `flex.cameras`
centre, radius = head_in(camera, points)                     # (21, 3)
mosaic(picture, centre, radius)                              # in place
"""

import numpy as np
from numpy.typing import NDArray

from flex.cameras import Calibration, project, seen_from
from flex.number_table import Floats
from flex.skeleton import INDEX

# A head with hair is about as far across as 2.6 times the way from its joint to the neck.
HEAD_RADIUS = 1.3
_BLOCKS = 3  # across the radius
_HEAD, _NECK = INDEX["head"], INDEX["neck"]


def head_in(camera: Calibration, points: Floats) -> tuple[Floats, float] | None:
    """Return centre (column, row) and radius of a head in pixels; `None` if it is behind.

    Args:
        camera: of the view.
        points: (21, 3) joints in the unit of the calibration.
    """
    depth = float(seen_from(camera, points[_HEAD])[2])
    if depth <= 0:
        return None
    radius = HEAD_RADIUS * float(np.linalg.norm(points[_HEAD] - points[_NECK]))
    return project(camera, points[_HEAD]), radius * camera.matrix[0][0] / depth


def mosaic(picture: NDArray[np.uint8], centre: Floats, radius: float) -> None:
    """Replace a disc by the means of coarse blocks, in place; nothing else changes.

    Args:
        picture: (H, W) one plane.
        centre: column and row of the middle, which may lie outside.
        radius: in pixels.
    """
    height, width = picture.shape
    left, top = (max(0, int(c - radius)) for c in centre)
    right = min(width, int(np.ceil(centre[0] + radius)) + 1)
    bottom = min(height, int(np.ceil(centre[1] + radius)) + 1)
    if left >= right or top >= bottom:
        return
    part = picture[top:bottom, left:right]
    block = max(2, round(radius / _BLOCKS))
    rows = np.arange(part.shape[0]) // block
    columns = np.arange(part.shape[1]) // block
    sums = np.zeros((rows[-1] + 1, columns[-1] + 1))
    np.add.at(sums, (rows[:, None], columns[None, :]), part)
    means = sums / np.outer(np.bincount(rows), np.bincount(columns))
    down, across = np.mgrid[top:bottom, left:right]
    inside = (across - centre[0]) ** 2 + (down - centre[1]) ** 2 <= radius**2
    part[inside] = np.rint(means)[rows[:, None], columns[None, :]][inside].astype(np.uint8)
