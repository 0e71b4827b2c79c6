"""Channels of sEMG that should not be believed, each with the reason: clipped, flat, hum, lost.

    found = flags(signal.values, signal.sample_rate_hz)
    usable = usable_channels(found, channels=4)          # (4,) bool
    for flag in found: print(flag.channel, flag.message)

No unit is needed: amplitudes depend on sensor, skin and gain, so only shares and ratios are used.

- clipping: samples that repeat the highest or lowest value; a signal that is not cut off stays at
  its extreme for one sample.
- flat: hardly any different values, as of a sensor that is off.
- hum: the mains and its harmonics above the level of their neighbours in the spectrum (Abser,
  MacIsaac, Chan and Green, CMBES Proc. 34, 2011), as a share of the power at 20–450 Hz; hum lasts
  while a muscle comes and goes, so the median over time tells them apart in short clips. A share s
  raises the RMS envelope by 1/√(1 − s) on average: at the limit by 15 %.
- lost: from one 25 ms to the next the level drops at least tenfold and nothing lies in between,
  while a muscle that relaxes takes 100 ms and more; or all power lies too high for a muscle.

The limits are set apart from what healthy channels show (docs/semg.md, measured on a real recording
and on FLEX-Sim).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flex.number_table import Floats
from flex.semg import BAND_HZ, LOWEST_RATE_HZ

Reason = Literal["clipping", "flat", "hum", "lost"]
MAINS_HZ = (50.0, 60.0)
SHORTEST_S = 0.25
MOST_CLIPPED = 0.002
FEWEST_VALUES = 16
MOST_HUM = 0.25
HIGHEST_MEDIAN_HZ = 180.0
LARGEST_DROP = 10.0

_WINDOW_S = 0.025
_LOST_WINDOWS, _ALIVE_WINDOWS = 8, 4
_PART_S = 0.5
_LINE_HZ, _BESIDE_HZ = 4.0, 12.0


@dataclass(frozen=True)
class Flag:
    """Why a channel should not be believed.

    Attributes:
        channel: index of the column.
        reason: what is wrong.
        message: the same in words, with the measured figure.
    """

    channel: int
    reason: Reason
    message: str


def flags(
    values: Floats, sample_rate_hz: float, *, mains_hz: Sequence[float] = MAINS_HZ
) -> tuple[Flag, ...]:
    """Return what is wrong with the channels of a raw recording, in their order.

    A flat channel gets no other flag. Hum and power that is too high for a muscle are looked for
    where the band of the muscle fits, above 900 Hz.

    Args:
        values: (samples, channels) float, raw, in any unit; 0.25 s or more.
        sample_rate_hz: of `values`.
        mains_hz: mains frequencies to look for; the stronger one counts.

    Raises:
        ValueError: another shape, a recording that is too short, or values that are not finite.
    """
    raw = np.asarray(values, dtype=np.float64)
    if raw.ndim != 2 or not sample_rate_hz > 0 or len(raw) < SHORTEST_S * sample_rate_hz:
        message = f"expected (samples, channels) over {SHORTEST_S:g} s or more, found {raw.shape}"
        raise ValueError(f"{message} at {sample_rate_hz:g} Hz")
    if not np.isfinite(raw).all():
        raise ValueError("the signal holds values that are not finite")
    return tuple(
        flag
        for channel in range(raw.shape[1])
        for flag in _of_channel(channel, raw[:, channel], sample_rate_hz, mains_hz)
    )


def usable_channels(found: Sequence[Flag], channels: int) -> NDArray[np.bool_]:
    """Return which of so many channels have no flag: (channels,) bool."""
    usable = np.ones(channels, dtype=np.bool_)
    usable[[flag.channel for flag in found]] = False
    return usable


def clipped_share(values: Floats) -> float:
    """Return the share of samples that repeat the highest or lowest value of (samples,)."""
    ends = (values == values.min()) | (values == values.max())
    return float((ends[1:] & (values[1:] == values[:-1])).mean())


def hum_share(values: Floats, sample_rate_hz: float, mains_hz: float) -> float:
    """Return how much of the power of a (samples,) signal at 20–450 Hz is mains hum, 0 to 1."""
    hertz, power = _spectra(values, sample_rate_hz)
    steady = np.median(power, axis=0)
    lines = np.arange(mains_hz, BAND_HZ[1], mains_hz)
    apart = np.abs(hertz[:, None] - lines)
    on, beside = apart <= _LINE_HZ, (apart > _LINE_HZ) & (apart <= _BESIDE_HZ)
    above = sum(
        steady[line].sum() - np.median(steady[near]) * line.sum()
        for line, near in zip(on.T, beside.T, strict=True)
    )
    return float(np.clip(above / power.mean(axis=0)[_in_band(hertz)].sum(), 0, 1))


def median_hz(values: Floats, sample_rate_hz: float) -> float:
    """Return the frequency that halves the power of a (samples,) signal at 20–450 Hz."""
    hertz, power = _spectra(values, sample_rate_hz)
    inside = _in_band(hertz)
    summed = np.cumsum(power.mean(axis=0)[inside])
    return float(np.interp(summed[-1] / 2, summed, hertz[inside]))


def drop(values: Floats, sample_rate_hz: float) -> tuple[float, float, float]:
    """Return the sharpest drop of level in a (samples,) signal, and when the low stretch lies.

    Returns:
        ratio: of the two neighbouring levels that lie furthest apart, 1 or more.
        start_s: where the longest stretch below the gap begins.
        lasts_s: how long it lasts.
    """
    from scipy.ndimage import uniform_filter1d

    width = max(2, round(_WINDOW_S * sample_rate_hz))
    # Not the band-pass: it rings for 100 ms and would hide how sharp a drop is.
    fast = values - uniform_filter1d(values, width)
    windows = fast[: len(fast) // width * width].reshape(-1, width)
    levels = np.sqrt((windows**2).mean(axis=1))
    ordered = np.maximum(np.sort(levels), 1e-9 * levels.max())
    below = np.arange(len(ordered) - 1)
    wide = (below + 1 >= _LOST_WINDOWS) & (len(ordered) - 1 - below >= _ALIVE_WINDOWS)
    if not wide.any() or not levels.any():
        return 1.0, 0.0, 0.0
    ratios = np.where(wide, ordered[1:] / ordered[:-1], 1.0)
    at = int(np.argmax(ratios))
    start, length = _longest_run(levels <= ordered[at])
    window_s = width / sample_rate_hz
    return float(ratios[at]), start * window_s, length * window_s


def _of_channel(
    channel: int, values: Floats, sample_rate_hz: float, mains_hz: Sequence[float]
) -> list[Flag]:
    different = len(np.unique(values))
    if different < FEWEST_VALUES:
        values_found = "one value" if different == 1 else f"{different} different values"
        return [Flag(channel, "flat", f"flat line ({values_found}); was the sensor on?")]
    found: list[Flag] = []
    clipped = clipped_share(values)
    if clipped > MOST_CLIPPED:
        message = f"clipped: {clipped:.1%} of the samples stay at the highest or lowest value"
        found.append(Flag(channel, "clipping", message))
    ratio, start_s, lasts_s = drop(values, sample_rate_hz)
    if ratio >= LARGEST_DROP and lasts_s >= _LOST_WINDOWS * _WINDOW_S:
        message = f"lost: the level drops at once for {lasts_s:.2f} s from {start_s:.2f} s on"
        found.append(Flag(channel, "lost", f"{message}; did the electrode come off?"))
    if sample_rate_hz > LOWEST_RATE_HZ:
        found += _of_spectrum(channel, values, sample_rate_hz, mains_hz)
    return found


def _of_spectrum(
    channel: int, values: Floats, sample_rate_hz: float, mains_hz: Sequence[float]
) -> list[Flag]:
    shares = {mains: hum_share(values, sample_rate_hz, mains) for mains in mains_hz}
    mains = max(shares, key=lambda one: shares[one], default=0.0)
    if shares.get(mains, 0) > MOST_HUM:
        message = f"hum: {shares[mains]:.0%} of the power lies at {mains:g} Hz and its harmonics"
        return [Flag(channel, "hum", message)]
    middle_hz = median_hz(values, sample_rate_hz)
    if middle_hz > HIGHEST_MEDIAN_HZ:
        message = f"half of the power lies above {middle_hz:.0f} Hz, too high for a muscle"
        return [Flag(channel, "lost", f"lost: {message}; is the electrode on the skin?")]
    return []


def _spectra(values: Floats, sample_rate_hz: float) -> tuple[Floats, Floats]:
    """Return frequencies (F,) and the power of overlapping parts of 0.5 s (parts, F)."""
    length = min(len(values), round(_PART_S * sample_rate_hz))
    parts = np.lib.stride_tricks.sliding_window_view(values, length)[:: max(1, length // 4)]
    centred = parts - parts.mean(axis=1, keepdims=True)
    power: Floats = np.abs(np.fft.rfft(centred * np.hanning(length))) ** 2
    hertz = np.asarray(np.fft.rfftfreq(length, 1 / sample_rate_hz), dtype=np.float64)
    return hertz, power


def _in_band(hertz: Floats) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    return inside


def _longest_run(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Return start and length of the longest run of true values."""
    steps = np.diff(np.concatenate([[0], marked.astype(int), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest] - starts[longest])
