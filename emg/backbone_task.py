"""How the small CNN learns to see: from single frames, the activation and the pose they show.

    backbone.load_state_dict(trained_backbone(recipe, clips, store, scales, device))

Frames of all training clips and all cameras, in random order. Where a clip has no skeleton, its
pose counts nothing. What was learnt is kept, named by everything that it was made from.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from emg.backbone import SmallCnn2d, as_input
from emg.inputs import POSE_WIDTH
from emg.losses import masked_loss
from emg.normalise import Scales
from emg.recipe import POSE, Recipe
from emg.store import ClipStore
from flex.files import atomic_path, hash_text
from flex.semg_columns import MUSCLES
from learn.fit import Plan, Quality, fit
from learn.sample import Sample

WEIGHTS_FILE = "backbone.safetensors"
_SETTINGS = {"backbone_epochs", "backbone_batch", "backbone_lr", "seed"}
_PER_CLIP = 24  # frames of a clip and view in an epoch; neighbours look alike


class Frame(NamedTuple):
    """One frame of one view of one clip."""

    row: int
    view: str
    frame: int


def trained_backbone(
    recipe: Recipe,
    train: Sequence[Sample],
    store: ClipStore,
    scales: Scales,
    device: torch.device,
) -> dict[str, Tensor]:
    """Return the weights of a small CNN, from its file or trained now.

    Raises:
        InputError: files that cannot be used.
    """
    chosen = recipe.model_dump(mode="json", include=_SETTINGS)
    rows = [
        hash_text(s.id, store.semg_key(s), *(store.key(s, view) for view in recipe.views))
        for s in train
    ]
    identity = hash_text(str(sorted(chosen.items())), *rows)
    folder = recipe.cache / "backbones" / identity
    if not (folder / WEIGHTS_FILE).is_file():
        task = BackboneTask(recipe, train, store, scales, device)
        plan = Plan.of(recipe, "backbone", device, identity).for_backbone(recipe.backbone_epochs)
        fit(task, plan, folder)
        state = task.module.backbone.state_dict()
        weights = {key: value.detach().cpu().contiguous() for key, value in state.items()}
        with atomic_path(folder / WEIGHTS_FILE) as name:
            save_file(weights, name)
    found: dict[str, Tensor] = load_file(folder / WEIGHTS_FILE)
    return found


class BackboneTask:
    """What `learn.fit` trains."""

    def __init__(
        self,
        recipe: Recipe,
        train: Sequence[Sample],
        store: ClipStore,
        scales: Scales,
        device: torch.device,
    ) -> None:
        """Read what the frames are to tell.

        Raises:
            InputError: files that cannot be used.
        """
        self.recipe, self.train, self.store, self.device = recipe, train, store, device
        trials = store.each(store.trial, train, "sEMG")
        self.targets = [
            np.where(trial.recorded, scales.apply(trial.values, trial.subject), np.nan)
            for trial in trials
        ]
        self.poses = [self._pose(sample) for sample in train]
        self.module = _Learner()

    def groups(self) -> list[dict[str, Any]]:
        """Return one group of all weights."""
        return [{"params": list(self.module.parameters()), "lr": self.recipe.backbone_lr}]

    def batches(self, epoch: int) -> list[Any]:
        """Return random frames of every view of every clip, mixed."""
        seed = int(hash_text("frames", str(self.recipe.seed), str(epoch)), 16) % 2**63
        random = np.random.default_rng(seed)
        frames = [
            Frame(row, view, int(index))
            for row, target in enumerate(self.targets)
            for view in self.recipe.views
            for index in random.choice(len(target), min(_PER_CLIP, len(target)), replace=False)
        ]
        order = random.permutation(len(frames))
        size = self.recipe.backbone_batch
        return [[frames[n] for n in order[at : at + size]] for at in range(0, len(order), size)]

    def loss(self, batch: list[Frame]) -> Tensor:
        """Return how far activation and pose are missed."""
        pictures = np.stack([self.store.frames(self.train[f.row], f.view)[f.frame] for f in batch])
        activation, pose = self.module(as_input(torch.from_numpy(pictures).to(self.device)))
        loss = masked_loss("mse", activation, self._stacked(self.targets, batch))
        told = self._stacked(self.poses, batch)
        there = torch.isfinite(told).all(dim=1)
        if there.any():
            loss = loss + functional.smooth_l1_loss(pose[there], told[there], beta=0.1)
        return loss

    def validate(self) -> Quality | None:
        """Return nothing: the last weights are kept, whatever they are good for."""
        return None

    def _stacked(self, tables: Sequence[Any], batch: list[Frame]) -> Tensor:
        rows = np.stack([tables[f.row][f.frame] for f in batch])
        return torch.from_numpy(rows.astype(np.float32)).to(self.device)

    def _pose(self, sample: Sample) -> Any:
        times_s = self.store.times(sample)
        if sample.clip.skeleton is None:
            return np.full((len(times_s), POSE_WIDTH), np.nan)
        seen = Sample(sample.record, sample.part, sample.clip, {POSE: sample.clip.skeleton})
        return self.store.pose(seen).reshape(len(times_s), -1)


class _Learner(nn.Module):  # type: ignore[misc]
    """The backbone with what it is judged by."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = SmallCnn2d()
        self.activation = nn.Linear(SmallCnn2d.features, len(MUSCLES))
        self.pose = nn.Linear(SmallCnn2d.features, POSE_WIDTH)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 18) and (N, 63) for (N, 3, H, W)."""
        features = self.backbone(frames)
        return self.activation(features), self.pose(features)
