"""A skeleton's course over time, read coarsely enough to keep when and where (an own design).

    model = PoseCourse()
    features = model(pose)             # (B, T, 25, 3) from `learn.joints.pose_input` → (B, 256)

ST-GCN averages over all joints and all of time, so that a small fault of one limb in one phase is a
few hundredths of its feature, which only much data can find. Here, joints stand beside what is said
of them in words (directions of bones, angles between them, gaps between left and right, speeds),
time ends as eight parts of the lift, and both reach the feature unpooled.
"""

import torch
from torch import Tensor, nn

from learn.joints import BONES, NTU_JOINTS

PARTS = 8
_PAIRS = ((4, 8), (5, 9), (6, 10), (12, 16), (13, 17), (14, 18), (15, 19))  # left, right
_NARROW, _WIDE = 96, 128
_SPEED = 8.0  # between frames joints move by hundredths of a spine


class PoseCourse(nn.Module):  # type: ignore[misc]
    """Convolutions over time on joints, bones, angles, gaps and speeds.

    Attributes:
        features: width of what `forward` returns.
    """

    def __init__(self, *, features: int = 256, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = features
        start, end = torch.tensor(BONES).T
        bent = [(i, j) for i in range(len(BONES)) for j in range(i) if _meet(BONES[i], BONES[j])]
        one, other = torch.tensor(bent).T
        left, right = torch.tensor(_PAIRS).T
        for name, index in (
            *(("start", start), ("end", end), ("one", one), ("other", other)),
            *(("left", left), ("right", right)),
        ):
            self.register_buffer(f"_{name}", index, persistent=False)
        channels = 6 * NTU_JOINTS + 3 * len(BONES) + len(bent) + len(_PAIRS)
        self.norm = nn.BatchNorm1d(channels)
        self.layers = nn.Sequential(
            *(nn.Conv1d(channels, _NARROW, 1), nn.ReLU(inplace=True)),
            *_step(_NARROW, _WIDE, dropout / 2),
            *_step(_WIDE, _WIDE, dropout / 2),
        )
        self.out = nn.Sequential(
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(PARTS * _WIDE, features)),
            nn.LayerNorm(features),
        )

    def forward(self, pose: Tensor) -> Tensor:
        """Return one feature per clip.

        Args:
            pose: (B, T, 25, 3) float; T of at least 2.

        Returns:
            (B, features)
        """
        x = self.layers(self.norm(self._course(pose).transpose(1, 2)))
        feature: Tensor = self.out(nn.functional.adaptive_avg_pool1d(x, PARTS))
        return feature

    def _course(self, pose: Tensor) -> Tensor:
        """Return what is said of every frame: (B, T, 25, 3) → (B, T, channels)."""
        bones = nn.functional.normalize(pose[:, :, self._end] - pose[:, :, self._start], dim=-1)
        angles = (bones[:, :, self._one] * bones[:, :, self._other]).sum(dim=-1)
        gaps = (pose[:, :, self._left] - pose[:, :, self._right]).norm(dim=-1)
        speed = torch.diff(pose, dim=1, append=pose[:, -1:]) * _SPEED
        flat = [part.flatten(2) for part in (pose, speed, bones)]
        return torch.cat([*flat, angles, gaps], dim=2)


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return bool(set(one) & set(other))


def _step(channels: int, width: int, dropout: float) -> tuple[nn.Module, ...]:
    return (
        nn.Conv1d(channels, width, 5, 2, 2),
        nn.BatchNorm1d(width),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
    )
