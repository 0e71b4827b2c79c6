"""A batch of clips as its streams: a tensor each, and which clips have it.

    batch = Streams({"View-1": one, "pose": pose}, {"pose": has_pose})
    values, present = batch.joined(layout)     # (B, width) with zeros where absent, (B, S)

What is absent never reaches a result: absent rows are replaced by zeros, whatever they held, NaN
included. A stream that is not there at all is absent in every clip.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from aqa.layout import Layout
from flex.problems import InputError, Problem


@dataclass(frozen=True)
class Streams:
    """A batch of B clips.

    Attributes:
        values: stream → (B, …); features are (B, width), raw inputs have more axes.
        present: stream → (B,) bool; a stream that is not named is present in every clip.
    """

    values: Mapping[str, Tensor]
    present: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {name: len(value) for name, value in self.values.items()}
        sizes |= {f"present[{name}]": len(value) for name, value in self.present.items()}
        if not self.values or len(set(sizes.values())) > 1:
            raise InputError([Problem("streams", f"expected one size of batch, found {sizes}")])

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def device(self) -> torch.device:
        """Where the values lie."""
        return next(iter(self.values.values())).device

    def to(self, device: torch.device | str) -> "Streams":
        """Return the batch on a device."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def rows(self, index: Tensor | slice) -> "Streams":
        """Return some of the clips; an index may name a clip more than once."""
        return self._map(lambda tensor: tensor[index])

    def has(self, stream: str) -> Tensor:
        """Return which clips have a stream: (B,) bool."""
        if stream not in self.values:
            return torch.zeros(len(self), dtype=torch.bool, device=self.device)
        if stream in self.present:
            return self.present[stream].bool()
        return torch.ones(len(self), dtype=torch.bool, device=self.device)

    def features(self, stream: str, width: int) -> Tensor:
        """Return a stream's features with zeros where it is absent: (B, width).

        Raises:
            InputError: the features have another width.
        """
        if stream not in self.values:
            return torch.zeros(len(self), width, device=self.device)
        value = self.values[stream]
        if value.shape[1:] != (width,):
            message = f"expected features of (B, {width}), found {tuple(value.shape)}"
            raise InputError([Problem(stream, message)])
        return torch.where(self.has(stream)[:, None], value, torch.zeros_like(value))

    def joined(self, layout: Layout) -> tuple[Tensor, Tensor]:
        """Return all features side by side, and which streams are there.

        Streams that the layout does not name are not read.

        Returns:
            (B, layout.width) and (B, S) bool, streams in the layout's order.

        Raises:
            InputError: features of another width than the layout says.
        """
        parts = [self.features(name, width) for name, width in layout.widths.items()]
        return torch.cat(parts, dim=1), self.presence(layout)

    def presence(self, layout: Layout) -> Tensor:
        """Return which of the layout's streams each clip has: (B, S) bool."""
        return torch.stack([self.has(name) for name in layout.widths], dim=1)

    def _map(self, change: Callable[[Tensor], Tensor]) -> "Streams":
        return Streams(
            {name: change(value) for name, value in self.values.items()},
            {name: change(value) for name, value in self.present.items()},
        )


def column_mask(layout: Layout, present: Tensor) -> Tensor:
    """Spread what is present over the columns of joined features: (B, S) → (B, width)."""
    widths = torch.tensor(list(layout.widths.values()), device=present.device)
    return present.repeat_interleave(widths, dim=1, output_size=layout.width)


def column_scales(layout: Layout, features: Streams) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of every column over the clips that have it: (width,) each.

    A column that never changes has a deviation of 1.
    """
    joined, present = features.joined(layout)
    joined, mask = joined.detach(), column_mask(layout, present)
    counts = mask.sum(dim=0).clamp(min=1)
    mean = (joined * mask).sum(dim=0) / counts
    spread = (((joined - mean) * mask) ** 2).sum(dim=0) / counts
    return mean, torch.where(spread > 1e-12, spread.sqrt(), torch.ones_like(spread))


def drop_streams(present: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Take streams away by chance, so that a model learns to do without; never the last one.

    Args:
        present: (B, S) bool.
        share: chance for each stream of being dropped.
        random: where chance comes from; on the CPU.

    Returns:
        (B, S) bool.
    """
    draws = torch.rand(present.shape, generator=random).to(present.device)
    # The stream with the highest draw among those present always stays.
    best = draws.masked_fill(~present, -1).argmax(dim=1, keepdim=True)
    kept = (draws >= share) | torch.zeros_like(present).scatter_(1, best, True)
    return present & kept
