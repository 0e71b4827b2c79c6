"""What turns the picture of a frame into features: ResNet-50, or a small CNN that learns here.

    backbone = ResNet50()
    features = backbone(frames)          # (N, 3, H, W) float in 0..1 → (N, 2048)

ResNet-50 comes with its ImageNet weights, from torchvision's hub or from a file; nothing else makes
sense of so few clips. On a CPU the small CNN is trained from scratch (`emg.backbone_task`).
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from emg.recipe import Recipe
from flex.problems import InputError, Problem
from learn.checkpoints import load_weights

_STAGES = (16, 32, 64, 96)
# Of ImageNet's pictures, which torchvision's weights were trained on.
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ResNet50(nn.Module):  # type: ignore[misc]
    """torchvision's ResNet-50 up to its last average: 2048 features.

    Raises:
        InputError: torchvision is not installed.
    """

    features = 2048

    def __init__(self) -> None:
        super().__init__()
        try:
            from torchvision.models import resnet50
        except (ImportError, RuntimeError) as error:
            message = f"ResNet-50 needs it: pip install torchvision ({error}); or take small_cnn"
            raise InputError([Problem("torchvision", message)]) from error
        self.net = resnet50(weights=None)
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(3, 1, 1))
        self.register_buffer("spread", torch.tensor(_SPREAD).reshape(3, 1, 1))

    def load(self, weights: Path | None) -> None:
        """Take ImageNet weights, classifier included, then drop the classifier.

        Raises:
            InputError: the file does not fit, or the hub cannot be reached.
        """
        if weights is not None:
            load_weights(self.net, weights)
        else:
            from torchvision.models import ResNet50_Weights

            try:
                state = ResNet50_Weights.IMAGENET1K_V2.get_state_dict(progress=False)
            except OSError as error:
                message = f"the hub cannot be reached ({error}); set weights=FILE"
                raise InputError([Problem("weights", message)]) from error
            self.net.load_state_dict(state)
        self.drop_classifier()

    def drop_classifier(self) -> None:
        """Let the features through as they are."""
        self.net.fc = nn.Identity()

    def forward(self, frames: Tensor) -> Tensor:
        """Return (N, 2048) for (N, 3, H, W) float RGB in 0..1."""
        out: Tensor = self.net((frames - self.mean) / self.spread)
        return out


class SmallCnn2d(nn.Module):  # type: ignore[misc]
    """Four strided convolutions, then where in the picture each channel is found and how strongly.

    The place is that of the soft maximum of a channel (spatial softmax: Levine, Finn, Darrell and
    Abbeel, JMLR 17, 2016), which is what a pose is made of.
    """

    features = 3 * _STAGES[-1]

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for before, width in zip((3, *_STAGES), _STAGES, strict=False):
            stages += [
                nn.Conv2d(before, width, 3, 2 if width != _STAGES[-1] else 1, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
        self.stages = nn.Sequential(*stages)

    def forward(self, frames: Tensor) -> Tensor:
        """Return (N, 288) for (N, 3, H, W) float RGB in 0..1: across, down, how strongly."""
        x = self.stages(2 * frames - 1)
        height, width = x.shape[2:]
        share = x.flatten(2).softmax(dim=-1).unflatten(-1, (height, width))
        down = torch.linspace(-1, 1, height, device=x.device)
        across = torch.linspace(-1, 1, width, device=x.device)
        places = [(share.sum(dim=2) * across).sum(dim=-1), (share.sum(dim=3) * down).sum(dim=-1)]
        return torch.cat([*places, x.mean(dim=(2, 3))], dim=1)


def build_backbone(recipe: Recipe) -> ResNet50 | SmallCnn2d | None:
    """Return the backbone of a recipe's views with random weights; `None` if it reads none."""
    if not recipe.views:
        return None
    return ResNet50() if recipe.backbone == "resnet50" else SmallCnn2d()


def as_input(frames: Tensor) -> Tensor:
    """Return (N, 3, H, W) float in 0..1 for (N, H, W, 3) uint8."""
    return frames.permute(0, 3, 1, 2).float() / 255
