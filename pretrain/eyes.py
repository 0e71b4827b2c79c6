"""Teaches the vision tower to see: the body's pose at a glance, then what whole clips show.

Helpers that are thrown away read its features: the pose at every step of time, the action, and the
errors that the action can have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flex.graph import Graph
from pretrain.cohorts import Clip, Cohorts
from pretrain.error_table import ErrorTable, missed
from pretrain.films import GROUPS
from pretrain.patches import GRID, PLACES, patchify, vary

_CENTIMETRES = 5.0
_LOOK, _WIDE, _POSE = 256, 512, 63


@dataclass
class Views:
    """What the vision tower sees and the helpers have to tell.

    Attributes:
        pixels: (B × T × 64, 1176) patches.
        poses: (B, T, 21, 3) metres.
        actions: (B,) numbers of the actions.
        errors: (B, E) 1 where the occurrence is in the clip.
        known: (B, E) 1 where the action has that occurrence.
    """

    pixels: Any
    poses: Any
    actions: Any
    errors: Any
    known: Any


class Viewer:
    """Draws clips and glances from the cohorts, with their truth."""

    def __init__(self, graph: Graph, cohorts: Cohorts, seed: int) -> None:
        self._cohorts, self.errors = cohorts, ErrorTable(graph)
        self._draws = np.random.default_rng(seed)
        self._actions = list(graph.actions)

    def glances(self, count: int) -> Iterator[Views]:
        """Yield batches of single steps of time, each of another clip."""
        while True:
            picked = self._draws.integers(len(self._cohorts), size=count).tolist()
            moments = self._draws.integers(GROUPS, size=count).tolist()
            yield self._views(
                [self._cohorts.glance(n, at) for n, at in zip(picked, moments, strict=True)]
            )

    def clips(self, count: int) -> Iterator[Views]:
        """Yield batches of whole clips."""
        while True:
            yield self.clips_of(self._draws.integers(len(self._cohorts), size=count).tolist())

    def clips_of(self, numbers: list[int]) -> Views:
        """Return these whole clips."""
        return self._views([self._cohorts.clip(n) for n in numbers])

    def _views(self, clips: list[Clip]) -> Views:
        import torch

        errors, known = self.errors.of([clip.record for clip in clips])
        return Views(
            patchify(vary([clip.film for clip in clips], self._draws)),
            torch.from_numpy(np.stack([clip.poses for clip in clips])),
            torch.tensor([self._actions.index(clip.record.action) for clip in clips]),
            errors,
            known,
        )


def build_helpers(hidden: int, occurrences: int, actions: int) -> Any:
    """Return the helpers.

    "pose" reads all places of a step of time, "mean_pose" their mean, which a language model reads
    most easily; "errors" and "mean_errors" likewise over all steps of a clip; "action" the mean.
    """
    from torch import nn

    def over_time(width: int) -> Any:
        return nn.Sequential(
            nn.Flatten(1),
            nn.Linear(GROUPS * width, _WIDE),
            nn.GELU(),
            nn.Linear(_WIDE, occurrences),
        )

    return nn.ModuleDict(
        {
            "look": nn.Sequential(nn.Linear(PLACES * hidden, _LOOK), nn.GELU()),
            "pose": nn.Linear(_LOOK, _POSE),
            "mean_pose": nn.Linear(hidden, _POSE),
            "errors": over_time(_LOOK),
            "mean_errors": over_time(hidden),
            "action": nn.Linear(hidden, actions),
        }
    )


def view_losses(
    helpers: Any, features: Any, views: Views, centimetres: float = _CENTIMETRES
) -> dict[str, Any]:
    """Return the helpers' losses; those of the errors only where whole clips are seen.

    Args:
        helpers: of `build_helpers`.
        features: (B, T, 16, hidden), what the eyes see of `views`.
        views: what is to be told.
        centimetres: below this error of a coordinate the loss is quadratic, above it linear.
    """
    from torch.nn.functional import cross_entropy

    look, mean = helpers["look"](features.flatten(2)), features.mean(dim=2)
    losses = {
        "pose": _off(helpers["pose"](look), views, centimetres),
        "mean_pose": _off(helpers["mean_pose"](mean), views, centimetres),
        "action": 0.5 * cross_entropy(helpers["action"](mean.mean(dim=1)), views.actions),
    }
    if features.shape[1] == GROUPS:
        losses["errors"] = 2 * missed(helpers["errors"](look), views.errors, views.known)
        losses["mean_errors"] = 2 * missed(helpers["mean_errors"](mean), views.errors, views.known)
    return losses


def see(model: Any, pixels: Any, steps: int) -> Any:
    """Return the vision tower's features (B, T, 16, hidden) of patches of T steps a clip."""
    import torch

    rows = len(pixels) // (GRID * GRID * steps)
    seen = model.model.get_video_features(pixels, torch.tensor([[steps, GRID, GRID]] * rows))
    return torch.stack(list(seen.pooler_output)).unflatten(1, (steps, PLACES))


def _off(poses: Any, views: Views, centimetres: float) -> Any:
    from torch.nn.functional import smooth_l1_loss

    scale = 100 / centimetres
    return smooth_l1_loss(scale * poses.reshape(views.poses.shape), scale * views.poses)
