"""Reads sEMG envelopes over time: an option in place of the paper's peak share (section 4.1).

model = EnvelopeEncoder()
features = model(waves)            # (B, 2, 103) from `aqa.semg_features.envelopes` → (B, 32)
"""

from itertools import pairwise

import torch
from torch import Tensor, nn


class EnvelopeEncoder(nn.Module):  # type: ignore[misc]
    """Three 1-D convolutions of stride 2, then mean and maximum over time.

    Attributes:
        features: width of what `forward` returns.
    """

    def __init__(self, *, channels: int = 2, features: int = 32, hidden: int = 32) -> None:
        super().__init__()
        self.features = features
        widths = (channels, hidden, hidden, hidden)
        self.layers = nn.Sequential(
            *(
                layer
                for one, other in pairwise(widths)
                for layer in (
                    nn.Conv1d(one, other, 5, 2, 2),
                    nn.GroupNorm(1, other),
                    nn.ReLU(inplace=True),
                )
            )
        )
        self.out = nn.Linear(2 * hidden, features)

    def forward(self, waves: Tensor) -> Tensor:
        """Return one feature per clip.

        Args:
            waves: (B, channels, T) float.

        Returns:
            (B, features)
        """
        x = self.layers(waves)
        return self.out(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1))
