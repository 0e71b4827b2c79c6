"""When a camera started: on made signals, and on real views of one person."""

import os
from pathlib import Path

import numpy as np
import pytest
from small_raw import FPS, RATE_HZ, SET_S, bend_deg, film_from, skeleton

from prepare.alignment import estimate_offset, joint_speed
from prepare.footage import list_frames, motion_energy

DATA = Path(os.environ.get("FLEX_COACH_DATA", Path(__file__).parents[3] / "shared/data"))
MULTIVIEW = DATA / "multiview"


@pytest.mark.parametrize("offset_s", [-1.3, 0.0, 0.9])
def test_an_offset_is_found_within_a_frame(offset_s: float) -> None:
    reference = joint_speed(skeleton(np.arange(0, SET_S, 1 / RATE_HZ)), RATE_HZ)
    times_s = np.arange(0, SET_S - 1, 1 / FPS)
    seen = np.abs(np.gradient(bend_deg(times_s + offset_s))) ** 1.5
    noise = np.random.default_rng(0).uniform(0, 0.3, size=len(times_s))
    found = estimate_offset(times_s, seen + noise, RATE_HZ, reference)
    assert found.offset_s == pytest.approx(offset_s, abs=1 / FPS)
    assert found.correlation > 0.8
    assert found.drift_s < 2 / FPS


def test_noise_does_not_look_like_the_skeleton() -> None:
    reference = joint_speed(skeleton(np.arange(0, SET_S, 1 / RATE_HZ)), RATE_HZ)
    times_s = np.arange(0, SET_S, 1 / FPS)
    noise = np.random.default_rng(0).uniform(size=len(times_s))
    assert estimate_offset(times_s, noise, RATE_HZ, reference).correlation < 0.5


def test_the_change_of_pictures_is_timed_between_them(tmp_path: Path) -> None:
    film_from(0.0, 1.0)(tmp_path / "View-1.mp4")
    times_s, energy = motion_energy(tmp_path / "View-1.mp4")
    assert len(times_s) == len(energy) == len(list_frames(tmp_path / "View-1.mp4").times_s) - 1
    assert times_s[0] == pytest.approx(0.5 / FPS, abs=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(not MULTIVIEW.is_dir(), reason="the real views are not here")
def test_a_real_view_that_is_seven_frames_late_is_found() -> None:
    times_s, one = motion_energy(MULTIVIEW / "cam01.mp4")
    _, other = motion_energy(MULTIVIEW / "cam03.mp4")
    rate_hz = 1 / float(np.median(np.diff(times_s)))
    late = estimate_offset(times_s[:-7], other[7:], rate_hz, one, most_s=0.5)
    even = estimate_offset(times_s, other, rate_hz, one, most_s=0.5)
    assert late.offset_s - even.offset_s == pytest.approx(7 / rate_hz, abs=1.5 / rate_hz)
