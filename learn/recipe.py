"""The part of a recipe that aqa/ and emg/ share: which clips, how they are read, how it trains.

Free of torch, so that a command starts fast; `learn.fit.Plan.of` makes a plan of it.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.files import hash_text

# Settings that do not change what is learnt, and may differ when a run is resumed.
FREE = frozenset({"workers", "save_every", "cache", "keep_streams", "device"})
_RELEASED_SIZE = 224


class TrainingRecipe(BaseModel):
    """What a training depends on, whatever it teaches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    views: tuple[str, ...] = Field(default=("View-1",), description="Camera views, in order.")
    actions: tuple[str, ...] = Field(default=(), description="Ids; none: all of the data.")
    split_seed: int = 0
    test_views: tuple[str, ...] = Field(
        default=(), description="Split by view: the test part is read from these cameras instead."
    )

    size: int = Field(default=224, ge=16, description="Height and width of what is read.")
    framing: Literal["whole", "released"] = Field(
        default="whole",
        description="whole: undistorted, with margins. released: squashed to 256 × 455 by nearest "
        "neighbour, then the middle 224, half of the height.",
    )

    backbone_lr: float = Field(default=2e-3, gt=0)

    epochs: int = Field(default=150, ge=1)
    batch: int = Field(default=32, ge=1, description="Clips.")
    lr: float = Field(default=1e-3, gt=0, description="Of the head.")
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = Field(default=0.0, ge=0)
    choose: Literal["best", "last"] = Field(
        default="best",
        description="Checkpoint: best correlation on the validation part, then error; or the last.",
    )
    validate_every: int = Field(default=5, ge=1, description="Epochs.")
    seed: int = 0

    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = Field(default=2, ge=1, description="Threads that read clips.")
    save_every: int = Field(default=10, ge=1, description="Epochs between resume points.")
    keep_streams: bool = Field(
        default=True, description="Keep decoded frames; 103 of 224 pixels take 15 MB a view."
    )

    @model_validator(mode="after")
    def _reads_what_is_there(self) -> "TrainingRecipe":
        if self.test_views and len(self.test_views) != len(self.views):
            raise ValueError(f"test_views must name {len(self.views)} views, one for each of views")
        if self.framing == "released" and self.size != _RELEASED_SIZE:
            raise ValueError(f"framing released has a size of {_RELEASED_SIZE}")
        return self

    def hash_of(self, kind: str, names: tuple[str, ...]) -> str:
        """Return a hash of some settings, such as those that decide how a file is read."""
        chosen = self.model_dump(mode="json", include=set(names))
        return hash_text(kind, str(sorted(chosen.items())))
