"""The sEMG envelope: how strongly a muscle is active over time. Everything here uses this one.

    envelope(signal.values, signal.sample_rate_hz)      # (samples, channels), unit of the input

Steps: remove the mean, band-pass 20–450 Hz, optional notch, rectify, average over a short window.

- Band: below 20 Hz lie movement artefacts, above 450 Hz hardly any power of the muscle. De Luca,
  Gilmore, Kuznetsov and Roy, "Filtering the surface EMG signal", J. Biomech. 43 (2010) 1573–1579.
- Average: root mean square, the best estimate of the amplitude of a Gaussian signal, or the mean
  of the rectified one. Clancy, Morin and Merletti, J. Electromyogr. Kinesiol. 12 (2002) 1–16;
  SENIAM, Hermens et al., J. Electromyogr. Kinesiol. 10 (2000) 361–374. The FLEX paper's Video2EMG
  (section 8.3) names a moving average and no filter: `average="mean", band_pass=False`.
- Window: 100–250 ms is usual for movements; 125 ms keeps a lift of 1 s in view.
- Filters run forward and backward, so the envelope is not late. Band edges are at −6 dB, not −3.
"""

from typing import Any, Literal

import numpy as np

from flex.number_table import Floats

BAND_HZ = (20.0, 450.0)
WINDOW_S = 0.125
LOWEST_RATE_HZ = 2 * BAND_HZ[1]
Average = Literal["rms", "mean"]

_ORDER = 4
_NOTCH_QUALITY = 30.0
# Five periods of the lower edge; scipy's own choice is shorter than the filter rings.
_PAD_S = 5 / BAND_HZ[0]


def envelope(
    values: Floats,
    sample_rate_hz: float,
    window_s: float = WINDOW_S,
    *,
    average: Average = "rms",
    band_pass: bool = True,
    notch_hz: float | None = None,
) -> Floats:
    """Return the envelope of raw sEMG, sample for sample and without delay.

    The ends: filters start on the signal continued by point reflection, which carries a drift on
    instead of breaking it, and a window that reaches over an end averages what is there. The
    first and last half window are therefore less certain than the middle, and nothing is cut off.

    Args:
        values: (samples,) or (samples, channels) float, raw, in any unit.
        sample_rate_hz: above 900 Hz, or the band does not fit below half of it; any rate will do
            without `band_pass`.
        window_s: length of the averaging window; it is centred, an odd number of samples.
        average: "rms", or "mean" for the mean of the rectified signal.
        band_pass: false leaves the band-pass out, for signals that were filtered before and for
            the paper's way; movement artefacts then count as muscle.
        notch_hz: mains frequency to take out (50 or 60), off by default: the muscle's own power
            lies there as well, and a narrow notch rings for 0.2 s, much of a short clip.

    Returns:
        The envelope, shaped as `values`, never negative, in their unit.

    Raises:
        ValueError: a rate that is too low, fewer samples than one window, a window below one
            sample, a notch outside the band, or values that are not finite.
    """
    filtered = filtered_semg(values, sample_rate_hz, band_pass=band_pass, notch_hz=notch_hz)
    half = _half_window(filtered, sample_rate_hz, window_s)
    if average == "rms":
        return np.sqrt(_moving_mean(filtered**2, half))
    return _moving_mean(np.abs(filtered), half)


def filtered_semg(
    values: Floats, sample_rate_hz: float, *, band_pass: bool = True, notch_hz: float | None = None
) -> Floats:
    """Return what is rectified to make the envelope: no mean, the muscle's band, without delay.

    Args:
        values: (samples,) or (samples, channels) float, two samples or more.
        sample_rate_hz: as for `envelope`, like the others.
        band_pass: see there.
        notch_hz: see there.

    Raises:
        ValueError: another shape, a rate that is too low, a notch outside the band, or values that
            are not finite.
    """
    raw = np.asarray(values, dtype=np.float64)
    if raw.ndim not in (1, 2) or len(raw) < 2:
        message = "expected (samples,) or (samples, channels) with 2 samples or more"
        raise ValueError(f"{message}, found {raw.shape}")
    lowest_hz = LOWEST_RATE_HZ if band_pass else 0
    if not sample_rate_hz > lowest_hz:
        needed = "the band 20–450 Hz needs a sample rate" if band_pass else "expected a sample rate"
        raise ValueError(f"{needed} above {lowest_hz:g} Hz, found {sample_rate_hz:g} Hz")
    if not np.isfinite(raw).all():
        raise ValueError("the signal holds values that are not finite")
    if notch_hz is not None and not BAND_HZ[0] < notch_hz < min(BAND_HZ[1], sample_rate_hz / 2):
        message = "the notch must lie within 20–450 Hz and below half of the sample rate"
        raise ValueError(f"{message}, found {notch_hz:g} Hz")
    return _zero_phase(raw - raw.mean(axis=0), sample_rate_hz, band_pass, notch_hz)


def _half_window(filtered: Floats, sample_rate_hz: float, window_s: float) -> int:
    samples = round(window_s * sample_rate_hz)
    if samples < 1:
        raise ValueError(f"a window of {window_s:g} s holds no sample at {sample_rate_hz:g} Hz")
    if len(filtered) < samples:
        message = f"expected {samples} samples or more, one window of {window_s:g} s"
        raise ValueError(f"{message}, found {len(filtered)}")
    return samples // 2


def _zero_phase(
    centred: Floats, sample_rate_hz: float, band_pass: bool, notch_hz: float | None
) -> Floats:
    from scipy import signal

    filters: list[Any] = []
    if band_pass:
        filters.append(signal.butter(_ORDER, BAND_HZ, "bandpass", fs=sample_rate_hz, output="sos"))
    if notch_hz is not None:
        notch = signal.iirnotch(notch_hz, _NOTCH_QUALITY, fs=sample_rate_hz)
        filters.append(signal.tf2sos(*notch))
    if not filters:
        return centred
    pad = min(len(centred) - 1, round(_PAD_S * sample_rate_hz))
    filtered: Floats = signal.sosfiltfilt(
        np.concatenate(filters), centred, axis=0, padtype="odd", padlen=pad
    )
    return filtered


def _moving_mean(values: Floats, half: int) -> Floats:
    """Average over up to `half` samples to either side; at the ends, over those that exist."""
    sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    middle = np.arange(len(values))
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half + 1, len(values))
    counts = (high - low).reshape(-1, *[1] * (values.ndim - 1))
    # Differences of running sums may fall below zero by rounding.
    mean: Floats = np.maximum(sums[high] - sums[low], 0) / counts
    return mean
