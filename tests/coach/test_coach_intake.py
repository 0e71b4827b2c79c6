"""The page finds what training has decoded, and keeps what people upload to itself."""

from pathlib import Path

import numpy as np
from coach_clips import write_film

from coach.intake import Intake
from coach.limits import Limits
from flex.video import Sampler
from vlm.cache import FrameCache

SMALL = Sampler(frames=8, pixels=56 * 56)


def test_m9_a_clip_that_training_decoded_is_not_decoded_again(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    trained = FrameCache(shared).get(write_film(tmp_path / "example.mp4"), SMALL)
    intake = Intake(Limits(), SMALL, tmp_path / "page", shared)
    lift = intake.take(tmp_path / "example.mp4")
    assert intake.decoded == 0
    np.testing.assert_array_equal(lift.upload.frames.pixels, trained.pixels)


def test_an_upload_leaves_nothing_in_the_shared_cache(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    FrameCache(shared).get(write_film(tmp_path / "example.mp4"), SMALL)
    before = sorted(shared.rglob("*"))
    upload = write_film(tmp_path / "upload.mp4", frames=48)
    intake = Intake(Limits(), SMALL, tmp_path / "page", shared)
    intake.take(upload)
    assert intake.decoded == 1
    assert sorted(shared.rglob("*")) == before
    assert list((tmp_path / "page").rglob("*.npz"))
