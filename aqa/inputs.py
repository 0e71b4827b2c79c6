"""From files to what backbones read, and the mirror image of all of it together.

    frames = read_stream(sample, "View-1", recipe, graph)        # (T, H, W, 3) uint8
    mirrored_stream(sample, "View-1", frames, recipe)            # the same, mirrored

A mirrored clip has mirrored views, a skeleton whose left and right joints changed places, and sEMG
whose sides changed places. Mirroring twice gives back the clip.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa.layout import POSE, SEMG
from aqa.recipe import Recipe
from aqa.semg_features import envelopes, main_muscle, peak_share
from flex.dataset import clip_semg, load_skeleton
from flex.graph import Graph
from learn.frames import read_frames
from learn.joints import mirrored_skeleton, pose_input
from learn.sample import Sample

Array = NDArray[Any]


def read_stream(sample: Sample, stream: str, recipe: Recipe, graph: Graph) -> Array:
    """Return one stream of a clip, not mirrored.

    Returns:
        A view: (frames, size, size, 3) uint8. Pose: (pose_frames, 25, 3) float32. sEMG: (2,)
        shares or (2, T) envelopes, left and right.

    Raises:
        InputError: the file is missing, of another shape, not finite, or of too low a rate.
    """
    path = sample.streams[stream]
    if stream == POSE:
        return read_pose(path, recipe)
    if stream == SEMG:
        return _semg(sample, path, recipe, graph)
    return read_frames(path, frames=recipe.frames, size=recipe.size, framing=recipe.framing)


def read_pose(path: Path, recipe: Recipe, *, mirrored: bool = False) -> NDArray[np.float32]:
    """Return a skeleton as the ST-GCN reads it: (pose_frames, 25, 3) float32.

    Raises:
        InputError: see `read_stream`.
    """
    points = load_skeleton(path)
    if mirrored:
        points = mirrored_skeleton(points)
    pose = pose_input(points, spine=recipe.spine, place=str(path))
    return resampled(pose, recipe.pose_frames)


def mirrored_stream(sample: Sample, stream: str, array: Array, recipe: Recipe) -> Array:
    """Return the mirror image of what `read_stream` gave."""
    if stream == POSE:
        # From the file, as which axis runs from side to side is told by all of the frames.
        return read_pose(sample.streams[stream], recipe, mirrored=True)
    return array[::-1] if stream == SEMG else array[:, :, ::-1]


def resampled(values: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Return as many frames, the middles of equal parts: (T, …) → (frames, …)."""
    at = ((np.arange(frames) + 0.5) * len(values) / frames).astype(int)
    chosen: NDArray[np.float32] = values[at]
    return chosen


def _semg(sample: Sample, path: Path, recipe: Recipe, graph: Graph) -> NDArray[np.float32]:
    signal = clip_semg(sample.clip, graph, recipe.sample_rate_hz)
    muscle = main_muscle(graph, sample.record.action)
    if recipe.semg == "peak_share":
        return peak_share(signal, muscle, peaks=recipe.peaks, place=str(path))
    return envelopes(signal, muscle, place=str(path))
