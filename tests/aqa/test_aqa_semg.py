"""The peak share by hand, envelopes per frame, and what cannot be read."""

import numpy as np
import pytest

from aqa.options import Peaks
from aqa.semg_features import envelopes, main_muscle, peak_share
from flex.dataset import SemgSignal
from flex.graph_file import load_graph
from flex.problems import InputError

GRAPH = load_graph()
PEAKS: tuple[Peaks, ...] = ("raw", "envelope")


def signal(rate: float = 2000.0, **columns: list[float]) -> SemgSignal:
    names = tuple(name.replace("_", " ") for name in columns)
    return SemgSignal(np.array(list(columns.values())).T, names, rate)


def test_the_main_muscle_is_found_by_name() -> None:
    assert main_muscle(GRAPH, "A01") == "anterior deltoid"
    assert main_muscle(GRAPH, "A03") == "medial deltoid"
    assert main_muscle(GRAPH, "A15") == "biceps femoris"


def test_the_share_is_that_of_the_greatest_absolute_values() -> None:
    found = signal(
        right_anterior_deltoid=[0, 1, -0.5],
        left_medial_deltoid=[9, 9, 9],
        left_anterior_deltoid=[0.2, -3, 1],
        right_medial_deltoid=[9, 9, 9],
    )
    assert peak_share(found, "anterior deltoid").tolist() == [0.75, 0.25]


def test_two_columns_of_one_muscle_count_by_their_mean() -> None:
    # Left: means of absolute values are 2 and 3. Right: 1 and 1. So 3 of 4.
    found = signal(
        left_pectoralis_major_1=[1, -6],
        left_pectoralis_major_2=[3, 0],
        right_pectoralis_major_1=[1, 0],
        right_pectoralis_major_2=[-1, 2],
    )
    assert peak_share(found, "pectoralis major").tolist() == [0.75, 0.25]


def bursts(spike: float = 0.0) -> SemgSignal:
    """Return 1.03 s of noise: the left side works thrice as hard in the second half."""
    noise = np.random.default_rng(0).normal(size=(2060, 2))
    noise[1030:, 0] *= 3
    noise[100, 1] += spike
    return SemgSignal(noise, ("left biceps brachii", "right biceps brachii"), 2000.0)


def test_one_spike_moves_the_raw_share_more_than_the_envelopes() -> None:
    calm, spiked = (
        [peak_share(bursts(spike), "biceps brachii", peaks=peaks)[1] for peaks in PEAKS]
        for spike in (0.0, 20.0)
    )
    raw, of_envelope = np.subtract(spiked, calm)
    assert raw > 0.3
    assert of_envelope < raw / 3


def test_envelopes_follow_the_effort_frame_by_frame() -> None:
    waves = envelopes(bursts(), "biceps brachii")
    assert waves.shape == (2, 103)
    assert waves.mean() == pytest.approx(1, rel=1e-5)
    assert waves[0, 60:].mean() == pytest.approx(3 * waves[0, :43].mean(), rel=0.2)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (signal(left_biceps=[1.0], right_biceps=[1.0]), "no channel 'left triceps' among left"),
        (signal(left_triceps=[1.0, np.nan], right_triceps=[1.0, 1.0]), "empty or not finite"),
        (signal(left_triceps=[0.0], right_triceps=[0.0]), "triceps: both sides are silent"),
    ],
)
def test_what_cannot_be_read_is_told(found: SemgSignal, message: str) -> None:
    with pytest.raises(InputError, match=f"EMG.csv: .*{message}"):
        peak_share(found, "triceps", place="EMG.csv")


def test_a_rate_that_cannot_hold_the_band_is_told() -> None:
    slow = SemgSignal(np.ones((300, 2)), ("left biceps", "right biceps"), 200.0)
    with pytest.raises(InputError, match="above 900 Hz, found 200 Hz"):
        envelopes(slow, "biceps")
    assert peak_share(slow, "biceps").tolist() == [0.5, 0.5]
