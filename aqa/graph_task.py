"""Training the graph head: one model, all actions, streams dropped by chance, then calibrated.

task = GraphTask(recipe, parts, source, None, streams, graph)
fit(task, plan, folder)
threshold = task.calibrate()        # temperature and offset, and the threshold with the best F1
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from aqa.backbone import HEAD_FILE
from aqa.build import build_graph_head
from aqa.calibration import best_threshold
from aqa.core_task import parameter_groups
from aqa.encoders import ClipEncoder
from aqa.error_columns import ErrorColumns
from aqa.error_loss import ErrorLoss, graph_loss, pos_weights
from aqa.graph_head import GraphHead
from aqa.quality import quality, training_ranges
from aqa.recipe import Recipe
from aqa.sources import Flips, Parts, Source, draw_flips
from aqa.streams import drop_streams
from flex.files import hash_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from learn.fit import Quality
from learn.sample import Sample


class Batch(NamedTuple):
    """Some training clips, which streams are mirrored, and what drops streams."""

    index: Tensor
    flips: Flips
    seed: int


class Labels(NamedTuple):
    """Errors of N clips, where anybody looked, and the clips' actions."""

    errors: Tensor
    known: Tensor
    actions: Tensor

    @classmethod
    def of(cls, samples: Sequence[Sample], columns: ErrorColumns) -> "Labels":
        """Return the labels of some clips."""
        errors, known = columns.labels([sample.record for sample in samples])
        rows = columns.rows(sample.record.action for sample in samples)
        return cls(torch.from_numpy(errors), torch.from_numpy(known), torch.from_numpy(rows))


class GraphTask:
    """Trains the graph head of a recipe."""

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        source: Source,
        encoder: ClipEncoder | None,
        streams: Sequence[str],
        graph: Graph,
    ) -> None:
        """Build the head and set its scales and base rates.

        Args:
            recipe: what is trained.
            parts: the clips.
            source: their features.
            encoder: the backbones, where they learn too.
            streams: those that a flip mirrors.
            graph: which errors there are.

        Raises:
            InputError: no training clip has labelled errors.
        """
        self.recipe, self.parts, self.source, self.streams = recipe, parts, source, streams
        self.columns = ErrorColumns(graph)
        self.train_labels = Labels.of(parts["train"], self.columns)
        if not self.train_labels.known.any():
            message = "hold no labelled errors, which the graph head learns from; take head=core"
            raise InputError([Problem("training clips", message)])
        self.head: GraphHead = build_graph_head(recipe, graph)
        labels = self.train_labels
        with torch.no_grad():
            features = source.whole("train").to("cpu")
            self.head.fit(features, labels.errors, labels.known, labels.actions)
        if recipe.start is not None and recipe.start_head:
            path = recipe.start / HEAD_FILE
            self.head.start_from(load_file(path), str(path))
        self.losses = ErrorLoss()
        self.weight = pos_weights(labels.errors, labels.known, self.losses.heaviest)
        self.head.calibration.allow_for(self.weight)
        self.module = nn.ModuleDict({"head": self.head})
        if encoder is not None:
            self.module["encoder"] = encoder

    def groups(self) -> list[dict[str, Any]]:
        """Return the head's weights, and the backbones' with a rate of their own."""
        return parameter_groups(self.module, self.recipe)

    def batches(self, epoch: int) -> list[Any]:
        """Return the training clips in random order."""
        seed = int(hash_text("clips", str(self.recipe.seed), str(epoch)), 16) % 2**62
        random = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(self.parts["train"]), generator=random)
        return [
            Batch(
                index, draw_flips(self.recipe.flip, self.streams, len(index), random), seed + number
            )
            for number, index in enumerate(order.split(self.recipe.batch))
        ]

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of some clips, each without some of its streams."""
        features = self.source.pick("train", batch.index, batch.flips)
        present = drop_streams(
            features.presence(self.head.layout),
            self.recipe.drop_streams,
            torch.Generator().manual_seed(batch.seed),
        )
        errors, known, actions = (t[batch.index].to(features.device) for t in self.train_labels)
        out = self.head(features, actions, present)
        return graph_loss(out, errors, known, self.losses, self.weight.to(features.device))

    def validate(self) -> Quality | None:
        """Return how good the expected scores are on the validation clips."""
        samples = self.parts["validation"]
        if not samples:
            return None
        labels = Labels.of(samples, self.columns)
        features = self.source.whole("validation")
        actions = labels.actions.to(features.device)
        out = self.head(features, actions)
        scores = self.head.expected_score(self.head.calibration(out.fused), actions)
        train = self.parts["train"]
        return quality(scores.double().cpu().numpy(), samples, train, training_ranges(train))

    def calibrate(self) -> float:
        """Fit temperature and offset on the validation clips; return the threshold to claim at.

        Without labelled validation clips nothing is fitted, and the threshold is 0.5.
        """
        samples = self.parts["validation"]
        if not samples:
            return 0.5
        labels = Labels.of(samples, self.columns)
        if not labels.known.any():
            return 0.5
        self.head.eval()
        with torch.no_grad():
            features = self.source.whole("validation")
            out = self.head(features, labels.actions.to(features.device))
        fused = out.fused.float().cpu()
        calibration = self.head.calibration.cpu()
        calibration.fit(fused, labels.errors, labels.known)
        claims = calibration(fused)[labels.known].numpy()
        threshold = best_threshold(claims, labels.errors[labels.known].numpy())
        self.head.calibration.to(features.device)
        return threshold
