"""Where the cameras of a clip stood, and where a point of its skeleton lands in their pictures.

    path = find_cameras(root, "A16/001")            # `None`: nobody wrote it down
    cameras = read_cameras(path)                    # {"View-1": Calibration, …}
    pixels = project(cameras["View-1"], points)     # (T, 21, 3) → (T, 21, 2)

ROOT/Cameras/A16/001/cameras.json     ours: the cameras of one clip
ROOT/cameras.json                     those of all clips that have no file of their own

A file has one entry a view: `width` and `height` of its pictures in pixels, `matrix` K (3 × 3),
`rotation` R (3 × 3) and `translation` t (3), such that a point x lands at K (R x + t).
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from flex.files import write_text
from flex.number_table import Floats
from flex.problems import InputError, Loc, Problem, problems_of
from flex.yaml_places import read_yaml

CAMERAS_FOLDER = "Cameras"
CAMERAS_FILE = "cameras.json"
_DIGITS = 8
_SQUARE = 1e-3  # how far R may be from a rotation
Pixels = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Row = tuple[Finite, Finite, Finite]
Square = tuple[Row, Row, Row]


class Calibration(BaseModel):
    """A pinhole camera without distortion.

    Attributes:
        width: of the picture as it is shown, pixels.
        height: likewise.
        matrix: K, from directions to pixels; columns and rows count from the upper left corner
            of the picture, not from the middle of a pixel.
        rotation: R, whose rows point right and down in the picture, and into the scene.
        translation: t, in the unit of the skeleton.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: Pixels
    height: Pixels
    matrix: Square
    rotation: Square
    translation: Row

    @field_validator("matrix")
    @classmethod
    def _ends_in_001(cls, matrix: Square) -> Square:
        if matrix[2] != (0, 0, 1) or matrix[0][0] <= 0 or matrix[1][1] <= 0:
            raise ValueError("expected focal lengths above 0 and (0, 0, 1) as last row")
        return matrix

    @field_validator("rotation")
    @classmethod
    def _rotates(cls, rotation: Square) -> Square:
        rows = np.array(rotation)
        if not np.allclose(rows @ rows.T, np.eye(3), atol=_SQUARE):
            raise ValueError("expected rows of length 1 at right angles")
        return rotation


_KEYS = sorted(Calibration.model_fields)


def cameras_path(root: Path, clip: str) -> Path:
    """Return where the layout keeps the cameras of a clip."""
    return root / CAMERAS_FOLDER / clip / CAMERAS_FILE


def find_cameras(root: Path, clip: str) -> Path | None:
    """Return the file with the cameras of a clip: its own, else that of all clips, if any."""
    places = (cameras_path(root, clip), root / CAMERAS_FILE)
    return next((path for path in places if path.is_file()), None)


def read_cameras(path: Path, views: Collection[str] = ()) -> dict[str, Calibration]:
    """Return view → calibration, of a file in JSON or YAML.

    Args:
        path: the file.
        views: those that must be in it.

    Raises:
        InputError: the file cannot be read, a view has no entry, or an entry is wrong; the problem
            names file, line, view and key.
    """
    placed = read_yaml(path)
    if not isinstance(placed.data, dict):
        message = f"expected view → camera, found {type(placed.data).__name__}"
        raise InputError([Problem(str(path), message)])
    cameras: dict[str, Calibration] = {}
    problems = []
    for view, entry in placed.data.items():
        try:
            cameras[str(view)] = Calibration.model_validate(entry)
        except ValidationError as error:
            for place, message in problems_of(error, _within(placed.place, view), _KEYS):
                problems.append(Problem(place, f"{view}: {message.removeprefix(': ')}"))
    if lacking := [view for view in views if view not in placed.data]:
        problems.append(Problem(str(path), f"has no entry for {', '.join(lacking)}"))
    if problems:
        raise InputError(problems)
    return cameras


def _within(place: Callable[[Loc], str], view: Any) -> Callable[[Loc], str]:
    return lambda loc: place((str(view), *loc))


def write_cameras(path: Path, cameras: Mapping[str, Calibration]) -> None:
    """Write a file of cameras, one a line, atomically; one that says the same is left alone."""
    lines = (f"  {json.dumps(view)}: {_line(camera)}" for view, camera in cameras.items())
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text)


def _line(camera: Calibration) -> str:
    values = {name: np.array(value) for name, value in camera.model_dump().items()}
    return json.dumps({name: value.round(_DIGITS).tolist() for name, value in values.items()})


def scaled(camera: Calibration, width: int, height: int) -> Calibration:
    """Return the camera whose pictures were made smaller or larger.

    Args:
        camera: of the pictures as they were taken.
        width: of the new pictures, pixels.
        height: likewise.
    """
    across, down, last = np.array(camera.matrix)
    matrix = (across * width / camera.width, down * height / camera.height, last)
    rows = [row.tolist() for row in matrix]
    return Calibration.model_validate(
        {**camera.model_dump(), "width": width, "height": height, "matrix": rows}
    )


def seen_from(camera: Calibration, points: Floats) -> Floats:
    """Return points as the camera sees them: right, down, and ahead of it.

    Args:
        camera: where from.
        points: (..., 3) in the unit of the calibration.

    Returns:
        (..., 3) in the same unit; the last is the depth, negative behind the camera.

    Raises:
        ValueError: the last axis is not 3 long.
    """
    if points.shape[-1:] != (3,):
        raise ValueError(f"expected points (..., 3), found {points.shape}")
    seen: Floats = points @ np.array(camera.rotation).T + np.array(camera.translation)
    return seen


def project(camera: Calibration, points: Floats) -> Floats:
    """Return where points land in the picture, K (R x + t); they may land outside of it.

    Args:
        camera: of the view.
        points: (..., 3) in the unit of the calibration.

    Returns:
        (..., 2) column and row in pixels from the upper left corner; NaN for points that are not
        in front of the camera.

    Raises:
        ValueError: the last axis is not 3 long.
    """
    seen = seen_from(camera, points)
    depth = np.where(seen[..., 2:] > 0, seen[..., 2:], np.nan)
    landed: Floats = (seen / depth) @ np.array(camera.matrix)[:2].T
    return landed
