"""A model as data: streams, backbone, head; `configs/aqa/*.yaml` name the paper's four variants.

    variant = load_config(Variant, Path("configs/aqa/mv_pose_emg.yaml"), ["backbone=small_cnn"])
    variant.layout.width        # computed from backbone and streams, never written down

`aqa.build` makes modules of it. Free of torch, so that a command starts fast.
"""

from pydantic import BaseModel, ConfigDict, Field

from aqa.layout import Layout
from aqa.options import (
    PAPER_STARTS,
    Backbone,
    Decode,
    Head,
    LeafLoss,
    Peaks,
    Pixels,
    Pose,
    Semg,
)
from learn.options import Spine, Strategy

VIEW_WIDTHS: dict[Backbone, int] = {"i3d": 1024, "small_cnn": 128}
POSE_WIDTH = 256
ENVELOPE_WIDTH = 32


class Variant(BaseModel):
    """What a model reads and what it is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: Head = Field(default="core", description="CoRe, or errors through the graph.")
    views: tuple[str, ...] = Field(default=("View-1",), description="Camera views, in order.")
    pose: bool = False
    semg: Semg = "none"

    backbone: Backbone = Field(default="i3d", description="Of the views.")
    starts: tuple[int, ...] = Field(
        default=PAPER_STARTS, min_length=1, description="First frames of the windows of 16."
    )
    pixels: Pixels = Field(default="symmetric", description="The released code: imagenet.")
    frozen_statistics: bool | None = Field(
        default=None, description="Of BatchNorm; null: yes for I3D, as the paper has it, else no."
    )
    pose_backbone: Pose = Field(default="stgcn", description="Of the skeleton.")
    spine: Spine = Field(default="whole", description="The released code: lower.")
    pose_groups: Strategy = Field(default="spatial", description="The released code: uniform.")
    peaks: Peaks = Field(default="envelope", description="The released code: raw.")

    hidden: int = Field(default=256, ge=1, description="Width inside the head.")
    depth: int = Field(default=5, ge=2, description="CoRe: of the tree; 5 has 16 leaves.")
    leaf_loss: LeafLoss = Field(default="nll", description="CoRe's paper: bce.")
    decode: Decode = Field(default="best", description="How CoRe reads its leaves.")
    dropout: float = Field(default=0.2, ge=0, lt=1, description="Of the graph head.")

    @property
    def layout(self) -> Layout:
        """The streams with their widths."""
        return Layout(
            views=self.views,
            view_width=VIEW_WIDTHS[self.backbone],
            pose=self.pose,
            pose_width=POSE_WIDTH,
            semg=self.semg,
            envelope_width=ENVELOPE_WIDTH,
        )
