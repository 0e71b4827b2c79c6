"""What a step costs in floating-point operations, and the machine's peak.

Operations are those the model needs, without recomputed activations, so that MFU compares recipes.
A frozen layer costs 4 operations a weight and token (forward, and the gradient of its input);
attention costs 12 · hidden · length² a layer, halved because it is causal.
"""

from dataclasses import dataclass
from typing import Any

# Dense bf16 operations a second, from the makers' data sheets; the first name found counts.
PEAKS = {
    "H20": 148e12,
    "H200": 989e12,
    "H100": 989e12,
    "H800": 989e12,
    "A100": 312e12,
    "A800": 312e12,
    "A6000": 155e12,
    "L40": 181e12,
    "4090": 165e12,
    "3090": 71e12,
}


@dataclass(frozen=True)
class Shape:
    """The sizes of a Qwen2.5-VL that decide its cost; weights are counted in linear layers."""

    layers: int
    hidden: int
    layer_weights: int
    vocabulary: int
    vision_layers: int
    vision_hidden: int
    vision_weights: int
    merger_weights: int
    merge: int
    wide: int
    vision_wide: int

    @classmethod
    def of(cls, config: Any) -> "Shape":
        """Read the sizes from a `Qwen2_5_VLConfig`."""
        text, vision = config.text_config, config.vision_config
        head = text.hidden_size // text.num_attention_heads
        key_value = 2 * head * text.num_key_value_heads
        attention = text.hidden_size * (2 * text.hidden_size + key_value)
        merged = vision.hidden_size * vision.spatial_merge_size**2
        wide = vision.intermediate_size
        return cls(
            layers=text.num_hidden_layers,
            hidden=text.hidden_size,
            layer_weights=attention + 3 * text.hidden_size * text.intermediate_size,
            vocabulary=text.vocab_size,
            vision_layers=vision.depth,
            vision_hidden=vision.hidden_size,
            vision_weights=vision.depth * vision.hidden_size * (4 * vision.hidden_size + 3 * wide),
            merger_weights=merged * merged + merged * vision.out_hidden_size,
            merge=vision.spatial_merge_size**2,
            wide=text.intermediate_size,
            vision_wide=wide,
        )

    @property
    def weights(self) -> int:
        """Weights of all linear layers and the embedding."""
        own = self.layers * self.layer_weights + self.vocabulary * self.hidden
        return own + self.vision_weights + self.merger_weights


def step_flops(
    shape: Shape,
    lengths: list[int],
    learnt: int,
    video_tokens: int,
    *,
    vision_tuned: bool = False,
    vision_cached: bool = False,
) -> float:
    """Return the operations of one forward and backward pass.

    Args:
        shape: the model's sizes.
        lengths: tokens of each dialogue, without padding.
        learnt: tokens whose loss is computed; only these pass the output layer.
        video_tokens: video tokens of all dialogues.
        vision_tuned: the tower has adapters, so it has a backward pass.
        vision_cached: its features come from a cache and cost nothing.
    """
    tokens = sum(lengths)
    linear = 4 * (
        shape.layers * shape.layer_weights * tokens + shape.vocabulary * shape.hidden * learnt
    )
    attention = 6 * shape.layers * shape.hidden * sum(length**2 for length in lengths)
    patches = video_tokens * shape.merge
    vision = 2 * (shape.vision_weights * patches + shape.merger_weights * video_tokens)
    return linear + attention + vision * (0 if vision_cached else 2 if vision_tuned else 1)


def peak_flops(device: str) -> float:
    """Return the device's peak operations a second; a CPU's is measured, 0 where it is unknown."""
    import torch

    if device == "cpu":
        return _measured_peak()
    name = torch.cuda.get_device_name()
    for known in sorted(PEAKS, key=len, reverse=True):
        if known in name:
            return PEAKS[known]
    return 0.0


def _measured_peak() -> float:
    import time

    import torch

    size = 1024
    left, right = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
