"""Makes heads unrecognisable: where the skeleton's head lands in a calibrated view, a mosaic.

    cameras = read_cameras(path, views)
    centre, radius = head_in(cameras["View-1"], points)          # (21, 3)
    mosaic(picture, centre, radius)                              # in place

cameras.yaml has one entry a view: width and height in pixels, `matrix` K (3 × 3), `rotation` R
(3 × 3) and `translation` t (3), such that a point x of the skeleton lands at K (R x + t).
"""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from flex.number_table import Floats
from flex.problems import InputError, Problem, problems_of
from flex.sample import Positive
from flex.skeleton import INDEX
from flex.yaml_places import read_yaml

# A head with hair is about as far across as 2.6 times the way from its joint to the neck.
HEAD_RADIUS = 1.3
_BLOCKS = 3  # across the radius
_HEAD, _NECK = INDEX["head"], INDEX["neck"]
Row = Annotated[tuple[float, float, float], Field()]


class Calibration(BaseModel):
    """A pinhole camera without distortion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Positive
    height: Positive
    matrix: tuple[Row, Row, Row]
    rotation: tuple[Row, Row, Row]
    translation: Row


_KIND = TypeAdapter(dict[str, Calibration])


def read_cameras(path: Path, views: Collection[str]) -> dict[str, Calibration]:
    """Return view → calibration.

    Raises:
        InputError: the file cannot be read, an entry is wrong, or a view has none.
    """
    placed = read_yaml(path)
    try:
        cameras = _KIND.validate_python(placed.data)
    except ValidationError as error:
        keys = sorted(Calibration.model_fields)
        raise InputError(problems_of(error, placed.place, keys)) from error
    lacking = [view for view in views if view not in cameras]
    if lacking:
        message = f"has no entry for {', '.join(lacking)}; --blur-faces needs all views"
        raise InputError([Problem(str(path), message)])
    return cameras


def head_in(camera: Calibration, points: Floats) -> tuple[Floats, float] | None:
    """Return centre (column, row) and radius of a head in pixels; `None` if it is behind.

    Args:
        camera: of the view.
        points: (21, 3) joints in the unit of the calibration.
    """
    matrix = np.array(camera.matrix)
    seen = np.array(camera.rotation) @ points[_HEAD] + np.array(camera.translation)
    if seen[2] <= 0:
        return None
    radius = HEAD_RADIUS * float(np.linalg.norm(points[_HEAD] - points[_NECK]))
    landed = matrix @ seen / seen[2]
    return landed[:2], radius * float(matrix[0, 0]) / float(seen[2])


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
