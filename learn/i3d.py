"""I3D: Inception with 3-D kernels, the paper's video backbone (sections 4.1, 8.1).

    model = I3D()                                  # 12.3 M weights, features of 1024
    features = model(segments)                     # (B, 3, 16, 224, 224) → (B, 1024)

Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017. `learn.checkpoints` loads the
public Kinetics weights. Sizes need not be 224: the feature is the mean over what is left of time
and space, which for 16 × 224 × 224 is the 2 × 7 × 7 average pool of the original. Padding follows
TensorFlow's SAME, in which the weights were learnt: the odd row or column goes to the end.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Size3 = tuple[int, int, int]


class Branches(NamedTuple):
    """Channels of an Inception block: 1×1, reduce → 3×3, reduce → 3×3, pool → 1×1."""

    direct: int
    reduce_a: int
    conv_a: int
    reduce_b: int
    conv_b: int
    pooled: int

    @property
    def total(self) -> int:
        """Channels that leave the block."""
        return self.direct + self.conv_a + self.conv_b + self.pooled


# What follows the stem, in order: a max pool (kernel, stride) or an Inception block.
_BODY: tuple[tuple[str, Branches | tuple[Size3, Size3]], ...] = (
    ("mixed_3b", Branches(64, 96, 128, 16, 32, 32)),
    ("mixed_3c", Branches(128, 128, 192, 32, 96, 64)),
    ("pool_4a", ((3, 3, 3), (2, 2, 2))),
    ("mixed_4b", Branches(192, 96, 208, 16, 48, 64)),
    ("mixed_4c", Branches(160, 112, 224, 24, 64, 64)),
    ("mixed_4d", Branches(128, 128, 256, 24, 64, 64)),
    ("mixed_4e", Branches(112, 144, 288, 32, 64, 64)),
    ("mixed_4f", Branches(256, 160, 320, 32, 128, 128)),
    ("pool_5a", ((2, 2, 2), (2, 2, 2))),
    ("mixed_5b", Branches(256, 160, 320, 32, 128, 128)),
    ("mixed_5c", Branches(384, 192, 384, 48, 128, 128)),
)
_NORM_EPS = 1e-3  # TensorFlow's, with which the public weights were learnt


class I3D(nn.Module):  # type: ignore[misc]
    """Inception I3D without its classifier.

    Attributes:
        features: width of what `forward` returns; 1024 at full width.
    """

    def __init__(self, *, width: float = 1.0, stem_stride: Size3 = (2, 2, 2)) -> None:
        """Build it with random weights.

        Args:
            width: share of the channels of every layer, for machines without a GPU.
            stem_stride: stride of the first layer over time, height, width; (2, 1, 1) keeps more
                of frames below about 112 pixels. It does not change the weights' shapes.
        """
        super().__init__()

        def scaled(channels: int) -> int:
            return max(1, round(channels * width))

        self.layers = nn.ModuleDict()
        self.layers["conv_1a"] = Unit(3, scaled(64), (7, 7, 7), stem_stride)
        self.layers["pool_2a"] = SamePool((1, 3, 3), (1, 2, 2))
        self.layers["conv_2b"] = Unit(scaled(64), scaled(64), (1, 1, 1))
        self.layers["conv_2c"] = Unit(scaled(64), scaled(192), (3, 3, 3))
        self.layers["pool_3a"] = SamePool((1, 3, 3), (1, 2, 2))
        channels = scaled(192)
        for name, part in _BODY:
            if isinstance(part, Branches):
                branches = Branches(*map(scaled, part))
                self.layers[name] = Mixed(channels, branches)
                channels = branches.total
            else:
                self.layers[name] = SamePool(*part)
        self.features = channels

    def forward(self, video: Tensor) -> Tensor:
        """Return one feature per segment.

        Args:
            video: (B, 3, T, H, W) float, RGB, in −1..1 for the public Kinetics weights.

        Returns:
            (B, features), never negative.
        """
        for layer in self.layers.values():
            video = layer(video)
        return video.mean(dim=(2, 3, 4))


class Unit(nn.Module):  # type: ignore[misc]
    """Convolution, batch norm, ReLU: (B, C, T, H, W) → (B, D, ⌈T/s⌉, ⌈H/s⌉, ⌈W/s⌉)."""

    def __init__(self, channels: int, out: int, kernel: Size3, stride: Size3 = (1, 1, 1)) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, out, kernel, stride, bias=False)
        self.norm = nn.BatchNorm3d(out, eps=_NORM_EPS, momentum=0.01)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output; see the class."""
        conv = self.conv
        x, padding = pad_same(x, conv.kernel_size, conv.stride)
        x = functional.conv3d(x, conv.weight, None, conv.stride, padding)
        return functional.relu(self.norm(x), inplace=True)


class SamePool(nn.Module):  # type: ignore[misc]
    """Max pool with SAME padding; zeros may pad, since what comes in is never negative.

    A maximum over a box is that over its time of those over its area, which compares 9 + 3 numbers
    instead of 27: the same values, in half of the time on CPUs.
    """

    def __init__(self, kernel: Size3, stride: Size3) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the pooled (B, C, ⌈T/s⌉, ⌈H/s⌉, ⌈W/s⌉)."""
        x, (around, *beside) = pad_same(x, self.kernel, self.stride)
        (length, *area), (step, *steps) = self.kernel, self.stride
        frames = functional.max_pool2d(x.flatten(1, 2), area, steps, beside)
        x = frames.unflatten(1, x.shape[1:3])
        if length == step == 1:
            return x
        return functional.max_pool3d(x, (length, 1, 1), (step, 1, 1), (around, 0, 0))


class Mixed(nn.Module):  # type: ignore[misc]
    """An Inception block: four branches side by side, (B, C, T, H, W) → (B, total, T, H, W)."""

    def __init__(self, channels: int, branches: Branches) -> None:
        super().__init__()
        self.direct = Unit(channels, branches.direct, (1, 1, 1))
        self.reduce_a = Unit(channels, branches.reduce_a, (1, 1, 1))
        self.conv_a = Unit(branches.reduce_a, branches.conv_a, (3, 3, 3))
        self.reduce_b = Unit(channels, branches.reduce_b, (1, 1, 1))
        self.conv_b = Unit(branches.reduce_b, branches.conv_b, (3, 3, 3))
        self.pool = SamePool((3, 3, 3), (1, 1, 1))
        self.pooled = Unit(channels, branches.pooled, (1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the branches' outputs, joined along the channels."""
        parts = [
            self.direct(x),
            self.conv_a(self.reduce_a(x)),
            self.conv_b(self.reduce_b(x)),
            self.pooled(self.pool(x)),
        ]
        return torch.cat(parts, dim=1)


def pad_same(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int]
) -> tuple[Tensor, tuple[int, ...]]:
    """Pad to TensorFlow's SAME size, ⌈n ÷ stride⌉ along each axis.

    Returns:
        `x` with zeros added where the two ends differ, and the padding that is left for the layer
        itself, which saves a copy where both ends are alike.
    """
    totals = [
        max((math.ceil(n / step) - 1) * step + size - n, 0)
        for n, size, step in zip(x.shape[2:], kernel, stride, strict=True)
    ]
    if all(total % 2 == 0 for total in totals):
        return x, tuple(total // 2 for total in totals)
    ends = [side for total in reversed(totals) for side in (total // 2, total - total // 2)]
    return functional.pad(x, ends), (0, 0, 0)
