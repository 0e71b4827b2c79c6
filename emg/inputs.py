"""What is read of a clip at each of its frames: when it was taken, the picture, the pose.

    times_s = frame_times(sample, recipe)                  # (T,)
    pose = read_pose(sample, times_s)                      # (T, 21, 3), normalised
    frames = read_view(sample, "View-1", times_s, recipe)  # (T, size, size, 3) uint8

T is the same for all clips (`frames`, the paper's 103) or goes with their length (`rate_hz`).
Pictures and skeleton rows are taken as spread evenly over a clip whose record says how long it
lasts, as FLEX's 103 are; a video of unknown length goes by its own clock.
"""

import numpy as np
from numpy.typing import NDArray

from emg.recipe import POSE, Recipe
from flex.dataset import load_semg, load_skeleton
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.semg_frames import even_times
from flex.skeleton import normalise
from flex.video import Pixels, probe, times_of
from learn.frames import read_some
from learn.joints import mirrored_skeleton
from learn.sample import Sample

POSE_WIDTH = 63


def frame_times(sample: Sample, recipe: Recipe) -> Floats:
    """Return when each frame of a clip is taken: (T,) seconds, two or more.

    Raises:
        InputError: nobody says how long the clip lasts.
    """
    lasts_s = duration_s(sample)
    if recipe.frames is not None:
        return even_times(recipe.frames, lasts_s)
    assert recipe.rate_hz is not None
    count = int(lasts_s * recipe.rate_hz + 1e-6) + 1
    if count < 2:
        message = f"lasts {lasts_s:g} s, less than two frames at {recipe.rate_hz:g} a second"
        raise InputError([Problem(sample.id, message)])
    times: Floats = np.arange(count) / recipe.rate_hz
    return times


def duration_s(sample: Sample) -> float:
    """Return how long a clip lasts: by its record, else its video, else its sEMG.

    Raises:
        InputError: none of them tells.
    """
    if sample.record.duration_s is not None:
        return sample.record.duration_s
    for stream, path in sample.streams.items():
        if stream != POSE and path.is_file():
            return times_of(path, [probe(path).frames - 1])[0]
    stated = sample.record.semg
    if stated is not None and sample.clip.semg is not None:
        signal = load_semg(sample.clip.semg, stated.channels, stated.sample_rate_hz)
        return len(signal.values) / stated.sample_rate_hz
    message = "nobody says how long it lasts: state duration_s in the record"
    raise InputError([Problem(sample.id, message)])


def read_pose(sample: Sample, times_s: Floats, *, mirrored: bool = False) -> NDArray[np.float32]:
    """Return the skeleton at the frames, centred on the spine base and scaled: (T, 21, 3) float32.

    Raises:
        InputError: the file is missing or not as it should be, or a spine has no length.
    """
    path = sample.streams[POSE]
    points = load_skeleton(path)
    if mirrored:
        points = mirrored_skeleton(points)
    rows_s = even_times(len(points), duration_s(sample))
    flat = points.reshape(len(points), -1)
    at = np.stack([np.interp(times_s, rows_s, column) for column in flat.T], axis=-1)
    try:
        normal = normalise(at.reshape(-1, *points.shape[1:]))
    except ValueError as error:
        raise InputError([Problem(str(path), str(error))]) from error
    return normal.astype(np.float32)


def pose_features(
    pose: NDArray[np.float32], times_s: Floats, *, motion: bool
) -> NDArray[np.float32]:
    """Return what a network reads of a pose: (T, 21, 3) → (T, 63), or (T, 126) with the speeds.

    A speed is that since the frame before, in spine lengths a second; at the first frame it is 0.
    """
    flat = pose.reshape(len(pose), -1)
    if not motion:
        return flat
    speed = np.zeros_like(flat)
    speed[1:] = np.diff(flat, axis=0) / np.diff(times_s)[:, None]
    return np.concatenate([flat, speed], axis=1)


def read_view(sample: Sample, view: str, times_s: Floats, recipe: Recipe) -> Pixels:
    """Return the picture at each frame, the nearest in time: (T, size, size, 3) uint8 RGB.

    Raises:
        InputError: the view is missing or cannot be decoded.
    """
    path = sample.streams[view]
    count = probe(path).frames
    if sample.record.duration_s is None and path.is_file():
        shown_s = np.asarray(times_of(path, range(count)))
    else:
        shown_s = even_times(count, duration_s(sample))
    after = np.clip(np.searchsorted(shown_s, times_s), 1, max(count - 1, 1))
    if count > 1:
        nearer = times_s - shown_s[after - 1] <= shown_s[after] - times_s
        indices = np.where(nearer, after - 1, after)
    else:
        indices = np.zeros(len(times_s), dtype=int)
    return read_some(path, indices.tolist(), size=recipe.size, framing=recipe.framing)
