"""Training CoRe: pairs of clips of one action, both orders, a tree for each action or one for all.

Trees of all actions are trained side by side in one run: they share no weights, and Adam leaves a
tree alone in the steps of the others, so that the result is that of runs of their own.

Validation compares every validation clip with exemplars from the training split. ρ is that of
scores less their action's training mean: it then tells the order within actions, also where an
action has only two validation clips.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aqa.build import build_core
from aqa.core_votes import ALL, ExemplarRow, core_votes
from aqa.encoders import ClipEncoder
from aqa.quality import quality, score_of, training_ranges
from aqa.recipe import Recipe
from aqa.sources import Flips, Parts, Source, draw_flips
from flex.files import hash_text
from flex.problems import InputError, Problem
from learn.fit import Quality
from learn.sample import Sample

# A factor of zero would leave no order within an action.
_LEAST_SLOPE = 0.05


class Pairs(NamedTuple):
    """Some pairs of one tree: numbers of training clips, and which streams are mirrored."""

    tree: str
    one: Tensor
    other: Tensor
    flips_one: Flips
    flips_other: Flips


class CoreTask:
    """Trains the trees of a recipe."""

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        source: Source,
        encoder: ClipEncoder | None,
        streams: Sequence[str],
    ) -> None:
        """Build the trees and set their ranges.

        Args:
            recipe: what is trained.
            parts: the clips.
            source: their features.
            encoder: the backbones, where they learn too.
            streams: those that a flip mirrors.

        Raises:
            InputError: an action with too few training clips, or whose scores are all alike.
        """
        self.recipe, self.parts, self.source, self.streams = recipe, parts, source, streams
        self.trees = build_trees(recipe, parts)
        if recipe.standardise:
            with torch.no_grad():
                features = source.whole("train").to("cpu")
            for tree in self.trees.values():
                tree.standardise(features)
        self.module = nn.ModuleDict({"head": self.trees})
        if encoder is not None:
            self.module["encoder"] = encoder
        self.scores = torch.tensor([score_of(s) for s in parts["train"]])
        self.pools = _pools(parts["train"])
        self.ranges = training_ranges(parts["train"])

    def groups(self) -> list[dict[str, Any]]:
        """Return the head's weights, and the backbones' with a rate of their own."""
        return parameter_groups(self.module, self.recipe)

    def batches(self, epoch: int) -> list[Any]:
        """Return each training clip once as a pair with another of its action, in random order."""
        seed = int(hash_text("pairs", str(self.recipe.seed), str(epoch)), 16) % 2**63
        random = torch.Generator().manual_seed(seed)
        of_tree: dict[str, list[tuple[int, int]]] = {}
        for action, pool in self.pools.items():
            order = [pool[n] for n in torch.randperm(len(pool), generator=random).tolist()]
            steps = torch.randint(1, len(pool), (len(pool),), generator=random).tolist()
            tree = ALL if self.recipe.models == "one" else action
            of_tree.setdefault(tree, []).extend(
                (one, order[(at + step) % len(order)])
                for at, (one, step) in enumerate(zip(order, steps, strict=True))
            )
        batches = [
            self._pairs(tree, pairs[at : at + self.recipe.batch], random)
            for tree, pairs in of_tree.items()
            for at in range(0, len(pairs), self.recipe.batch)
        ]
        return [batches[n] for n in torch.randperm(len(batches), generator=random).tolist()]

    def loss(self, batch: Pairs) -> Tensor:
        """Return the loss of some pairs, in both orders."""
        one = self.source.pick("train", batch.one, batch.flips_one)
        other = self.source.pick("train", batch.other, batch.flips_other)
        device = one.device
        tree = self.trees[batch.tree]
        scores = self.scores[batch.one].to(device), self.scores[batch.other].to(device)
        total: Tensor = tree.loss(one, other, *scores).total
        return total

    def validate(self) -> Quality | None:
        """Return how good the trees are on the validation clips."""
        samples = self.parts["validation"]
        if not samples:
            return None
        return quality(self._judged(samples), samples, self.parts["train"], self.ranges)

    def calibrate(self) -> float:
        """Set how much of a score's distance from its action's mean is kept; return it.

        Differences learnt from a dozen clips are told with too much confidence. One factor for all
        trees, at most 1, is fitted on the validation clips by least squares: it changes no order
        within an action. Without validation clips nothing is changed.
        """
        samples = self.parts["validation"]
        if not samples:
            return 1.0
        self.module.eval()
        with torch.no_grad():
            judged = self._judged(samples)
        means = np.array([self._mean(sample.record.action) for sample in samples])
        told, true = judged - means, np.array([score_of(s) for s in samples]) - means
        slope = float(np.clip(told @ true / max(told @ told, 1e-9), _LEAST_SLOPE, 1.0))
        for tree in self.trees.values():
            tree.slope.fill_(slope)
        return slope

    def _mean(self, action: str) -> float:
        return float(self.scores[self.pools[action]].mean())

    def _judged(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        """Return the score of each validation clip."""
        votes = core_votes(
            self.trees,
            samples,
            self.source.whole("validation"),
            [ExemplarRow(s.id, s.record.action, score_of(s)) for s in self.parts["train"]],
            self.source.whole("train"),
            self.recipe,
        )
        return np.array([np.mean(each.scores) for each in votes])

    def _pairs(self, tree: str, pairs: list[tuple[int, int]], random: torch.Generator) -> Pairs:
        one, other = torch.tensor(pairs).T
        flips = draw_flips(self.recipe.flip, self.streams, len(one), random)
        # Clips that are compared are seen from one side; the released code flips each by itself.
        again = flips if self.recipe.flip != "independent" else None
        other_flips = again or draw_flips(self.recipe.flip, self.streams, len(one), random)
        return Pairs(tree, one, other, flips, other_flips)


def build_trees(recipe: Recipe, parts: Parts) -> nn.ModuleDict:
    """Return tree name → CoRe, with ranges of the training split (or of all labels, as released).

    Raises:
        InputError: an action with fewer than two training clips, or whose scores are all alike.
    """
    trees: dict[str, nn.Module] = {}
    labels = list(parts["train"])
    every = [sample for part in parts.values() for sample in part]
    problems = []
    for action in sorted({s.record.action for s in every}):
        scores = [score_of(s) for s in labels if s.record.action == action]
        if len(scores) <= recipe.voters or len(scores) < 2:
            message = f"has {len(scores)} training clips; {recipe.voters} voters need more"
            problems.append(Problem(action, message))
    names = [ALL] if recipe.models == "one" else sorted({s.record.action for s in labels})
    for name in names:
        train = [score_of(s) for s in labels if name in (ALL, s.record.action)]
        wide = [score_of(s) for s in every if name in (ALL, s.record.action)]
        trees[name] = build_core(recipe)
        limits = (min(wide), max(wide)) if recipe.ranges == "released" else None
        try:
            trees[name].fit(train, limits)
        except InputError as error:
            problems += [Problem(f"{name}, {p.place}", p.message) for p in error.problems]
    if problems:
        raise InputError(problems)
    return nn.ModuleDict(trees)


def parameter_groups(module: nn.ModuleDict, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the head's weights, and the backbones' with a rate of their own if they learn."""
    groups = [{"params": list(module["head"].parameters()), "lr": recipe.lr}]
    if "encoder" in module:
        groups.append({"params": list(module["encoder"].parameters()), "lr": recipe.tune_lr})
    return groups


def _pools(train: Sequence[Sample]) -> dict[str, list[int]]:
    pools: dict[str, list[int]] = {}
    for n, sample in enumerate(train):
        pools.setdefault(sample.record.action, []).append(n)
    return pools
