"""From logits to probabilities that can be believed, and how far they can be.

    calibration.allow_for(pos_weight)                # undo what the weighted loss did to the odds
    calibration.fit(logits, labels, known)           # temperature and offset, validation split
    probabilities = calibration(logits)
    for each in reliability(probabilities, labels): ...

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: one temperature. An offset is
added, since a loss that favours positives shifts all logits, which no temperature mends.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from flex.problems import InputError, Problem

_TEMPERATURES = (0.05, 20.0)
_OFFSET = 10.0


class Calibration(nn.Module):  # type: ignore[misc]
    """probability = sigmoid((logit − shift) ÷ temperature + offset).

    Attributes:
        shift: (O,) log of the weight that positives had in the loss.
        temperature: scalar.
        offset: scalar.
    """

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("shift", torch.zeros(columns))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))

    def forward(self, logits: Tensor) -> Tensor:
        """Return probabilities: (B, O) → (B, O) float32."""
        return ((logits.float() - self.shift) / self.temperature + self.offset).sigmoid()

    def allow_for(self, pos_weight: Tensor) -> None:
        """Take the odds back that a loss with weighted positives multiplied: (O,)."""
        self.shift.copy_(pos_weight.log())

    def fit(self, logits: Tensor, labels: Tensor, known: Tensor) -> None:
        """Choose temperature and offset that make the labels likeliest.

        Args:
            logits: (N, O) of clips that were not trained on.
            labels: (N, O) 0 or 1.
            known: (N, O) bool, what was labelled.

        Raises:
            InputError: the labels are all alike, so that nothing can be fitted.
        """
        from scipy.optimize import minimize

        z = (logits.float() - self.shift)[known].double().cpu().numpy()
        y = labels[known].double().cpu().numpy()
        if not 0 < y.sum() < len(y):
            message = (
                f"calibration needs errors and their absence, found {int(y.sum())} of {len(y)}"
            )
            raise InputError([Problem("validation labels", message)])

        def surprise(parameters: NDArray[np.float64]) -> float:
            scaled = z * np.exp(-parameters[0]) + parameters[1]
            return float(np.mean(np.logaddexp(0, scaled) - y * scaled))

        low, high = np.log(_TEMPERATURES)
        found = minimize(
            surprise, np.zeros(2), method="L-BFGS-B", bounds=[(low, high), (-_OFFSET, _OFFSET)]
        )
        self.temperature.fill_(float(np.exp(found.x[0])))
        self.offset.fill_(float(found.x[1]))


class Bin(NamedTuple):
    """Claims of one range of probability: how sure they were, how often they were true."""

    low: float
    high: float
    claims: int
    claimed: float
    true: float


def reliability(probabilities: ArrayLike, labels: ArrayLike, bins: int = 10) -> list[Bin]:
    """Return the bins of a reliability diagram that hold any claim; arrays of one shape."""
    claimed = np.asarray(probabilities, dtype=np.float64).ravel()
    true = np.asarray(labels, dtype=np.float64).ravel()
    edges = np.linspace(0, 1, bins + 1)
    index = np.clip(np.searchsorted(edges, claimed, side="right") - 1, 0, bins - 1)
    return [
        Bin(
            float(edges[n]),
            float(edges[n + 1]),
            int(inside.sum()),
            float(claimed[inside].mean()),
            float(true[inside].mean()),
        )
        for n in range(bins)
        if (inside := index == n).any()
    ]


def calibration_error(bins: list[Bin]) -> float:
    """Return the expected calibration error: mean |claimed − true|, weighted by the counts."""
    total = sum(each.claims for each in bins)
    return sum(each.claims * abs(each.claimed - each.true) for each in bins) / total


def best_threshold(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the threshold with the best F1 over all claims; 0.5 if there is no positive.

    Args:
        probabilities: claims of what was labelled, any shape.
        labels: 0 or 1, of the same shape.
    """
    p = np.asarray(probabilities, dtype=np.float64).ravel()
    y = np.asarray(labels, dtype=np.float64).ravel()
    if not y.sum():
        return 0.5
    order = np.argsort(-p, kind="stable")
    p, hits = p[order], np.cumsum(y[order])
    f1 = 2 * hits / (np.arange(1, len(p) + 1) + y.sum())
    # Only after the last of equal probabilities can a threshold cut.
    ends = np.append(p[1:] < p[:-1], True)
    best = int(np.argmax(np.where(ends, f1, -1)))
    below = p[best + 1] if best + 1 < len(p) else 0.0
    return float((p[best] + below) / 2)
