"""What the network reads of a clip, frame by frame: features of its views and its pose, in a row.

    features = Features(store, backbone, device)
    features.of(sample)                        # (T, F) float32; pictures' part from the cache
    features.width                             # F

Backbones are not trained further, so their features are computed once: keyed by the bytes of the
clip, how it is read and the weights.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from emg.backbone import ResNet50, SmallCnn2d, as_input
from emg.inputs import POSE_WIDTH, pose_features
from emg.store import ClipStore
from flex.cli import err
from flex.files import hash_text
from flex.problems import InputError, Problem
from learn.array_cache import ArrayCache
from learn.module_hash import module_hash
from learn.sample import Sample

_AT_ONCE = 32  # frames in one pass


class Entry(NamedTuple):
    """One view of one clip, and the key of its features in the cache."""

    key: str
    sample: Sample
    view: str


class Features:
    """Features of clips for one recipe.

    Attributes:
        width: of a frame's features.
    """

    def __init__(
        self, store: ClipStore, backbone: ResNet50 | SmallCnn2d | None, device: torch.device
    ) -> None:
        self.store, self.recipe, self.device = store, store.recipe, device
        self.backbone = backbone.to(device).eval() if backbone is not None else None
        self._weights = module_hash(backbone) if backbone is not None else ""
        self._cache = ArrayCache(self.recipe.cache / "features")
        views = backbone.features * len(self.recipe.views) if backbone is not None else 0
        pose = POSE_WIDTH * (2 if self.recipe.motion else 1) if self.recipe.pose else 0
        self.width = views + pose

    def prepare(self, samples: Sequence[Sample]) -> None:
        """Compute what the cache lacks, with a progress bar.

        Raises:
            InputError: every file that cannot be used.
        """
        problems: list[Problem] = []
        for entry in track(self.missing(samples), "features", console=err, transient=True):
            try:
                self.compute(entry, self._cache)
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(problems)

    def missing(self, samples: Sequence[Sample]) -> list[Entry]:
        """Return what the cache lacks; of clips with the same bytes one.

        Raises:
            InputError: a file that is not there.
        """
        every = (
            Entry(self._key(sample, view), sample, view)
            for view in self.recipe.views
            for sample in samples
        )
        found = {entry.key: entry for entry in every if not self._cache.path(entry.key).exists()}
        return list(found.values())

    def compute(self, entry: Entry, cache: ArrayCache) -> None:
        """Compute the features of a view and keep them in a cache.

        Raises:
            InputError: a file that cannot be used.
        """
        cache.keep(entry.key, self.encode(self.store.frames(entry.sample, entry.view)))

    def of(self, sample: Sample, *, mirrored: bool = False) -> NDArray[np.float32]:
        """Return the features of a clip's frames: (T, F) float32.

        Args:
            sample: the clip.
            mirrored: left and right have changed places; for recipes that read the pose alone.

        Raises:
            InputError: a file that cannot be used.
        """
        parts = [self._view(sample, view) for view in self.recipe.views]
        if self.recipe.pose:
            pose = self.store.pose(sample, mirrored=mirrored)
            times_s = self.store.times(sample)
            parts.append(pose_features(pose, times_s, motion=self.recipe.motion))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the backbone's features of pictures: (N, H, W, 3) uint8 → (N, width) float32."""
        assert self.backbone is not None
        found = []
        with torch.inference_mode():
            for at in range(0, len(frames), _AT_ONCE):
                some = torch.from_numpy(np.array(frames[at : at + _AT_ONCE])).to(self.device)
                found.append(self.backbone(as_input(some)).float().cpu().numpy())
        return np.concatenate(found)

    def _key(self, sample: Sample, view: str) -> str:
        return hash_text(self.store.key(sample, view), self._weights)

    def _view(self, sample: Sample, view: str) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self._cache.get(
            self._key(sample, view), lambda: self.encode(self.store.frames(sample, view))
        )
        return found
