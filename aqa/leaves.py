"""The leaves of CoRe's tree: ranges of score differences, labels in them, and the way back.

    leaves = Leaves(depth=5)
    leaves.fit(training_scores)                  # edges: quantiles of |Δ| over all pairs
    leaf, position = leaves.label(delta)         # (B,), (B,)
    delta = leaves.decode(log_probs, positions)  # (B, 16), (B, 16) → (B,)

Yu et al., "Group-aware Contrastive Regression", ICCV 2021, section 3.3. With h = 8 leaves a side
and edges 0 = e0 ≤ … ≤ e8, the upper leaf k holds e_k ≤ Δ < e_{k+1}, the lower one mirrors it
(−e_{k+1} < Δ ≤ −e_k, Δ < 0), and a position runs from 0 at a leaf's left end to 1 at its right.
What the released code left open, or labelled wrongly as leaf 0, is defined here:

- A difference on an edge belongs to the outer leaf, zero to the upper half.
- Beyond the last edge the outermost leaf goes on, with positions above 1 or below 0.
- A leaf of zero width (scores repeat, so quantiles do too) is empty and is never decoded; if it is
  the outermost, its positions count points.

So `decode` gives back exactly the difference that was labelled.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aqa.options import Decode
from flex.problems import InputError, Problem


class Leaves(nn.Module):  # type: ignore[misc]
    """The ranges, as a buffer that is saved with the weights.

    Attributes:
        edges: (h + 1,) rising from 0; the upper half, which the lower mirrors.
        count: number of leaves, 2h.
    """

    def __init__(self, *, depth: int = 5, limit: float = 100.0) -> None:
        """Start with leaves of equal width.

        Args:
            depth: of the tree, root included; it has 2^(depth − 1) leaves.
            limit: the greatest difference that scores can have.
        """
        super().__init__()
        if depth < 2:
            raise ValueError(f"a tree needs a depth of 2 or more, found {depth}")
        self.count = 2 ** (depth - 1)
        self.limit = limit
        half = self.count // 2
        self.register_buffer("edges", torch.linspace(0, limit, half + 1, dtype=torch.float64))

    def fit(self, scores: Sequence[float] | NDArray[np.float64]) -> None:
        """Set the edges from the scores of the training split.

        Raises:
            InputError: fewer than two scores, or some that are not finite.
        """
        edges = quantile_edges(scores, self.count // 2, self.limit)
        self.edges.copy_(torch.from_numpy(edges))

    @property
    def left(self) -> Tensor:
        """Left end of every leaf, from the lowest up: (L,)."""
        return torch.cat([-self.edges[1:].flip(0), self.edges[:-1]])

    @property
    def width(self) -> Tensor:
        """What a position is multiplied by: the leaf's width, 1 where it has none: (L,)."""
        widths = self.edges.diff()
        widths = torch.where(widths > 0, widths, torch.ones_like(widths))
        return torch.cat([widths.flip(0), widths])

    @property
    def reachable(self) -> Tensor:
        """Which leaves can hold a difference: those with a width, and the outermost: (L,) bool."""
        some = self.edges.diff() > 0
        some[-1] = True
        return torch.cat([some.flip(0), some])

    def label(self, delta: Tensor) -> tuple[Tensor, Tensor]:
        """Return the leaf of each difference and the position in it.

        Args:
            delta: (B,) float.

        Returns:
            (B,) long in 0..L−1, and (B,) float32.
        """
        delta = delta.to(self.edges)
        half = self.count // 2
        outward = torch.searchsorted(self.edges[1:-1].contiguous(), delta.abs(), right=True)
        leaf = torch.where(delta >= 0, half + outward, half - 1 - outward)
        position = (delta - self.left[leaf]) / self.width[leaf]
        return leaf, position.float()

    def decode(self, log_probs: Tensor, positions: Tensor, rule: Decode = "best") -> Tensor:
        """Return the difference that the tree's output stands for.

        Args:
            log_probs: (B, L) log-probabilities of the leaves.
            positions: (B, L) position in each leaf.
            rule: the likeliest leaf's difference (the paper), or the mean over the leaves.

        Returns:
            (B,) float32.
        """
        deltas = (self.left + self.width * positions).float()
        allowed = log_probs.masked_fill(~self.reachable, -torch.inf)
        if rule == "expected":
            return (allowed.softmax(dim=1) * deltas).sum(dim=1)
        return deltas.gather(1, allowed.argmax(dim=1, keepdim=True)).squeeze(1)


def quantile_edges(
    scores: Sequence[float] | NDArray[np.float64], half: int, limit: float
) -> NDArray[np.float64]:
    """Return the edges of the upper half: quantiles of |Δ| over all pairs of scores.

    The inner edges are order statistics, as in the released code (rank ⌊q (n − 1)⌋), the outer
    ones 0 and the limit, or the greatest difference if that is greater.

    Returns:
        (half + 1,) rising.

    Raises:
        InputError: fewer than two scores, or some that are not finite.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        message = f"expected two or more finite training scores, found an array {values.shape}"
        raise InputError([Problem("training scores", message)])
    one, other = np.triu_indices(len(values), k=1)
    gaps = np.sort(np.abs(values[one] - values[other]))
    ranks = np.arange(1, half) * (len(gaps) - 1) // half
    return np.concatenate([[0.0], gaps[ranks], [max(limit, gaps[-1])]])
