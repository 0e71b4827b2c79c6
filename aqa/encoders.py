"""From raw inputs to features: windows of frames through the backbone, pose, sEMG (section 8.1).

    encoder = ClipEncoder(layout, video=I3D(), pose=STGCN())
    features = encoder(Streams({"View-1": frames, "pose": pose}))     # Streams of (B, width)

One backbone sees all views. A clip without a stream costs nothing in it. Its statistics may be
frozen (BatchNorm, as the paper has it): a batch then says nothing about another clip in it.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from aqa.layout import POSE, SEMG, Layout
from aqa.options import PAPER_STARTS, WINDOW, Pixels
from aqa.streams import Streams
from flex.problems import InputError, Problem

_SCALES: dict[Pixels, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "symmetric": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


class ClipEncoder(nn.Module):  # type: ignore[misc]
    """The backbones of a layout's streams."""

    def __init__(
        self,
        layout: Layout,
        *,
        video: nn.Module | None = None,
        pose: nn.Module | None = None,
        semg: nn.Module | None = None,
        starts: Iterable[int] = PAPER_STARTS,
        pixels: Pixels = "symmetric",
        frozen_statistics: bool = True,
        segments_at_once: int | None = None,
    ) -> None:
        """Take the backbones; each has `features`, its width.

        Args:
            layout: the streams.
            video: for the views, (B, 3, 16, H, W) → (B, view_width).
            pose: (B, T, 25, 3) → (B, pose_width).
            semg: for envelopes, (B, 2, T) → (B, envelope_width); the peak share needs none.
            starts: first frames of the windows.
            pixels: how frames are scaled.
            frozen_statistics: keep BatchNorm's means and variances in training too.
            segments_at_once: windows in one pass, to bound memory where no gradient is kept.

        Raises:
            InputError: a backbone is missing, or has another width than the layout says.
        """
        super().__init__()
        self.layout = layout
        self.video, self.pose, self.semg = video, pose, semg
        self.starts = tuple(starts)
        self.frozen_statistics = frozen_statistics
        self.segments_at_once = segments_at_once
        self._check()
        mean, deviation = _SCALES[pixels]
        self.register_buffer("mean", torch.tensor(mean)[:, None, None, None], persistent=False)
        self.register_buffer(
            "scale", torch.tensor(deviation)[:, None, None, None], persistent=False
        )

    def forward(self, raw: Streams) -> Streams:
        """Return the features of every stream of the layout that is there.

        Args:
            raw: views (B, 3, T, H, W), uint8 or float in 0..1; pose (B, T, 25, 3) as
                `learn.joints.pose_input` gives it; sEMG (B, 2) shares or (B, 2, T) envelopes.

        Returns:
            Streams of (B, width), zeros where a clip lacks the stream.

        Raises:
            InputError: frames that are too few for the windows.
        """
        values, present = {}, {}
        for stream, width in self.layout.widths.items():
            if stream in raw.values:
                has = raw.has(stream)
                features = torch.zeros(len(raw), width, device=raw.device)
                if bool(has.any()):
                    features[has] = self._encode(stream, raw.values[stream][has]).float()
                values[stream], present[stream] = features, has
        if not values:
            expected = ", ".join(self.layout.widths)
            raise InputError([Problem("streams", f"none of {expected} is there")])
        return Streams(values, present)

    def train(self, mode: bool = True) -> "ClipEncoder":
        """Set training mode; frozen statistics stay in evaluation mode."""
        super().train(mode)
        if mode and self.frozen_statistics:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def _encode(self, stream: str, x: Tensor) -> Tensor:
        kind = self.layout.kind(stream)
        if kind == POSE and self.pose is not None:
            return self.pose(x)
        if kind == SEMG:
            return self.semg(x) if self.semg is not None else x
        return self._view(stream, x)

    def _view(self, stream: str, frames: Tensor) -> Tensor:
        """Return the mean feature over the windows: (B, 3, T, H, W) → (B, view_width)."""
        assert self.video is not None
        need = max(self.starts) + WINDOW
        if frames.shape[2] < need:
            message = f"the windows need {need} frames, found {frames.shape[2]}"
            raise InputError([Problem(stream, message)])
        if frames.dtype == torch.uint8:
            frames = frames.float() / 255
        frames = (frames - self.mean) / self.scale
        windows = torch.stack([frames[:, :, at : at + WINDOW] for at in self.starts], dim=1)
        segments = windows.flatten(0, 1)
        size = self.segments_at_once or len(segments)
        features = torch.cat([self.video(part) for part in segments.split(size)])
        return features.unflatten(0, (len(frames), len(self.starts))).mean(dim=1)

    def _check(self) -> None:
        layout = self.layout
        needed = [
            ("video", self.video, layout.view_width if layout.views else None),
            ("pose", self.pose, layout.pose_width if layout.pose else None),
            ("semg", self.semg, layout.envelope_width if layout.semg == "envelope" else None),
        ]
        problems = []
        for name, backbone, width in needed:
            if width is None:
                continue
            if backbone is None:
                problems.append(Problem(name, "the layout has this stream, but no backbone for it"))
            elif backbone.features != width:
                message = f"the backbone gives {backbone.features} features, the layout has {width}"
                problems.append(Problem(name, message))
        if problems:
            raise InputError(problems)
