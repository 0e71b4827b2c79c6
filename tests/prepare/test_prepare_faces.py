"""Heads become unrecognisable, and nothing else changes."""

from pathlib import Path

import numpy as np
import pytest
from small_raw import WIDTH, Run, camera, skeleton, write_raw

from flex.cameras import Calibration
from flex.problems import InputError
from flex.video_reader import read_pictures
from prepare.faces import head_in, mosaic


def test_a_head_lands_where_a_pinhole_says() -> None:
    points = skeleton(np.zeros(1))[0]
    found = head_in(Calibration.model_validate(camera()), points)
    assert found is not None
    centre, radius = found
    # The head is 0.40 m above the camera and 3 m away: 100 × 0.40 / 3 above the middle, row 32.
    assert centre == pytest.approx([48.0, 32 - 100 * 0.40 / 3])
    assert radius == pytest.approx(1.3 * 0.13 * 100 / 3)


def test_a_mosaic_takes_the_detail_of_the_disc_and_leaves_the_rest() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 90), dtype=np.uint8)
    before = picture.copy()
    centre, radius = np.array([50.0, 30.0]), 16.0
    mosaic(picture, centre, radius)
    rows, columns = np.mgrid[0:80, 0:90]
    inside = (columns - 50) ** 2 + (rows - 30) ** 2 <= radius**2
    assert np.array_equal(picture[~inside], before[~inside])
    assert np.std(picture[inside]) < 0.3 * np.std(before[inside])
    assert len(np.unique(picture[inside])) < 50


@pytest.mark.parametrize("centre", [(-3.0, 5.0), (95.0, 5.0), (300.0, 300.0)])
def test_a_head_at_the_edge_or_outside_is_no_fault(centre: tuple[float, float]) -> None:
    picture = np.full((40, 90), 7, dtype=np.uint8)
    mosaic(picture, np.array(centre), 8.0)
    assert (picture == 7).all()


def test_clips_lose_the_detail_of_the_head_only(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw", cameras="cameras.yaml")
    run("plain", crf=1, form="mp4")
    run("blurred", crf=1, form="mp4", blur_faces=True)
    size = (WIDTH, 64)
    clips = [tmp_path / root / "A02/001/View-1.mp4" for root in ("plain", "blurred")]
    plain, blurred = (read_pictures(clip, [5], size)[0].astype(float) for clip in clips)
    head = (slice(19, 23), slice(45, 52))  # of the fine texture around it, in the disc
    assert blurred[head].std() < 0.4 * plain[head].std()
    assert np.abs(blurred[45:] - plain[45:]).mean() < 1.5


def test_no_calibration_is_an_error_before_anything_is_cut(tmp_path: Path, run: Run) -> None:
    write_raw(tmp_path / "raw")
    with pytest.raises(InputError, match=r"P01-A02/recording.yaml: cameras: names no calibration"):
        run(blur_faces=True)
    assert not (tmp_path / "root").exists()


def test_a_view_without_calibration_is_named(tmp_path: Path, run: Run) -> None:
    folder = write_raw(tmp_path / "raw", cameras="cameras.yaml")
    text = (folder / "cameras.yaml").read_text().replace("View-1", "View-2")
    (folder / "cameras.yaml").write_text(text)
    with pytest.raises(InputError, match="has no entry for View-1"):
        run(blur_faces=True)
