"""Cameras of a data folder: where points land, what a file may hold, and which file counts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flex.cameras import (
    Calibration,
    cameras_path,
    find_cameras,
    project,
    read_cameras,
    scaled,
    seen_from,
    write_cameras,
)
from flex.problems import InputError

# At (3, 0, 1.25), looking along −x, so that y runs to the right and z up.
ENTRY: dict[str, Any] = {
    "width": 96,
    "height": 64,
    "matrix": [[100.0, 0.0, 48.0], [0.0, 80.0, 32.0], [0.0, 0.0, 1.0]],
    "rotation": [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]],
    "translation": [0.0, 1.25, 3.0],
}
CAMERA = Calibration.model_validate(ENTRY)


def write(path: Path, cameras: Any) -> Path:
    path.write_text(json.dumps(cameras, indent=1))
    return path


def test_points_land_where_a_pinhole_says() -> None:
    # 0.5 m to the right and 0.25 m above the lens, 2 m away: 100 × ¼ and 80 × ⅛ from the middle.
    points = np.array([[1.0, 0.5, 1.5], [1.0, 0.0, 1.25], [2.0, -0.5, 1.0]])
    assert seen_from(CAMERA, points)[0] == pytest.approx([0.5, -0.25, 2.0])
    landed = project(CAMERA, points)
    assert landed == pytest.approx(np.array([[73.0, 22.0], [48.0, 32.0], [-2.0, 52.0]]))
    assert project(CAMERA, np.tile(points, (4, 2, 1, 1))).shape == (4, 2, 3, 2)


def test_what_is_not_in_front_of_the_camera_lands_nowhere() -> None:
    landed = project(CAMERA, np.array([[4.0, 0.0, 1.0], [3.0, 0.2, 1.0], [2.9, 0.0, 1.25]]))
    assert np.isnan(landed).tolist() == [[True, True], [True, True], [False, False]]


def test_points_have_three_coordinates() -> None:
    with pytest.raises(ValueError, match=r"expected points \(..., 3\), found \(5, 2\)"):
        project(CAMERA, np.zeros((5, 2)))


def test_smaller_pictures_have_the_same_points_at_the_same_share() -> None:
    points = np.random.default_rng(0).uniform(-0.8, 1.8, (21, 3))
    small = scaled(CAMERA, 48, 30)
    assert (small.width, small.height) == (48, 30)
    share = np.array([48 / 96, 30 / 64])
    assert project(small, points) == pytest.approx(project(CAMERA, points) * share)


def test_what_is_written_is_read_and_the_same_is_not_written_again(tmp_path: Path) -> None:
    path = cameras_path(tmp_path, "A16/003")
    turn = np.deg2rad(33.3)
    rotation = [[np.cos(turn), np.sin(turn), 0], [0, 0, -1], [-np.sin(turn), np.cos(turn), 0]]
    other = Calibration.model_validate({**ENTRY, "rotation": rotation, "translation": [1e-5, 0, 3]})
    write_cameras(path, {"View-1": CAMERA, "Side": other})
    assert path == tmp_path / "Cameras/A16/003/cameras.json"
    assert set(json.loads(path.read_text())) == {"View-1", "Side"}
    found = read_cameras(path, ["Side"])
    assert found["View-1"] == CAMERA
    points = np.random.default_rng(0).uniform(-0.5, 1.5, (50, 3))
    assert project(found["Side"], points) == pytest.approx(project(other, points), abs=1e-4)
    before = path.stat().st_mtime_ns
    write_cameras(path, {"View-1": CAMERA, "Side": other})
    assert path.stat().st_mtime_ns == before
    write_cameras(path, {"View-1": CAMERA})
    assert set(read_cameras(path)) == {"View-1"}


def test_the_file_of_a_clip_counts_before_that_of_all(tmp_path: Path) -> None:
    assert find_cameras(tmp_path, "A16/003") is None
    shared = write(tmp_path / "cameras.json", {"View-1": ENTRY})
    assert find_cameras(tmp_path, "A16/003") == shared
    own = cameras_path(tmp_path, "A16/003")
    write_cameras(own, {"View-1": CAMERA})
    assert find_cameras(tmp_path, "A16/003") == own
    assert find_cameras(tmp_path, "A16/004") == shared


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matrix": None}, "View-2: matrix: Input should be a valid tuple, found None"),
        ({"rotatoin": 1}, "View-2: unknown key 'rotatoin' (did you mean rotation?)"),
        ({"translation": [0, "x", 1]}, "View-2: translation.1: Input should be a valid number"),
        ({"translation": [0, float("nan"), 1]}, "View-2: translation.1: Input should be a finite"),
        ({"width": 0}, "View-2: width: Input should be greater than 0, found 0"),
        (
            {"rotation": [[1, 0, 0], [0, 1, 0], [0, 0, 2]]},
            "View-2: rotation: Value error, expected",
        ),
        ({"matrix": [[9, 0, 1], [0, -9, 1], [0, 0, 1]]}, "View-2: matrix: Value error, expected"),
        ({"matrix": [[9, 0, 1], [0, 9, 1], [0, 1, 1]]}, "View-2: matrix: Value error, expected"),
    ],
)
def test_a_fault_is_told_with_file_line_view_and_key(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "cameras.json", {"View-1": ENTRY, "View-2": {**ENTRY, **change}})
    with pytest.raises(InputError) as caught:
        read_cameras(path)
    (problem,) = caught.value.problems
    name, _, line = problem.place.rpartition(":")
    assert (name, int(line) > 20) == (str(path), True)
    assert problem.message.startswith(message)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    lacking = {name: value for name, value in ENTRY.items() if name != "matrix"}
    path = write(tmp_path / "cameras.json", {"Front": lacking, "Side": 3, "View-1": ENTRY})
    with pytest.raises(InputError) as caught:
        read_cameras(path, ["View-1", "View-2"])
    first, second, third = (problem.message for problem in caught.value.problems)
    assert first == "Front: 'matrix' is missing"
    assert second.startswith("Side: Input should be a valid dictionary")
    assert third == "has no entry for View-2"


@pytest.mark.parametrize(
    ("text", "message"),
    [("[1, 2]", "expected view → camera, found list"), ("{", "not valid YAML"), ("", "NoneType")],
)
def test_a_file_that_holds_no_cameras_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cameras.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_cameras(tmp_path / "cameras.json")
