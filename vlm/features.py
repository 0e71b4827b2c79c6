"""Keeps what the frozen vision tower made of each clip, so that it runs once, not every epoch.

    cache = FeatureCache(Path("runs/cache/features"), coach)
    vision = cache.get(frames)            # in place of `see(coach.processor, [frames])`
    encoded = encode(coach.processor, vision, turns)

An entry is keyed by the tower's weights and precision, and by the frames' pixels, which stand for
clip and sampler. The model takes features where it would take pixels (`with_encoder_outputs`); grid
and times are given as always, so positions are the same. Only for a tower that is not trained.
"""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flex.files import atomic_path, hash_text
from flex.problems import InputError, Problem
from flex.video import Frames
from vlm.chat import Vision, see, with_features
from vlm.model import Coach


class FeatureCache:
    """A folder of vision features, one safetensors file a clip."""

    def __init__(self, folder: Path, coach: Coach) -> None:
        """Take a model whose vision tower stays as it is.

        Raises:
            InputError: the tower is being trained.
        """
        self.folder = folder
        self._processor = coach.processor
        self._model = coach.plain.model
        trained = [n for n, p in self._model.visual.named_parameters() if p.requires_grad]
        if trained:
            message = f"is trained ({trained[0]}), so its features cannot be kept; freeze it"
            raise InputError([Problem("vision tower", message)])
        self._tower = tower_fingerprint(self._model.visual)

    def get(self, frames: Frames) -> Vision:
        """Return a clip with features in place of pixels: (tokens, width), on the CPU."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        entry = self.entry(frames)
        if entry.exists():
            try:
                stored = load_file(entry)
                return _stored_vision(stored)
            except (SafetensorError, OSError, KeyError) as error:
                warnings.warn(
                    f"{entry}: the cache entry cannot be read ({error}); made again", stacklevel=2
                )
        vision = self._make(frames)
        _write(entry, vision)
        return vision

    def entry(self, frames: Frames) -> Path:
        """Return the file that holds, or would hold, a clip's features."""
        pixels = hashlib.sha256(frames.pixels.tobytes()).hexdigest()
        times = f"{frames.pixels.shape} {frames.indices} {frames.fps} {frames.total}"
        key = hash_text(self._tower, pixels, times)
        return self.folder / key[:2] / f"{key}.safetensors"

    def _make(self, frames: Frames) -> Vision:
        import torch

        vision = see(self._processor, [frames])
        device = self._model.visual.device
        with torch.no_grad():
            made = self._model.get_video_features(
                vision.pixel_values_videos.to(device), vision.video_grid_thw.to(device)
            )
        return with_features(vision, torch.cat(made.pooler_output).cpu())


def tower_fingerprint(tower: Any) -> str:
    """Return a hash of a vision tower's weights and precision."""
    import torch

    digest = hashlib.sha256()
    for name, weight in sorted(tower.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        digest.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def with_encoder_outputs(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch whose `video_features`, if any, are what the model takes.

    To be called where the model is called: transformers' output classes cannot be pinned, so a
    batch carries plain tensors through the data loader and onto the device.
    """
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    inputs = dict(batch)
    features = inputs.pop("video_features", None)
    if features is not None:
        seen = BaseModelOutputWithPooling(pooler_output=tuple(features))
        inputs["mm_encoder_outputs"] = {"video": seen}
    return inputs


def _stored_vision(stored: dict[str, Any]) -> Vision:
    return Vision(
        video_grid_thw=stored["grid"],
        second_per_grid_ts=tuple(stored["step_s"].tolist()),
        tokens=(len(stored["features"]),),
        features=stored["features"],
    )


def _write(entry: Path, vision: Vision) -> None:
    import torch
    from safetensors.torch import save_file

    with atomic_path(entry) as name:
        save_file(
            {
                "features": vision.features.contiguous(),
                "grid": vision.video_grid_thw,
                "step_s": torch.tensor(vision.second_per_grid_ts, dtype=torch.float64),
            },
            name,
        )
