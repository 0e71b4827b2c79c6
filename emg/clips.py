"""Clips ready to learn from and to be judged by: features and targets, frame by frame.

clips = ready_clips(samples, store, features, scales)
clips[0].x, clips[0].y                     # (T, F), (T, 18) with NaN where nothing was recorded
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emg.features import Features
from emg.normalise import Scales, Trial, calibration_trials
from emg.recipe import Recipe
from emg.store import ClipStore
from flex.cli import err
from learn.sample import Sample


@dataclass(frozen=True, eq=False)
class ReadyClip:
    """One clip.

    Attributes:
        sample: what it is made from.
        times_s: (T,) of the frames.
        x: (T, F) features.
        y: (T, 18) normalised activation, NaN where nothing was recorded.
        mirrored: x of the mirrored clip, where the recipe mirrors.
    """

    sample: Sample
    times_s: NDArray[np.float64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    mirrored: NDArray[np.float32] | None = None


def read_trials(samples: Sequence[Sample], store: ClipStore) -> list[Trial]:
    """Return the envelopes of clips, and say which channels were left out.

    Raises:
        InputError: every file that cannot be used.
    """
    trials = store.each(store.trial, samples, "sEMG")
    for problem in store.excluded.values():
        err.print(f"left out, {problem.place}: {problem.message}", markup=False)
    return trials


def fit_scales(trials: Sequence[Trial], recipe: Recipe) -> Scales:
    """Return the scales of a recipe: from training trials; see `emg.normalise` for the others.

    Raises:
        InputError: see `emg.normalise.Scales`.
    """
    scales = Scales.fit(trials)
    return scales.calibrated(calibration_trials(trials)) if recipe.calibration == "own" else scales


def ready_clips(
    samples: Sequence[Sample],
    store: ClipStore,
    features: Features,
    scales: Scales,
    *,
    mirror: bool = False,
) -> list[ReadyClip]:
    """Return clips with features and targets.

    Args:
        samples: the clips.
        store: reads them.
        features: what the network reads.
        scales: of the targets.
        mirror: whether mirrored features are wanted too.

    Raises:
        InputError: every file that cannot be used.
    """
    features.prepare(samples)

    def ready(sample: Sample) -> ReadyClip:
        trial = store.trial(sample)
        target = scales.apply(trial.values, trial.subject)
        return ReadyClip(
            sample=sample,
            times_s=store.times(sample),
            x=features.of(sample),
            y=np.where(trial.recorded, target, np.nan).astype(np.float32),
            mirrored=features.of(sample, mirrored=True) if mirror else None,
        )

    return store.each(ready, samples, "clips")


def padded(arrays: Sequence[NDArray[np.float32]], fill: float) -> tuple[Tensor, Tensor]:
    """Return clips of different lengths as one batch: (B, T, C), and their lengths (B,)."""
    lengths = [len(array) for array in arrays]
    batch = np.full((len(arrays), max(lengths), arrays[0].shape[1]), fill, dtype=np.float32)
    for row, array in enumerate(arrays):
        batch[row, : len(array)] = array
    return torch.from_numpy(batch), torch.tensor(lengths)
