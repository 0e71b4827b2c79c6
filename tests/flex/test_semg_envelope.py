from typing import Any

import numpy as np
import pytest

from flex.number_table import Floats
from flex.semg import envelope

RATE_HZ = 2000
SHORT_S, LONG_S = 0.8, 4.0


def _times(lasts_s: float) -> Floats:
    return np.arange(round(lasts_s * RATE_HZ)) / RATE_HZ


def _modulated(lasts_s: float) -> tuple[Floats, Floats]:
    """Noise whose strength rises and falls once, and that strength."""
    times_s = _times(lasts_s)
    strength = 0.1 + np.sin(np.pi * times_s / lasts_s) ** 2
    return np.random.default_rng(0).normal(size=len(times_s)) * strength, strength


@pytest.mark.parametrize("lasts_s", [SHORT_S, LONG_S])
@pytest.mark.parametrize("average", ["rms", "mean"])
def test_envelope_follows_the_modulation_without_delay(lasts_s: float, average: str) -> None:
    noise, strength = _modulated(lasts_s)
    found = envelope(noise, RATE_HZ, average=average)  # type: ignore[arg-type]
    assert found.shape == noise.shape
    assert (found >= 0).all()
    assert np.corrcoef(found, strength)[0, 1] > 0.97
    centre = float((found * _times(lasts_s)).sum() / found.sum())
    assert centre == pytest.approx(lasts_s / 2, abs=0.03 * lasts_s)


@pytest.mark.parametrize("lasts_s", [SHORT_S, LONG_S])
@pytest.mark.parametrize("phase", [0.0, 0.7, 1.6])
def test_a_drift_is_removed_to_the_ends(lasts_s: float, phase: float) -> None:
    drift = 3 * np.sin(2 * np.pi * 5 * _times(lasts_s) + phase)
    assert envelope(drift, RATE_HZ).max() < 0.02 * 3
    assert envelope(drift + 100, RATE_HZ).max() < 0.02 * 3


def test_a_drift_does_not_change_the_envelope_of_a_muscle() -> None:
    noise, _ = _modulated(SHORT_S)
    drift = 2 * np.sin(2 * np.pi * 5 * _times(SHORT_S)) + 7
    alone, together = envelope(noise, RATE_HZ), envelope(noise + drift, RATE_HZ)
    assert np.abs(together - alone).max() < 0.05 * alone.max()


def test_levels_of_a_tone_inside_the_band() -> None:
    tone = 2 * np.sin(2 * np.pi * 100 * _times(LONG_S))
    middle = slice(RATE_HZ, -RATE_HZ)
    assert envelope(tone, RATE_HZ)[middle] == pytest.approx(2 / np.sqrt(2), rel=0.02)
    assert envelope(tone, RATE_HZ, average="mean")[middle] == pytest.approx(4 / np.pi, rel=0.02)


def test_tones_outside_the_band_are_gone() -> None:
    for frequency_hz in (2, 5, 10, 800):
        tone = np.sin(2 * np.pi * frequency_hz * _times(LONG_S))
        assert envelope(tone, RATE_HZ)[RATE_HZ:-RATE_HZ].max() < 0.02


def test_a_level_signal_stays_level_at_the_ends() -> None:
    noise = np.random.default_rng(1).normal(size=(round(SHORT_S * RATE_HZ), 200))
    ends = envelope(noise, RATE_HZ).mean(axis=1)
    assert ends.min() > 0.9 * ends.max()


def test_channels_are_independent_and_any_scale_is_kept() -> None:
    noise, _ = _modulated(SHORT_S)
    both = envelope(np.stack([noise, 1e-6 * noise[::-1]], axis=1), RATE_HZ)
    assert both[:, 0] == pytest.approx(envelope(noise, RATE_HZ))
    assert both[::-1, 1] == pytest.approx(1e-6 * both[:, 0], rel=1e-3, abs=1e-10)


def test_the_notch_takes_out_the_mains_and_little_else() -> None:
    times_s = _times(LONG_S)
    noise, _ = _modulated(LONG_S)
    middle = slice(RATE_HZ // 2, -RATE_HZ // 2)
    hum = np.sin(2 * np.pi * 50 * times_s)
    assert envelope(hum, RATE_HZ, notch_hz=50)[middle].max() < 0.05
    kept = envelope(noise, RATE_HZ, notch_hz=50)[middle] / envelope(noise, RATE_HZ)[middle]
    assert np.median(kept) == pytest.approx(1, abs=0.03)


def test_a_silent_channel_gives_zeros() -> None:
    assert not envelope(np.full((1600, 2), 5.0), RATE_HZ).any()


@pytest.mark.parametrize(
    ("rate_hz", "options", "message"),
    [
        (900, {}, "needs a sample rate above 900 Hz, found 900 Hz"),
        (200, {}, "found 200 Hz"),
        (float("nan"), {}, "found nan Hz"),
        (2000, {"window_s": 0}, "holds no sample"),
        (2000, {"window_s": 1}, "2000 samples or more"),
        (2000, {"notch_hz": 500}, "notch must lie within 20–450 Hz"),
    ],
)
def test_what_cannot_be_done_is_refused(
    rate_hz: float, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        envelope(np.ones(1600), rate_hz, **options)


def test_values_that_are_not_finite_are_refused() -> None:
    values = np.ones(1600)
    values[3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        envelope(values, RATE_HZ)


def test_a_rate_just_above_the_limit_works() -> None:
    noise = np.random.default_rng(2).normal(size=1802)
    assert np.isfinite(envelope(noise, 901)).all()
