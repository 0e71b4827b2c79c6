"""Which streams a model reads, as data: views, pose, sEMG; widths follow from it.

    Layout(views=("View-1",)).width                                    # 1024, single view
    Layout(views=("View-1", "View-2"), pose=True, semg="peak_share").width   # 2306, section 8.1

A stream is one camera view, the pose, or the sEMG. `configs/aqa/*.yaml` name the paper's variants.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aqa.options import Semg

POSE = "pose"
SEMG = "semg"


class Layout(BaseModel):
    """The streams of a model, in order: the views, then pose, then sEMG."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    views: tuple[str, ...] = Field(default=("View-1",), description="Camera views, in order.")
    view_width: int = Field(default=1024, ge=1, description="Width of a view's feature; I3D: 1024.")
    pose: bool = False
    pose_width: int = Field(default=256, ge=1, description="ST-GCN: 256.")
    semg: Semg = "none"
    envelope_width: int = Field(default=32, ge=1, description="Of the envelope encoder.")

    @model_validator(mode="after")
    def _some_stream(self) -> Self:
        if not self.widths:
            raise ValueError("no stream is left: name views, or set pose or semg")
        if len(set(self.views)) < len(self.views) or {POSE, SEMG} & set(self.views):
            raise ValueError(f"views must differ, and none may be called {POSE!r} or {SEMG!r}")
        return self

    @property
    def widths(self) -> dict[str, int]:
        """Stream → width of its feature, in the order in which they are joined."""
        widths = dict.fromkeys(self.views, self.view_width)
        if self.pose:
            widths[POSE] = self.pose_width
        if self.semg != "none":
            widths[SEMG] = 2 if self.semg == "peak_share" else self.envelope_width
        return widths

    @property
    def width(self) -> int:
        """Width of all features together."""
        return sum(self.widths.values())

    def kind(self, stream: str) -> str:
        """Return what a stream is: "view", "pose" or "semg"."""
        return stream if stream in (POSE, SEMG) else "view"
