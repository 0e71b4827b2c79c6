"""A recipe: what a model reads, what it is made of, how it is trained; from `configs/emg/*.yaml`.

    recipe = load_config(Recipe, Path("configs/emg/small.yaml"), ["epochs=20"])

`configs/emg/paper.yaml` has the paper's recipe to the letter (section 8.3); where it differs from
ours, the option says so. Free of torch, so that a command starts fast.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from emg.signal import SignalSettings
from flex.dataset import FRAMES_PER_CLIP
from learn.recipe import TrainingRecipe

SplitBy = Literal["subject", "repetition", "action", "view"]
Memory = Literal["lstm", "tcn", "transformer"]
Loss = Literal["mse", "l1", "huber"]
Calibration = Literal["typical", "own"]

POSE = "pose"
# What decides how each kind of file is read.
_GRID = ("frames", "rate_hz")
_TRANSFORMS = {
    "view": (*_GRID, "size", "framing"),
    POSE: (*_GRID,),
    "semg": (*_GRID, *SignalSettings.model_fields),
}


class Recipe(SignalSettings, TrainingRecipe):
    """Everything that a training depends on, besides the data; how an envelope is made included."""

    pose: bool = Field(default=False, description="The skeleton, beside the views or instead.")
    split: SplitBy = Field(
        default="subject",
        description="repetition: every subject is on every side, likely the paper's; it leaks.",
    )
    test_actions: tuple[str, ...] = Field(
        default=(), description="Split by action: the ids that are never trained on."
    )

    frames: int | None = Field(
        default=FRAMES_PER_CLIP, ge=2, description="Of every clip, however long it lasts (paper)."
    )
    rate_hz: float | None = Field(
        default=None, gt=0, description="Frames a second instead: what a live camera gives."
    )
    backbone: Literal["resnet50", "small_cnn"] = Field(
        default="resnet50", description="Of the views; a small_cnn is trained from scratch."
    )
    weights: Path | None = Field(
        default=None, description="Of ResNet-50; null: torchvision's, from the hub."
    )
    backbone_epochs: int = Field(default=20, ge=1, description="Training of a small_cnn.")
    backbone_batch: int = Field(default=128, ge=2, description="Frames.")

    calibration: Calibration = Field(
        default="own",
        description="How a subject without training trials is normalised; see emg.normalise.",
    )

    motion: bool = Field(default=True, description="Speeds of the joints, beside the pose.")
    kernel: int = Field(default=3, ge=1, description="Frames that the convolution sees.")
    hidden: int = Field(default=256, ge=4, description="Width of convolution and memory.")
    memory: Memory = Field(default="lstm", description="What remembers the frames before.")
    layers: int = Field(default=1, ge=1, description="Of the memory.")
    dropout: float = Field(default=0.0, ge=0, lt=1)
    lookahead: int = Field(
        default=0, ge=0, description="Frames by which an answer waits; the paper's is 0."
    )
    subjects: bool = Field(
        default=False, description="An embedding for each training subject, and one for unknown."
    )
    unknown: float = Field(
        default=0.5, gt=0, le=1, description="Share of training clips told as of unknown people."
    )
    mirror: bool = Field(
        default=False, description="Clips with a skeleton alone: mirror half of them in training."
    )
    jitter: float = Field(default=0.0, ge=0, description="Noise on the pose, in spine lengths.")

    loss: Loss = Field(default="mse", description="The paper's is mse.")

    cache: Path = Path("runs/cache/emg")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.views and not self.pose:
            raise ValueError("name one of views, or set pose=true: there is nothing to read")
        if (self.frames is None) == (self.rate_hz is None):
            raise ValueError("set one of frames and rate_hz, and the other to null")
        if (self.split == "action") != bool(self.test_actions):
            raise ValueError("split=action and test_actions go together")
        if (self.split == "view") != bool(self.test_views):
            raise ValueError("split=view and test_views go together")
        if self.mirror and self.views:
            raise ValueError("mirror needs cached features of mirrored frames; set views=[]")
        return self

    @property
    def streams(self) -> tuple[str, ...]:
        """What is read of a clip: its views, then "pose"."""
        return (*self.views, *((POSE,) if self.pose else ()))

    def transform(self, kind: str) -> str:
        """Return a hash of how files of a kind are read: "view", "pose" or "semg"."""
        return self.hash_of(kind, _TRANSFORMS[kind])
