"""The filters against the textbook's formula and against another implementation, without scipy."""

from typing import Any

import numpy as np
import pytest

from flex.number_table import Floats
from flex.semg import envelope, filtered_semg

RATE_HZ = 2000.0
LOW_HZ, HIGH_HZ, ORDER = 20.0, 450.0, 4


def power_gain(hertz: Floats, rate_hz: float = RATE_HZ) -> Floats:
    """|H|² of a Butterworth band-pass by the bilinear transform: run twice, it is the amplitude's.

    With Ω = tan(π f / rate), the low-pass variable is (Ω² − Ω₁ Ω₂) / (Ω (Ω₂ − Ω₁)).
    """
    warped, low, high = (np.tan(np.pi * np.asarray(f) / rate_hz) for f in (hertz, LOW_HZ, HIGH_HZ))
    safe = np.where(warped == 0, 1.0, warped)
    variable = np.where(warped == 0, np.inf, (safe**2 - low * high) / (safe * (high - low)))
    gain: Floats = 1 / (1 + variable ** (2 * ORDER))
    return gain


def by_fourier(values: Floats, rate_hz: float = RATE_HZ) -> Floats:
    """The same chain in the frequency domain: zero phase by its nature."""
    centred = values - values.mean()
    hertz: Floats = np.asarray(np.fft.rfftfreq(len(values), 1 / rate_hz), dtype=np.float64)
    filtered: Floats = np.fft.irfft(np.fft.rfft(centred) * power_gain(hertz, rate_hz), len(values))
    return filtered


def window_means(values: Floats, half: int) -> Floats:
    return np.array([values[max(0, at - half) : at + half + 1].mean() for at in range(len(values))])


@pytest.mark.parametrize("hertz", [10.0, 20.0, 35.0, 95.0, 250.0, 450.0, 600.0, 800.0])
def test_response_is_that_of_the_formula(hertz: float) -> None:
    times_s = np.arange(8000) / RATE_HZ
    tone = np.cos(2 * np.pi * hertz * times_s)
    middle = slice(2000, -2000)
    found = filtered_semg(tone, RATE_HZ)[middle]
    gain = float(power_gain(np.array(hertz)))
    # Zero phase: what comes out is the same cosine, smaller.
    assert found == pytest.approx(gain * tone[middle], abs=2e-3)


def test_band_edges_are_halved() -> None:
    edges = power_gain(np.array([LOW_HZ, HIGH_HZ]))
    assert edges == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("average", ["rms", "mean"])
def test_an_implementation_by_fourier_gives_the_same_envelope(average: Any) -> None:
    rng = np.random.default_rng(4)
    strength = 0.05 + np.sin(np.linspace(0, 3 * np.pi, 6000)) ** 2
    raw = 0.3 + rng.normal(size=6000) * strength
    filtered, half = by_fourier(raw), 125  # 125 ms are 250 samples
    expected = (
        np.sqrt(window_means(filtered**2, half))
        if average == "rms"
        else window_means(np.abs(filtered), half)
    )
    found = envelope(raw, RATE_HZ, average=average)
    middle = slice(500, -500)  # Fourier takes the recording for periodic
    assert found[middle] == pytest.approx(expected[middle], rel=2e-3, abs=2e-4)


def test_envelope_of_a_modulated_tone_is_known() -> None:
    # (1 + .5 cos 2π t) cos 2π 120 t: over 125 ms the RMS is the course / √2, hardly blurred.
    times_s = np.arange(8000) / RATE_HZ
    course = 1 + 0.5 * np.cos(2 * np.pi * times_s)
    tone = course * np.cos(2 * np.pi * 120 * times_s)
    found = envelope(tone, RATE_HZ)[1000:-1000]
    assert found == pytest.approx(course[1000:-1000] / np.sqrt(2), rel=0.03)


def test_a_plain_moving_average_by_hand() -> None:
    # Mean 2; rectified 1 1 1 3; three samples a window, at the ends two.
    raw = np.array([1.0, 1.0, 1.0, 5.0])
    found = envelope(raw, 200.0, 0.015, average="mean", band_pass=False)
    assert found == pytest.approx([1, 1, 5 / 3, 2])


def test_slow_recordings_need_the_plain_average() -> None:
    slow = np.random.default_rng(0).normal(size=(400, 2))
    with pytest.raises(ValueError, match="needs a sample rate above 900 Hz, found 200 Hz"):
        envelope(slow, 200.0)
    assert envelope(slow, 200.0, band_pass=False).shape == (400, 2)
    with pytest.raises(ValueError, match="below half of the sample rate, found 150 Hz"):
        envelope(slow, 200.0, band_pass=False, notch_hz=150)


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, float("nan")])
def test_a_rate_that_is_none_is_refused_without_the_band_too(rate_hz: float) -> None:
    with pytest.raises(ValueError, match="expected a sample rate above 0 Hz"):
        envelope(np.ones(100), rate_hz, band_pass=False)


@pytest.mark.parametrize("shape", [(), (0,), (1, 3), (2, 2, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(samples,\) or \(samples, channels\)"):
        filtered_semg(np.ones(shape), RATE_HZ)


def test_the_notch_alone_leaves_the_rest() -> None:
    times_s = np.arange(8000) / RATE_HZ
    slow, hum = np.cos(2 * np.pi * 5 * times_s), np.cos(2 * np.pi * 50 * times_s)
    found = filtered_semg(slow + hum, RATE_HZ, band_pass=False, notch_hz=50)
    assert found[2000:-2000] == pytest.approx(slow[2000:-2000], abs=0.02)
