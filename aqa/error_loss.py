"""The loss of the graph head: errors are rare, so missing one must weigh more than a false alarm.

    weight = pos_weights(labels, known, settings.heaviest)
    loss = error_loss(logits, labels, known, settings, weight)

"weighted": cross-entropy with each column's positives weighted by how rare they are.
"asymmetric": Ridnik et al., "Asymmetric Loss For Multi-Label Classification", ICCV 2021, which
forgets easy negatives. "plain": neither.
"""

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional

from aqa.graph_head import ErrorLogits

Kind = Literal["weighted", "asymmetric", "plain"]


class ErrorLoss(BaseModel):
    """Settings of the loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "weighted"
    heaviest: float = Field(default=10.0, ge=1, description="Greatest weight of a positive.")
    focus_negative: float = Field(default=4.0, ge=0, description="Asymmetric: power on negatives.")
    focus_positive: float = Field(default=0.0, ge=0, description="Asymmetric: power on positives.")
    margin: float = Field(default=0.05, ge=0, lt=1, description="Asymmetric: free probability.")
    alone: float = Field(default=0.3, ge=0, description="Weight of each stream's own loss.")


def pos_weights(labels: Tensor, known: Tensor, heaviest: float) -> Tensor:
    """Return negatives ÷ positives of every column over the training clips, 1 to `heaviest`.

    Args:
        labels: (N, O) 0 or 1.
        known: (N, O) bool, what was labelled.
        heaviest: limit; a column without any positive has 1, since no weight would matter.

    Returns:
        (O,) float32
    """
    there = known.to(torch.float64)
    positives = (labels.to(torch.float64) * there).sum(dim=0)
    negatives = there.sum(dim=0) - positives
    ratio = torch.where(positives > 0, negatives / positives.clamp(min=1), 1.0)
    return ratio.clamp(1, heaviest).float()


def error_loss(
    logits: Tensor, labels: Tensor, known: Tensor, settings: ErrorLoss, pos_weight: Tensor
) -> Tensor:
    """Return the mean loss over what was labelled.

    Args:
        logits: (..., O)
        labels: (..., O) 0 or 1.
        known: (..., O) bool; nothing else counts.
        settings: which loss.
        pos_weight: (O,) for "weighted".

    Returns:
        A scalar; 0 where nothing was labelled.
    """
    logits, labels = logits.float(), labels.float()
    if settings.kind == "asymmetric":
        losses = _asymmetric(logits, labels, settings)
    else:
        losses = functional.binary_cross_entropy_with_logits(
            logits,
            labels,
            reduction="none",
            pos_weight=pos_weight if settings.kind == "weighted" else None,
        )
    return torch.where(known, losses, torch.zeros_like(losses)).sum() / known.sum().clamp(min=1)


def graph_loss(
    out: ErrorLogits, labels: Tensor, known: Tensor, settings: ErrorLoss, pos_weight: Tensor
) -> Tensor:
    """Return the loss of the fused logits, plus that of each stream by itself.

    The second part keeps every stream able to judge alone, for when the others are missing.

    Args:
        out: what the head says of B clips.
        labels: (B, O) 0 or 1.
        known: (B, O) bool, what was labelled.
        settings: which loss.
        pos_weight: (O,) for "weighted".
    """
    loss = error_loss(out.fused, labels, known, settings, pos_weight)
    if settings.alone:
        each = labels[:, None].expand_as(out.alone)
        there = known[:, None] & out.present[:, :, None]
        loss = loss + settings.alone * error_loss(out.alone, each, there, settings, pos_weight)
    return loss


def _asymmetric(logits: Tensor, labels: Tensor, settings: ErrorLoss) -> Tensor:
    probability = logits.sigmoid()
    shifted = (probability - settings.margin).clamp(min=0)
    positive = (1 - probability) ** settings.focus_positive * functional.logsigmoid(logits)
    negative = shifted**settings.focus_negative * torch.log1p(-shifted.clamp(max=1 - 1e-6))
    return -(labels * positive + (1 - labels) * negative)
