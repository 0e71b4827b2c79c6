"""A small 3-D CNN for machines without a GPU, trained from scratch.

    model = SmallCnn()
    features = model(clips)            # (B, 3, 16, 112, 112) → (B, 128)

Each layer looks over space, then over time ("R(2+1)D", Tran et al., CVPR 2018), which costs a
third of full 3-D kernels. Time is kept until the end: half the feature is the mean over time, half
the maximum, since a fault may last for a few frames only.
"""

import torch
from torch import Tensor, nn

_STEM = 24
_WIDTHS = (48, 96, 192)
_TIME_STRIDES = (1, 2, 2)


class SmallCnn(nn.Module):  # type: ignore[misc]
    """Stem of stride 2, three stages of stride 2, mean and maximum over time.

    Attributes:
        features: width of what `forward` returns.
    """

    def __init__(self, *, features: int = 128, widths: tuple[int, int, int] = _WIDTHS) -> None:
        super().__init__()
        self.features = features
        self.stem = nn.Sequential(
            nn.Conv3d(3, _STEM, (1, 5, 5), (1, 2, 2), (0, 2, 2), bias=False),
            nn.BatchNorm3d(_STEM),
            nn.ReLU(inplace=True),
        )
        stages = []
        for channels, width, stride in zip((_STEM, *widths), widths, _TIME_STRIDES, strict=False):
            stages.append(Stage(channels, width, stride))
        self.stages = nn.Sequential(*stages)
        self.out = nn.Linear(2 * widths[-1], features)

    def forward(self, video: Tensor) -> Tensor:
        """Return one feature per clip.

        Args:
            video: (B, 3, T, H, W) float, RGB, in −1..1; T of at least 4, H and W of at least 16.

        Returns:
            (B, features)
        """
        x = self.stages(self.stem(video)).mean(dim=(3, 4))
        return self.out(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1))


class Stage(nn.Module):  # type: ignore[misc]
    """Space with stride 2, then time with a residual: (B, C, T, H, W) → (B, D, T/s, H/2, W/2)."""

    def __init__(self, channels: int, width: int, time_stride: int) -> None:
        super().__init__()
        self.space = nn.Sequential(
            nn.Conv3d(channels, width, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        self.time = nn.Sequential(
            nn.Conv3d(width, width, (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(width),
        )
        self.pool = nn.MaxPool3d((time_stride, 1, 1)) if time_stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the stage's output; see the class."""
        x = self.space(x)
        return self.pool(torch.relu(x + self.time(x)))
