"""What a backbone learns from: the errors of a clip's action and, for views, its pose over time.

A view of a clip is an example of its own, so that one backbone comes to know all cameras. The pose
is that of `learn.joints.pose_input` at eight moments; where a clip has no skeleton, it counts
nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aqa.build import build_encoder
from aqa.error_columns import ErrorColumns
from aqa.error_loss import ErrorLoss, error_loss, pos_weights
from aqa.graph_head import GraphHead, HeadSettings, base_rates
from aqa.inputs import read_pose, resampled
from aqa.layout import POSE, Layout
from aqa.recipe import Recipe
from aqa.streams import Streams
from flex.files import hash_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from learn.fit import Quality
from learn.joints import NTU_JOINTS
from learn.sample import Sample

_MOMENTS = 8
_HIDDEN = 128


class Store(Protocol):
    """Where raw streams of clips come from; see `aqa.clip_store.ClipStore`."""

    graph: Graph

    def batch(
        self,
        samples: Sequence[Sample],
        streams: Sequence[str],
        mirrored: Mapping[str, Tensor] | None = None,
    ) -> Streams:
        """Return raw streams of some clips."""


class Example(NamedTuple):
    """One stream of one clip."""

    row: int
    stream: str


class BackboneTask:
    """Trains the backbone of one kind of stream: "view", "pose" or "semg"."""

    def __init__(
        self,
        kind: str,
        recipe: Recipe,
        train: list[Sample],
        store: Store,
        device: torch.device,
    ) -> None:
        """Build backbone and targets.

        Raises:
            InputError: nothing to learn from: no labelled errors, and no skeletons for a view.
        """
        self.kind, self.recipe, self.train_samples = kind, recipe, train
        self.store, self.device = store, device
        self.examples = [
            Example(row, stream)
            for row, sample in enumerate(train)
            for stream in sample.streams
            if recipe.layout.kind(stream) == kind
        ]
        columns = ErrorColumns(store.graph)
        labels, known = columns.labels([sample.record for sample in train])
        self.labels, self.known = torch.from_numpy(labels), torch.from_numpy(known)
        self.actions = torch.from_numpy(columns.rows(s.record.action for s in train))
        self.losses = ErrorLoss()
        self.weight = pos_weights(self.labels, self.known, self.losses.heaviest).to(device)
        self.with_pose = kind == "view" and recipe.pose_target > 0
        self.poses: dict[tuple[int, bool], Tensor] = {}
        if not known.any() and not (self.with_pose and any(s.clip.skeleton for s in train)):
            message = f"a {kind} backbone learns from labelled errors or skeletons; there are none"
            raise InputError([Problem("training clips", f"{message}: give it public weights")])
        self.module = _Learner(kind, recipe, columns, with_pose=self.with_pose)
        rates = base_rates(self.labels, self.known, self.actions, len(columns.actions))
        self.module.head.base_rate.copy_(rates)
        self.module.head.prior.data.copy_(torch.logit(rates))

    @property
    def backbone(self) -> nn.Module:
        """The module that is trained."""
        return self.module.backbone

    def groups(self) -> list[dict[str, Any]]:
        """Return one group of all weights."""
        return [{"params": list(self.module.parameters()), "lr": self.recipe.backbone_lr}]

    def batches(self, epoch: int) -> list[Any]:
        """Return the examples of an epoch in random order, each mirrored or not."""
        seed = int(hash_text("backbone", str(self.recipe.seed), str(epoch)), 16) % 2**63
        random = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.examples), generator=random)
        flips = torch.rand(len(order), generator=random) < 0.5
        if self.recipe.flip == "none" or (
            self.recipe.flip == "independent" and self.kind != "view"
        ):
            flips &= False
        size = self.recipe.backbone_batch
        # BatchNorm needs two examples at least.
        size = max(size, 2)
        cuts = list(zip(order.split(size), flips.split(size), strict=True))
        return [cut for cut in cuts if len(cut[0]) > 1] or cuts

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of some examples."""
        chosen = [self.examples[n] for n in batch[0].tolist()]
        rows = torch.tensor([example.row for example in chosen])
        features = self.module(self._read(chosen, batch[1]))
        actions = self.actions[rows].to(self.device)
        labels, known = self.labels[rows].to(self.device), self.known[rows].to(self.device)
        name = next(iter(self.module.head.layout.widths))
        out = self.module.head(Streams({name: features.float()}), actions)
        loss = error_loss(out.fused, labels, known, self.losses, self.weight)
        if self.module.poser is not None:
            targets, there = self._poses(rows.tolist(), batch[1].tolist())
            told = self.module.poser(features)[there]
            if len(told):
                gap = functional.smooth_l1_loss(told.float(), targets, beta=0.1)
                loss = loss + self.recipe.pose_target * gap
        return loss

    def validate(self) -> Quality | None:
        """Return nothing: the last weights are kept, whatever they are good for."""
        return None

    def _read(self, chosen: list[Example], flips: Tensor) -> Tensor:
        """Return raw inputs of one kind, whatever stream each is of."""
        parts: list[Tensor | None] = [None] * len(chosen)
        for stream in dict.fromkeys(example.stream for example in chosen):
            at = [n for n, example in enumerate(chosen) if example.stream == stream]
            samples = [self.train_samples[chosen[n].row] for n in at]
            raw = self.store.batch(samples, [stream], {stream: flips[at]}).values[stream]
            for n, value in zip(at, raw, strict=True):
                parts[n] = value
        return torch.stack([part for part in parts if part is not None]).to(self.device)

    def _poses(self, rows: list[int], flips: list[bool]) -> tuple[Tensor, Tensor]:
        found, there = [], []
        for row, flip in zip(rows, flips, strict=True):
            path = self.train_samples[row].clip.skeleton
            there.append(path is not None)
            if path is None:
                continue
            if (row, flip) not in self.poses:
                pose = resampled(read_pose(path, self.recipe, mirrored=flip), _MOMENTS)
                self.poses[row, flip] = torch.from_numpy(np.ascontiguousarray(pose)).flatten()
            found.append(self.poses[row, flip])
        empty = torch.zeros(0, _MOMENTS * NTU_JOINTS * 3)
        targets = torch.stack(found) if found else empty
        return targets.to(self.device), torch.tensor(there, device=self.device)


class _Learner(nn.Module):  # type: ignore[misc]
    """A backbone within the encoder that feeds it, with what it is judged by."""

    def __init__(
        self, kind: str, recipe: Recipe, columns: ErrorColumns, *, with_pose: bool
    ) -> None:
        super().__init__()
        alone = recipe.model_copy(
            update={
                "views": ("view",) if kind == "view" else (),
                "test_views": (),
                "pose": kind == POSE,
                "semg": recipe.semg if kind not in ("view", POSE) else "none",
            }
        )
        layout: Layout = alone.layout
        self.stream, self.width = next(iter(layout.widths.items()))
        self.encoder = build_encoder(alone)
        self.head = GraphHead(layout, columns, HeadSettings(hidden=_HIDDEN, dropout=0.0))
        self.poser = nn.Linear(self.width, _MOMENTS * NTU_JOINTS * 3) if with_pose else None

    @property
    def backbone(self) -> nn.Module:
        found = self.encoder.video or self.encoder.pose or self.encoder.semg
        assert found is not None
        return found

    def forward(self, raw: Tensor) -> Tensor:
        """Return features of raw inputs: (B, …) → (B, width)."""
        features: Tensor = self.encoder(Streams({self.stream: raw})).values[self.stream]
        return features
