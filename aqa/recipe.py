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
from flex.files import hash_text

# Settings that do not change what is learnt, and may differ when a run is resumed.
FREE = frozenset({"workers", "save_every", "cache", "keep_streams", "device"})
# What decides how each kind of stream is read.
_TRANSFORMS = {
    "view": ("frames", "size", "framing"),
    POSE: ("pose_frames", "spine"),
    SEMG: ("semg", "peaks", "sample_rate_hz"),
}


class Recipe(Variant):
    """Everything that a training depends on, besides the data."""

    split: Literal["subject", "repetition", "released"] = "subject"
    split_seed: int = 0
    test_views: tuple[str, ...] = Field(
        default=(), description="Split by view: the test part is read from these cameras instead."
    )
    actions: tuple[str, ...] = Field(default=(), description="Ids; none: all of the data.")
    missing: Literal["refuse", "mask"] = Field(
        default="refuse", description="A clip without one of the streams."
    )
    sample_rate_hz: float | None = Field(
        default=None, gt=0, description="Of sEMG files whose records do not state it."
    )

    frames: int = Field(default=FRAMES_PER_CLIP, ge=WINDOW, description="Read from each view.")
    size: int = Field(default=224, ge=16, description="Height and width of what is read.")
    framing: Literal["whole", "released"] = Field(
        default="whole",
        description="whole: undistorted, with margins. released: squashed to 256 × 455 by nearest "
        "neighbour, then the middle 224, half of the height.",
    )
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
    backbone_lr: float = Field(default=2e-3, gt=0)
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
    lr: float = Field(default=1e-3, gt=0, description="Of the head.")
    tune_lr: float = Field(default=1e-4, gt=0, description="Of the backbones, end to end.")
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = Field(default=0.0, ge=0)
    choose: Literal["best", "last"] = Field(
        default="best", description="Checkpoint: best validation ρ, then R-l2; or the last."
    )
    validate_every: int = Field(default=5, ge=1, description="Epochs.")
    drop_streams: float = Field(default=0.2, ge=0, lt=1, description="Graph head, in training.")
    graph_score: Literal["expected", "claimed"] = Field(
        default="expected", description="Eq. 1 on probabilities, or on the claimed errors."
    )
    seed: int = 0

    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = Field(default=2, ge=1, description="Threads that read clips.")
    save_every: int = Field(default=10, ge=1, description="Epochs between resume points.")
    cache: Path = Path("runs/cache/aqa")
    keep_streams: bool = Field(
        default=True, description="Keep decoded frames; 103 of 224 pixels take 15 MB a view."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        need = max(self.starts) + WINDOW
        if self.views and self.frames < need:
            raise ValueError(f"frames ({self.frames}) is less than the {need} that starts need")
        if self.test_views and len(self.test_views) != len(self.views):
            raise ValueError(f"test_views must name {len(self.views)} views, one for each of views")
        if self.framing == "released" and self.size != 224:
            raise ValueError("framing released has a size of 224")
        _ = self.layout  # raises if no stream is left
        return self

    def transform(self, kind: str) -> str:
        """Return a hash of how the streams of a kind are read: "view", "pose" or "semg"."""
        chosen = self.model_dump(mode="json", include=set(_TRANSFORMS[kind]))
        return hash_text(kind, str(sorted(chosen.items())))
