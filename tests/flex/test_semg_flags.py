"""Faults put into healthy signals are found and named; healthy signals are left alone."""

import os
from pathlib import Path

import numpy as np
import pytest

from flex.number_table import Floats
from flex.semg_flags import (
    MOST_HUM,
    clipped_share,
    drop,
    flags,
    hum_share,
    median_hz,
    usable_channels,
)

RATE_HZ = 2000.0
DATA = Path(os.environ.get("FLEX_COACH_DATA", Path(__file__).parents[3] / "shared/data"))
REAL = DATA / "semg/markers_analogs.c3d"


def muscle(seed: int = 0, lasts_s: float = 2.0, median: float = 85.0) -> Floats:
    """Noise with a muscle's spectrum that contracts twice, 0.05 to 1 and back in 0.25 s: mV."""
    rng = np.random.default_rng(seed)
    samples = round(lasts_s * RATE_HZ)
    hertz = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    high = median / 0.95
    shape = hertz / np.sqrt((hertz**2 + high**2) * (hertz**2 + high**2) ** 2)
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=samples)) * shape, samples)
    course = 0.05 + np.sin(np.linspace(0, 2 * np.pi * lasts_s / 2, samples)) ** 2
    found: Floats = noise / noise.std() * course + rng.normal(scale=0.003, size=samples)
    return found


def reasons(values: Floats, rate_hz: float = RATE_HZ) -> list[str]:
    return [flag.reason for flag in flags(values[:, None], rate_hz)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("median", [50.0, 85.0, 115.0])
def test_healthy_muscles_have_no_flag(seed: int, median: float) -> None:
    assert reasons(muscle(seed, median=median)) == []


def test_one_at_rest_has_no_flag() -> None:
    assert reasons(0.02 * muscle(1)) == []


def test_clipping_is_found_at_one_end_or_both() -> None:
    healthy = muscle()
    for low, high in ((-0.8, 0.8), (-9.0, 0.8)):
        cut = np.clip(healthy, low, high)
        assert reasons(cut) == ["clipping"]
        (flag,) = flags(cut[:, None], RATE_HZ)
        assert f"{clipped_share(cut):.1%} of the samples" in flag.message


def test_the_share_of_clipped_samples_by_hand() -> None:
    # Of ten samples two repeat the highest, one repeats the lowest; the first of a run does not.
    values = np.array([0, 3, 3, 3, 1, -2, -2, 0, 3, 1.0])
    assert clipped_share(values) == pytest.approx(3 / 9)


def test_coarse_quantisation_is_not_clipping() -> None:
    assert reasons(np.round(muscle() * 100) / 100) == []


def test_a_sensor_that_is_off_is_flat_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    assert reasons(np.zeros(4000)) == ["flat"]
    assert reasons(rng.integers(0, 4, size=4000).astype(float)) == ["flat"]


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_hum_is_measured_and_flagged(mains_hz: float) -> None:
    healthy = muscle(2)
    times_s = np.arange(len(healthy)) / RATE_HZ
    wave = np.sin(2 * np.pi * mains_hz * times_s) + 0.5 * np.sin(6 * np.pi * mains_hz * times_s)
    for share in (0.1, 0.5, 0.8):
        size = np.sqrt(share / (1 - share) * healthy.var() / wave.var())
        hummed = healthy + size * wave
        assert hum_share(hummed, RATE_HZ, mains_hz) == pytest.approx(share, abs=0.08)
        assert reasons(hummed) == (["hum"] if share > MOST_HUM else [])
    assert f"at {mains_hz:g} Hz and its harmonics" in flags(hummed[:, None], RATE_HZ)[0].message


def test_an_electrode_that_falls_off_is_lost() -> None:
    lost = muscle(3)
    lost[1600:2600] *= 0.004  # the amplifier's noise alone stays
    (flag,) = flags(lost[:, None], RATE_HZ)
    assert flag.reason == "lost"
    ratio, start_s, lasts_s = drop(lost, RATE_HZ)
    assert ratio > 10
    assert start_s == pytest.approx(0.8, abs=0.05)
    assert lasts_s == pytest.approx(0.5, abs=0.05)
    assert "from 0.8" in flag.message


def test_a_radio_link_that_breaks_off_is_lost() -> None:
    lost = muscle(4)
    lost[3000:] = lost[3000]
    assert reasons(lost) == ["lost"]


def test_muscles_that_contract_from_silence_are_not_lost() -> None:
    rng = np.random.default_rng(5)
    course = np.clip(np.sin(np.linspace(0, 4 * np.pi, 4000)), 0, None) ** 2
    found = [muscle(seed) for seed in range(3)]
    for healthy in found:
        quiet = healthy / (0.05 + healthy.std()) * course + rng.normal(scale=0.004, size=4000)
        assert reasons(quiet) == []


def test_a_spike_is_not_taken_for_a_loss_of_the_rest() -> None:
    spiked = muscle(6)
    spiked[1000:1010] += 300
    assert "lost" not in reasons(spiked)


def test_an_electrode_in_the_air_has_no_muscle_in_it() -> None:
    rng = np.random.default_rng(7)
    air = rng.normal(size=4000)
    assert median_hz(air, RATE_HZ) == pytest.approx(235, abs=15)  # the middle of 20–450 Hz
    (flag,) = flags(air[:, None], RATE_HZ)
    assert flag.reason == "lost"
    assert "too high for a muscle" in flag.message


def test_flags_name_their_channel() -> None:
    values = np.stack([muscle(0), np.zeros(4000), np.clip(muscle(1), -0.5, 0.5)], axis=1)
    found = flags(values, RATE_HZ)
    assert [(flag.channel, flag.reason) for flag in found] == [(1, "flat"), (2, "clipping")]
    assert usable_channels(found, 3).tolist() == [True, False, False]
    assert usable_channels((), 2).all()


def test_slow_recordings_are_checked_without_the_spectrum() -> None:
    rng = np.random.default_rng(8)
    assert reasons(rng.normal(size=400), 200.0) == []
    assert reasons(np.clip(rng.normal(size=400), -1, 1), 200.0) == ["clipping"]


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(ValueError, match=r"over 0.25 s or more, found \(400, 1\)"):
        flags(np.ones((400, 1)), RATE_HZ)
    with pytest.raises(ValueError, match="found \\(4000,\\)"):
        flags(np.ones(4000), RATE_HZ)
    with pytest.raises(ValueError, match="not finite"):
        flags(np.full((4000, 1), np.nan), RATE_HZ)


@pytest.mark.skipif(not REAL.exists(), reason="the real recording is not there")
def test_a_real_recording_has_no_flag_where_sensors_were_worn() -> None:
    pytest.importorskip("ezc3d")
    from flex.semg_c3d import read_c3d

    signal = read_c3d(REAL)
    found = flags(signal.values, signal.sample_rate_hz)
    off = {name for name in signal.channels if name.startswith("Sensor")}
    assert {signal.channels[flag.channel] for flag in found} == off
    assert {flag.reason for flag in found} == {"flat"}
    assert len(off) == 19
