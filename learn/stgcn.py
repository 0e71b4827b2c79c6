"""ST-GCN: graph convolutions over the joints, ordinary ones over time (sections 4.1, 8.1).

    model = STGCN()
    features = model(pose)             # (B, T, 25, 3) from `learn.joints.pose_input` → (B, 256)

Yan, Xiong and Lin, AAAI 2018. `learn.checkpoints` loads the weights that were trained on NTU RGB+D.
The graph is a buffer that comes with the weights: the public ones were trained with distances to
the centre that end at one bone, ours count all bones, and each set of weights keeps its own.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from learn.joints import NTU_JOINTS, adjacency
from learn.options import Strategy

WIDTHS = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
_FRAMES_SEEN = 9  # length of the kernels over time


class STGCN(nn.Module):  # type: ignore[misc]
    """Ten blocks without the classifier; time is halved wherever the width grows.

    Attributes:
        features: width of what `forward` returns.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = WIDTHS,
        strategy: Strategy = "spatial",
        dropout: float = 0.0,
    ) -> None:
        """Build it with random weights and every edge of the same importance.

        Args:
            widths: channels of the blocks.
            strategy: how neighbours are grouped; the paper of ST-GCN prefers "spatial", the
                weights in FLEX's released code are "uniform".
            dropout: in every block but the first.
        """
        super().__init__()
        self.register_buffer("adjacency", torch.from_numpy(adjacency(strategy)))
        self.norm = nn.BatchNorm1d(3 * NTU_JOINTS)
        groups = len(self.adjacency)
        self.blocks = nn.ModuleList()
        channels = 3
        for index, width in enumerate(widths):
            stride = 2 if index and width > channels else 1
            share = dropout if index else 0.0
            block = Block(channels, width, groups, stride=stride, residual=index > 0, dropout=share)
            self.blocks.append(block)
            channels = width
        self.importance = nn.ParameterList(
            nn.Parameter(torch.ones_like(self.adjacency)) for _ in widths
        )
        self.features = channels

    def forward(self, pose: Tensor) -> Tensor:
        """Return one feature per clip, the mean over joints and time.

        Args:
            pose: (B, T, 25, 3) float.

        Returns:
            (B, features)
        """
        batch, frames = pose.shape[:2]
        x = self.norm(pose.flatten(2).transpose(1, 2))
        x = x.reshape(batch, NTU_JOINTS, 3, frames).permute(0, 2, 3, 1)
        for block, importance in zip(self.blocks, self.importance, strict=True):
            x = block(x, self.adjacency * importance)
        return x.mean(dim=(2, 3))


class Block(nn.Module):  # type: ignore[misc]
    """Joints, then time, with a residual: (B, C, T, V) → (B, D, ⌈T/s⌉, V)."""

    def __init__(
        self,
        channels: int,
        width: int,
        groups: int,
        *,
        stride: int,
        residual: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.joints = nn.Conv2d(channels, width * groups, 1)
        self.time = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, (_FRAMES_SEEN, 1), (stride, 1), (_FRAMES_SEEN // 2, 0)),
            nn.BatchNorm2d(width),
            nn.Dropout(dropout),
        )
        self.residual: nn.Module | None = None
        if residual:
            same = channels == width and stride == 1
            self.residual = nn.Identity() if same else _projection(channels, width, stride)

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        """Return the block's output.

        Args:
            x: (B, C, T, V).
            graph: (K, V, V), neighbours times their importance.
        """
        kept = self.residual(x) if self.residual is not None else 0
        mixed = self.joints(x).unflatten(1, (self.groups, -1))
        x = torch.einsum("bkctv,kvw->bctw", mixed, graph)
        return torch.relu(self.time(x) + kept)


def _projection(channels: int, width: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, width, 1, (stride, 1)),
        nn.BatchNorm2d(width),
    )
