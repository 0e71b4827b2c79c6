"""A recipe: the model, how clips are read, how it is trained; from `configs/aqa/*.yaml`.

    recipe = load_config(Recipe, Path("configs/aqa/mv.yaml"), ["epochs=20"])

`configs/aqa/paper/` has the paper's recipe to the letter; where it differs from ours, the option
says so. The recipe is kept in the run's folder, so that a resumed run can prove that it is the
same one. Free of torch.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from aqa.layout import POSE, SEMG
from aqa.options import WINDOW
from aqa.variant import Variant
from flex.dataset import FRAMES_PER_CLIP
from learn.recipe import TrainingRecipe

# What decides how each kind of stream is read.
_TRANSFORMS: dict[str, tuple[str, ...]] = {
    "view": ("frames", "size", "framing"),
    POSE: ("pose_frames", "spine"),
    SEMG: ("semg", "peaks", "sample_rate_hz"),
}


class Recipe(Variant, TrainingRecipe):
    """Everything that a training depends on, besides the data."""

    split: Literal["subject", "repetition", "released"] = "subject"
    missing: Literal["refuse", "mask"] = Field(
        default="refuse", description="A clip without one of the streams."
    )
    sample_rate_hz: float | None = Field(
        default=None, gt=0, description="Of sEMG files whose records do not state it."
    )

    frames: int = Field(default=FRAMES_PER_CLIP, ge=WINDOW, description="Read from each view.")
    pose_frames: int = Field(default=FRAMES_PER_CLIP, ge=9, description="Of the skeleton.")
    flip: Literal["together", "independent", "none"] = Field(
        default="together",
        description="together: all streams of both clips of a pair. independent (released code): "
        "each view and clip by itself, never skeleton and sEMG.",
    )

    weights: Path | None = Field(default=None, description="Of the video backbone.")
    pose_weights: Path | None = Field(default=None, description="Of the ST-GCN.")
    start: Path | None = Field(
        default=None,
        description="Folder of practised weights (`python -m aqa practise`): backbones that lie in "
        "it are taken as they are.",
    )
    start_head: bool = Field(default=True, description="The graph head starts there, too.")
    backbone_epochs: int = Field(
        default=12, ge=0, description="Training of a small_cnn, and of pose and sEMG backbones."
    )
    backbone_batch: int = Field(default=16, ge=1)
    pose_target: float = Field(default=1.0, ge=0, description="Weight of telling the pose.")

    end_to_end: bool = Field(default=False, description="Tune the backbones with the head.")
    precision: Literal["float32", "bf16"] = "float32"
    models: Literal["per_action", "one"] = Field(
        default="per_action", description="CoRe: a tree for each action (the paper), or one."
    )
    ranges: Literal["train", "released"] = Field(
        default="train", description="Score ranges: of the training split, or of all labels."
    )
    standardise: bool = Field(
        default=True, description="CoRe: features on one scale; the released code takes them raw."
    )
    shrink: bool = Field(
        default=True, description="CoRe: distances from the mean scaled on the validation clips."
    )
    voters: int = Field(default=3, ge=1, description="Exemplars of a test clip.")
    epochs: int = Field(default=200, ge=1)
    batch: int = Field(default=16, ge=1, description="Clips, each with a partner for CoRe.")
    tune_lr: float = Field(default=1e-4, gt=0, description="Of the backbones, end to end.")
    drop_streams: float = Field(default=0.2, ge=0, lt=1, description="Graph head, in training.")
    graph_score: Literal["expected", "claimed"] = Field(
        default="expected", description="Eq. 1 on probabilities, or on the claimed errors."
    )

    cache: Path = Path("runs/cache/aqa")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need = max(self.starts) + WINDOW
        if self.views and self.frames < need:
            raise ValueError(f"frames ({self.frames}) is less than the {need} that starts need")
        _ = self.layout  # raises if no stream is left
        return self

    def transform(self, kind: str) -> str:
        """Return a hash of how the streams of a kind are read: "view", "pose" or "semg"."""
        return self.hash_of(kind, _TRANSFORMS[kind])
