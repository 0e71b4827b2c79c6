"""Camera advice, on made pictures whose fault is known."""

from typing import Any

import numpy as np
import pytest
import yaml

from coach.framing import ADVICE_FILE, THRESHOLDS_FILE, framing
from flex.video import Frames

SIDE, COUNT = 112, 16


def room() -> Any:
    """A room with things in it, so that a moving camera can be told."""
    random = np.random.default_rng(3)
    coarse = random.integers(60, 160, (14, 14))
    return np.kron(coarse, np.ones((10, 10), int))


def frames(pictures: Any) -> Frames:
    pixels = np.repeat(np.stack(pictures)[..., None], 3, axis=3).clip(0, 255).astype(np.uint8)
    return Frames(pixels, tuple(range(0, 2 * COUNT, 2)), 24.0, 2 * COUNT)


def lift(size: int = 40, *, left: int = 36, low: int = 64, high: int = 20) -> Frames:
    """A bright block that goes up and down before the room."""
    pictures = []
    for number in range(COUNT):
        picture = room()[:SIDE, :SIDE].copy()
        top = round(low - (low - high) * np.sin(np.pi * number / (COUNT - 1)))
        picture[max(top, 0) : top + size, max(left, 0) : left + size] = 230
        pictures.append(picture)
    return frames(pictures)


def test_a_well_framed_lift_needs_no_advice() -> None:
    found = framing(lift())
    assert found.faults == ()
    assert found.advice == ()
    assert 0.5 < found.height < 0.9
    assert found.shift == 0


def test_a_still_picture() -> None:
    assert framing(frames([room()[:SIDE, :SIDE]] * COUNT)).faults == ("still",)


def test_a_movement_that_is_too_small() -> None:
    assert framing(lift(8, low=60, high=52)).faults == ("small",)


@pytest.mark.parametrize("where", [{"left": -15}, {"left": 90}, {"high": -20}])
def test_a_movement_that_leaves_the_picture(where: dict[str, int]) -> None:
    assert framing(lift(**where)).faults == ("cut_off",)


def test_feet_and_shadows_at_the_lower_edge_are_no_fault() -> None:
    assert framing(lift(30, low=90)).faults == ()


def test_a_dark_picture() -> None:
    bright = lift()
    dark = Frames((bright.pixels * 0.2).astype(np.uint8), bright.indices, 24.0, 32)
    found = framing(dark)
    assert found.faults == ("dark",)
    assert "light" in found.advice[0]


def test_a_camera_that_moves() -> None:
    random = np.random.default_rng(1)
    offsets = random.integers(0, 8, (COUNT, 2))
    shaken = [room()[y : y + SIDE, x : x + SIDE] for y, x in offsets]
    assert framing(frames(shaken)).faults == ("shaky",)


def test_oblong_pictures_and_few_frames() -> None:
    whole = lift()
    few = Frames(whole.pixels[:2, :56, :], whole.indices[:2], 24.0, 32)
    assert 0 <= framing(few).moving <= 1


def test_every_fault_has_wording_and_every_threshold_a_source() -> None:
    thresholds = yaml.safe_load(THRESHOLDS_FILE.read_text())
    assert all(set(row) == {"value", "source"} for row in thresholds.values())
    advice = yaml.safe_load(ADVICE_FILE.read_text())
    assert set(advice) == {"dark", "shaky", "still", "small", "cut_off"}
