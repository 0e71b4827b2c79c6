"""How far activations are missed, where there is something to miss."""

import torch
from torch import Tensor
from torch.nn import functional

from emg.recipe import Loss

_HUBER = 0.1


def masked_loss(kind: Loss, said: Tensor, true: Tensor) -> Tensor:
    """Return the mean loss over the values that were recorded.

    Args:
        kind: "mse" (section 8.3), "l1", or "huber", which is square below 0.1.
        said: (…, M).
        true: (…, M), NaN where nothing was recorded.

    Returns:
        A scalar; 0 if nothing was recorded.
    """
    there = torch.isfinite(true)
    gap = torch.where(there, said - true, torch.zeros_like(said))
    if kind == "mse":
        each = gap**2
    elif kind == "l1":
        each = gap.abs()
    else:
        each = functional.huber_loss(gap, torch.zeros_like(gap), reduction="none", delta=_HUBER)
    return each.sum() / there.sum().clamp(min=1)
