"""CoRe: the score of a lift by comparing it with others whose score is known (sections 4.1, 8.1).

    core = CoRe(Layout(views=("View-1", "View-2"), pose=True))
    core.fit(training_scores)                            # score range and leaves, kept as buffers
    loss = core.loss(one, other, score_one, score_other)     # B pairs, both orders
    scores = core.predict(target, exemplars, exemplar_scores)    # M voters each

Input of a pair: [exemplar's features, target's features, exemplar's score ÷ 100]. Section 8.1 puts
the target's score there, which would tell the answer; the released code uses the exemplar's, so do
we. Scores outside are those of Eq. 1 (0–100); inside they are scaled by the range of the training
scores to 0–100, as the authors do, which is undone in what is returned.

A stream counts in a pair only if both clips have it: otherwise both its slots are zero, which is
as if the model did not have them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from aqa.layout import Layout
from aqa.leaves import Leaves
from aqa.options import Decode, LeafLoss
from aqa.streams import Streams, column_mask, column_scales
from aqa.tree import RegressionTree, TreeOutput
from flex.problems import InputError, Problem

FULL_SCALE = 100.0


class PairLoss(NamedTuple):
    """The loss of B pairs in both orders, as the sum over the orders of means over the pairs.

    Attributes:
        total: what to minimise.
        leaf: how badly the leaf is told.
        position: squared error of the position in the true leaf.
    """

    total: Tensor
    leaf: Tensor
    position: Tensor


class CoRe(nn.Module):  # type: ignore[misc]
    """Contrastive regression on features of clips."""

    def __init__(
        self,
        layout: Layout,
        *,
        hidden: int = 256,
        depth: int = 5,
        leaf_loss: LeafLoss = "nll",
        decode: Decode = "best",
    ) -> None:
        """Build it for a layout's streams.

        Args:
            layout: the streams; they are joined in its order (widths of section 8.1).
            hidden: width of the tree's nodes.
            depth: of the tree; 5 has 16 leaves.
            leaf_loss: "nll" as in the released code, or "bce" over all leaves as in CoRe's paper.
            decode: the likeliest leaf (the paper), or the mean over the leaves.
        """
        super().__init__()
        self.layout = layout
        self.leaf_loss: LeafLoss = leaf_loss
        self.decode: Decode = decode
        self.leaves = Leaves(depth=depth, limit=FULL_SCALE)
        self.tree = RegressionTree(2 * layout.width + 1, hidden=hidden, depth=depth)
        self.register_buffer("mean", torch.zeros(layout.width))
        self.register_buffer("deviation", torch.ones(layout.width))
        # What is kept of the distance from the action's mean; see `CoreTask.calibrate`.
        self.register_buffer("slope", torch.ones(()))
        self.register_buffer("score_range", torch.tensor([0.0, FULL_SCALE], dtype=torch.float64))

    def fit(
        self,
        scores: Sequence[float] | NDArray[np.float64],
        score_range: tuple[float, float] | None = None,
    ) -> None:
        """Set the score range and the leaves from the training split.

        Args:
            scores: scores of the training clips, 0–100.
            score_range: least and greatest score; those of `scores` if not given. The released
                code has a table over the whole data set, test clips included.

        Raises:
            InputError: fewer than two scores, or all alike.
        """
        values = np.asarray(scores, dtype=np.float64)
        low, high = score_range or (values.min(initial=np.inf), values.max(initial=-np.inf))
        if not low < high:
            message = f"scores must span a range, found {low:g} to {high:g}"
            raise InputError([Problem("training scores", message)])
        self.score_range.copy_(torch.tensor([low, high], dtype=torch.float64))
        self.leaves.fit((values - low) / (high - low) * FULL_SCALE)

    def standardise(self, features: Streams) -> None:
        """Set the scale of every column from the training clips, of this action or of all.

        Without it features go in as they are, as in the released code: a stream of small numbers
        such as the sEMG's shares, between 0 and 1, then hardly moves the tree.
        """
        mean, deviation = column_scales(self.layout, features)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def scaled(self, scores: Tensor) -> Tensor:
        """Return scores on the inner scale, where the training range is 0–100."""
        low, high = self.score_range
        return (scores.to(low) - low) / (high - low) * FULL_SCALE

    def unscaled(self, scores: Tensor) -> Tensor:
        """Return scores of the inner scale as those of Eq. 1."""
        low, high = self.score_range
        return (scores.to(low) / FULL_SCALE * (high - low) + low).float()

    def forward(self, exemplar: Streams, target: Streams, exemplar_scores: Tensor) -> TreeOutput:
        """Return what the tree says of target minus exemplar.

        Args:
            exemplar: B clips with known scores.
            target: B clips.
            exemplar_scores: (B,) in 0–100.
        """
        known, present = exemplar.joined(self.layout)
        asked, present_too = target.joined(self.layout)
        mask = column_mask(self.layout, present & present_too).to(known.dtype)
        known, asked = ((side - self.mean) / self.deviation for side in (known, asked))
        hint = (self.scaled(exemplar_scores) / FULL_SCALE).to(known)[:, None]
        out: TreeOutput = self.tree(torch.cat([known * mask, asked * mask, hint], dim=1))
        return out

    def loss(
        self, one: Streams, other: Streams, score_one: Tensor, score_other: Tensor
    ) -> PairLoss:
        """Return the loss of B pairs, each clip being the other's exemplar in turn.

        Args:
            one: B clips.
            other: B clips, the partners.
            score_one: (B,) in 0–100.
            score_other: (B,) in 0–100.
        """
        terms = [
            self._one_way(one, other, score_one, score_other),
            self._one_way(other, one, score_other, score_one),
        ]
        leaf = terms[0][0] + terms[1][0]
        position = terms[0][1] + terms[1][1]
        return PairLoss(leaf + position, leaf, position)

    def predict(self, target: Streams, exemplars: Streams, exemplar_scores: Tensor) -> Tensor:
        """Return the mean of what M exemplars say of each clip: (B,); see `votes`."""
        return self.votes(target, exemplars, exemplar_scores).mean(dim=1)

    def votes(self, target: Streams, exemplars: Streams, exemplar_scores: Tensor) -> Tensor:
        """Return what each of M exemplars says of each clip.

        Args:
            target: B clips.
            exemplars: B × M clips, the M of the first clip first.
            exemplar_scores: (B, M) in 0–100.

        Returns:
            (B, M) scores on the scale of Eq. 1; they may leave 0–100.
        """
        batch, voters = exemplar_scores.shape
        rows = torch.arange(batch, device=target.device).repeat_interleave(voters)
        out = self(exemplars, target.rows(rows), exemplar_scores.flatten())
        delta = self.leaves.decode(out.log_probs, out.positions, self.decode)
        return self.unscaled(self.scaled(exemplar_scores) + delta.unflatten(0, (batch, voters)))

    def _one_way(
        self, exemplar: Streams, target: Streams, known: Tensor, asked: Tensor
    ) -> tuple[Tensor, Tensor]:
        out = self(exemplar, target, known)
        leaf, position = self.leaves.label(self.scaled(asked) - self.scaled(known))
        chosen = out.positions.gather(1, leaf[:, None]).squeeze(1)
        return _leaf_loss(out.log_probs, leaf, self.leaf_loss), functional.mse_loss(
            chosen.float(), position
        )


def _leaf_loss(log_probs: Tensor, leaf: Tensor, kind: LeafLoss) -> Tensor:
    """Return the mean over pairs; for "bce" the sum over leaves of each pair."""
    log_probs = log_probs.float()
    if kind == "nll":
        return functional.nll_loss(log_probs, leaf)
    true = functional.one_hot(leaf, log_probs.shape[1]).bool()
    # log(1 − p), with p held below 1 where rounding would make it 1.
    rest = torch.log1p(-log_probs.exp().clamp(max=1 - 1e-6))
    return -torch.where(true, log_probs, rest).sum(dim=1).mean()
