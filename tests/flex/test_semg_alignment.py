"""Envelopes at frames: known pulses land in their frames, whatever the frame rate does."""

import numpy as np
import pytest

from flex.number_table import Floats
from flex.semg_frames import even_times, frame_edges, frame_envelope, mean_at_frames

RATE_HZ = 2000.0


def pulses(at_s: Floats, lasts_s: float) -> Floats:
    """Short bursts of a 120 Hz tone, 20 ms wide, centred on known times: (samples, 1)."""
    times_s = np.arange(round(lasts_s * RATE_HZ)) / RATE_HZ
    bursts = np.exp(-(((times_s - at_s[:, None]) / 0.01) ** 2)).sum(axis=0)
    found: Floats = (bursts * np.sin(2 * np.pi * 120 * times_s))[:, None]
    return found


def centres(seen: Floats, times_s: Floats, at_s: Floats, reach_s: float) -> Floats:
    """Return the centre of mass of the envelope near each pulse."""
    found = []
    for centre in at_s:
        near = np.abs(times_s - centre) < reach_s
        found.append((seen[near] * times_s[near]).sum() / seen[near].sum())
    return np.array(found)


@pytest.mark.parametrize("fps", [24.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("start_s", [0.0, 0.31, -0.2])
def test_pulses_land_within_half_a_frame(fps: float, start_s: float) -> None:
    at_s = np.array([0.613, 1.207, 1.951])
    times_s = np.arange(int(2.4 * fps)) / fps + max(0.0, start_s)
    semg = pulses(at_s - start_s, 3.0)
    seen = frame_envelope(semg, RATE_HZ, times_s, start_s, window_s=0.02)[:, 0]
    tops = np.array([times_s[np.argmax(np.where(abs(times_s - c) < 0.2, seen, 0))] for c in at_s])
    assert np.abs(tops - at_s).max() <= 0.5 / fps + 1e-9
    assert np.abs(centres(seen, times_s, at_s, 0.2) - at_s).max() < 0.25 / fps


def test_frame_times_that_vary_are_followed() -> None:
    rng = np.random.default_rng(5)
    times_s = np.cumsum(rng.choice([1 / 60, 1 / 30, 1 / 15], size=90))
    at_s = np.array([0.7, 1.35, 2.2])
    seen = frame_envelope(pulses(at_s, 4.0), RATE_HZ, times_s, window_s=0.02)[:, 0]
    for centre in at_s:
        top = int(np.argmax(np.where(np.abs(times_s - centre) < 0.25, seen, 0)))
        edges = frame_edges(times_s)
        # The pulse lies in the frame's own interval.
        assert edges[top] <= centre <= edges[top + 1]


def test_wrong_times_put_pulses_elsewhere() -> None:
    at_s, times_s = np.array([1.0]), np.arange(60) / 30
    late = frame_envelope(pulses(at_s, 2.2), RATE_HZ, times_s, start_s=-0.1, window_s=0.02)[:, 0]
    assert times_s[late.argmax()] == pytest.approx(0.9, abs=0.5 / 30)


def test_means_by_hand() -> None:
    # At 10 Hz samples stand for −.05–.05, .05–.15, … s. Frames at .1 and .2: their intervals are
    # .05–.15 and .15–.25; at .1 and .25 they are .025–.175 and .175–.325.
    course = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert mean_at_frames(course, 10.0, [0.1, 0.2])[:, 0] == pytest.approx([1, 2])
    first = (0.025 * 0 + 0.1 * 1 + 0.025 * 2) / 0.15
    second = (0.075 * 2 + 0.075 * 3) / 0.15
    found = mean_at_frames(course, 10.0, [0.1, 0.25])
    assert found[:, 0] == pytest.approx([first, second])


def test_a_frame_shorter_than_a_sample_takes_that_sample() -> None:
    course = np.arange(10.0)[:, None]
    found = mean_at_frames(course, 10.0, np.array([0.4, 0.401, 0.402]))
    assert found[:, 0] == pytest.approx([4, 4, 4])


def test_an_interval_over_an_end_counts_by_what_was_recorded() -> None:
    course = np.array([[2.0], [4.0], [6.0]])
    # .2 s is the last sample, whose time ends at .25; the frame's would end at .3.
    assert mean_at_frames(course, 10.0, [0.0, 0.2])[:, 0] == pytest.approx(
        [(0.1 * 2 + 0.05 * 4) / 0.15, (0.05 * 4 + 0.1 * 6) / 0.15]
    )


@pytest.mark.parametrize("times_s", [[0.5], [0.1, 0.1], [0.2, 0.1], [0.1, float("nan")]])
def test_times_that_do_not_rise_are_refused(times_s: list[float]) -> None:
    with pytest.raises(ValueError, match="rising from frame to frame"):
        frame_edges(times_s)


def test_frames_outside_the_recording_are_told() -> None:
    semg = np.random.default_rng(0).normal(size=(2000, 1))
    message = r"2 frames lie outside the sEMG \(0–1 s\), the first at 1.2 s"
    with pytest.raises(ValueError, match=message):
        frame_envelope(semg, RATE_HZ, [0.8, 0.9, 1.2, 1.3])


def test_frames_of_which_only_the_number_is_known() -> None:
    assert even_times(5, 2.0) == pytest.approx([0, 0.5, 1, 1.5, 2])
    semg = np.random.default_rng(0).normal(size=(4000, 2))
    assert frame_envelope(semg, RATE_HZ, even_times(103, 2.0)).shape == (103, 2)
