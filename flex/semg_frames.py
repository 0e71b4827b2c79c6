"""The sEMG envelope at the frames of a video, each averaged over the frame's own share of time.

    seen = frame_envelope(signal.values, signal.sample_rate_hz, times_s)      # (T, channels)

A frame stands for the time from the middle between it and the frame before to the middle between
it and the next, by the video's own clock; frame rates may vary. The envelope is taken as constant
around each sample, so an interval may begin and end anywhere and nothing is rounded to samples.
"""

from collections.abc import Sequence

import numpy as np

from flex.number_table import Floats
from flex.semg import WINDOW_S, Average, envelope


def frame_envelope(
    values: Floats,
    sample_rate_hz: float,
    times_s: Sequence[float] | Floats,
    start_s: float = 0.0,
    *,
    window_s: float = WINDOW_S,
    average: Average = "rms",
    band_pass: bool = True,
    notch_hz: float | None = None,
) -> Floats:
    """Return the envelope of raw sEMG at every frame (section 8.3, "aligned per frame").

    Args:
        values: (samples, channels) float, raw, in any unit.
        sample_rate_hz: of the sEMG.
        times_s: (T,) when each frame was taken, rising, by the clock of the video.
        start_s: when the first sample was taken, by the same clock.
        window_s: as for `flex.semg.envelope`, like the three below.
        average: see there.
        band_pass: see there.
        notch_hz: see there.

    Returns:
        (T, channels) float, in the unit of `values`.

    Raises:
        ValueError: what `flex.semg.envelope` refuses, times that do not rise, or frames before
            the first or after the last sample.
    """
    course = envelope(
        values, sample_rate_hz, window_s, average=average, band_pass=band_pass, notch_hz=notch_hz
    )
    return mean_at_frames(course, sample_rate_hz, times_s, start_s)


def mean_at_frames(
    course: Floats, sample_rate_hz: float, times_s: Sequence[float] | Floats, start_s: float = 0.0
) -> Floats:
    """Return the mean of a sampled course over the interval of each frame: (T, channels).

    An interval that reaches over an end of the recording counts by the part that was recorded.

    Args:
        course: (samples, channels).
        sample_rate_hz: of `course`.
        times_s: (T,) when each frame was taken, rising.
        start_s: when the first sample was taken.

    Raises:
        ValueError: times that do not rise, or frames outside the recording.
    """
    edges = (frame_edges(times_s) - start_s) * sample_rate_hz + 0.5
    inside = np.clip(edges, 0, len(course))
    outside = np.flatnonzero(np.diff(inside) <= 0)
    if len(outside):
        ends = f"{start_s:g}–{start_s + len(course) / sample_rate_hz:g} s"
        first = f"the first at {np.asarray(times_s)[outside[0]]:g} s"
        raise ValueError(f"{len(outside)} frames lie outside the sEMG ({ends}), {first}")
    sums = np.concatenate([np.zeros_like(course[:1]), np.cumsum(course, axis=0)])
    whole = np.minimum(inside.astype(int), len(course) - 1)
    at_edges = sums[whole] + (inside - whole)[:, None] * course[whole]
    means: Floats = np.diff(at_edges, axis=0) / np.diff(inside)[:, None]
    return means


def frame_edges(times_s: Sequence[float] | Floats) -> Floats:
    """Return where each frame's interval begins, and where the last one ends: (T + 1,) seconds.

    Raises:
        ValueError: fewer than two frames, or times that do not rise.
    """
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or len(times) < 2 or not (np.diff(times) > 0).all():
        raise ValueError("expected the times of two frames or more, rising from frame to frame")
    middles = (times[1:] + times[:-1]) / 2
    first, last = times[0] - (middles[0] - times[0]), times[-1] + (times[-1] - middles[-1])
    return np.concatenate([[first], middles, [last]])


def even_times(frames: int, lasts_s: float) -> Floats:
    """Return times of frames of which only the number is known, such as the 103 JPEGs of FLEX.

    They are spread evenly from the first to the last moment of the recording, as samplers take
    frames between two key frames; the authors do not say how theirs does.
    """
    return np.linspace(0.0, lasts_s, frames)
