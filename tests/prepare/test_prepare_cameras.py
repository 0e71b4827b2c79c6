"""A calibrated recording makes clips whose cameras fit the pictures that were written."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from small_raw import HEIGHT, WIDTH, Run, camera, film_from, write_raw

from flex.cameras import Calibration, cameras_path, project, read_cameras
from flex.video import probe

POINTS = np.random.default_rng(0).uniform(-0.5, 1.5, (21, 3))


@pytest.mark.parametrize("form", ["mp4", "jpeg"])
def test_cameras_are_scaled_to_the_pictures(tmp_path: Path, run: Run, form: str) -> None:
    write_raw(tmp_path / "raw", cameras="cameras.yaml")
    assert run(lines=32, form=form).clips == 3
    root = tmp_path / "root"
    for number in (1, 2, 3):
        found = read_cameras(cameras_path(root, f"A02/00{number}"), ["View-1"])["View-1"]
        film = root / f"A02/00{number}" / ("View-1.mp4" if form == "mp4" else "View-1")
        picture = probe(film)
        assert (found.width, found.height) == (picture.width, picture.height) == (48, 32)
        whole = project(Calibration.model_validate(camera()), POINTS)
        assert project(found, POINTS) == pytest.approx(whole * 32 / HEIGHT, abs=1e-4)


def test_a_calibration_of_larger_pictures_fits_too(tmp_path: Path, run: Run) -> None:
    folder = write_raw(tmp_path / "raw", cameras="cameras.yaml")
    large = {**camera(), "width": 2 * WIDTH, "height": 2 * HEIGHT}
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"View-1": large}))
    run(form="mp4")
    found = read_cameras(cameras_path(tmp_path / "root", "A02/001"))["View-1"]
    whole = project(Calibration.model_validate(large), POINTS)
    assert project(found, POINTS) == pytest.approx(whole / 2, abs=1e-4)


def test_views_without_calibration_are_left_out(tmp_path: Path, run: Run) -> None:
    films = {"View-1": film_from(0.5), "View-2": film_from(0.0)}
    folder = write_raw(tmp_path / "raw", films=films, cameras="cameras.yaml")
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"View-2": camera(), "View-9": camera()}))
    assert run(form="mp4").clips == 3
    assert list(read_cameras(cameras_path(tmp_path / "root", "A02/001"))) == ["View-2"]


def test_no_calibration_makes_no_file(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    assert run(form="mp4").clips == 3
    assert not (tmp_path / "root/Cameras").exists()


def test_a_wrong_calibration_puts_the_clips_in_quarantine(tmp_path: Path, run: Run) -> None:
    folder = write_raw(tmp_path / "raw", cameras="cameras.yaml")
    wrong = {**camera(), "rotation": [[1, 0, 0], [0, 1, 0], [0, 1, 0]]}
    (folder / "cameras.yaml").write_text(yaml.safe_dump({"View-1": wrong}))
    done = run(form="mp4")
    assert (done.clips, len(done.quarantined)) == (0, 3)
    assert "cameras.yaml:" in done.quarantined[0].reason
    assert "View-1: rotation: Value error, expected rows" in done.quarantined[0].reason
