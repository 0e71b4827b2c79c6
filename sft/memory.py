"""What a training pass holds on its device, in bytes: weights, adapters, activations, scores.

The activations are those that autograd keeps for a decoder layer with a frozen base and LoRA on
its seven linear layers; `tests/sft/test_sft_memory.py` counts them. A frozen layer keeps no input,
but each adapter keeps its own, and the norms keep theirs in 32 bits.
"""

from dataclasses import dataclass

from sft.flops import Shape
from sft.recipe import Recipe

# Weights, gradient and Adam's two moments in 32 bits; the copy that autocast makes.
_ADAPTER_BYTES = 4 * 4 + 2
# NF4 with quantised scales: 4 bits and 1/8 + 1/512 byte for a scale of each 64 weights.
_FOUR_BITS = 4.127 / 8
# Some positions of a batch are learnt in one dialogue only, and go through the output layer in all.
_COLUMNS = 1.5


@dataclass(frozen=True)
class Load:
    """A pass in numbers.

    Attributes:
        tokens: tokens of the batch, padding included.
        learnt: tokens whose loss is computed.
        video_tokens: of these, tokens of video.
    """

    tokens: int
    learnt: int
    video_tokens: int = 0


def weight_bytes(shape: Shape, recipe: Recipe) -> int:
    """Return the bytes of the frozen base."""
    size = _size(recipe)
    layers = shape.layers * shape.layer_weights
    return round(
        size * (shape.weights - layers) + (size if not recipe.four_bit else _FOUR_BITS) * layers
    )


def layer_bytes(hidden: int, wide: int, recipe: Recipe, *, fused: bool, mask: int = 1) -> int:
    """Return what one layer with adapters keeps of each token for the backward pass.

    Args:
        hidden: width of the layer.
        wide: width of its feed-forward part.
        recipe: precision, rank and dropout.
        fused: liger's kernels keep neither the norms' copy in 32 bits nor the gate's activation.
        mask: bytes of an element of a dropout mask: 1 on a GPU, a number's on a CPU.
    """
    size = _size(recipe)
    norms = 2 * hidden * (size if fused else 4)
    attention = 4 * hidden * size  # query, key, value, result
    gated = wide * size * (2 if fused else 3)
    inputs = size * (2 * hidden + wide)
    if recipe.dropout:  # each adapter keeps what dropout left of its input, and the mask
        inputs = (size + mask) * (6 * hidden + wide)
    return norms + attention + gated + inputs + 7 * recipe.rank * size


def step_bytes(
    shape: Shape, load: Load, trained: int, recipe: Recipe, *, fused: bool = False
) -> int:
    """Return an estimate of the bytes that a training pass holds at once, the weights included.

    With checkpointing a layer keeps its input only, and one layer at a time is computed again;
    what its backward pass needs besides is about as much once more.
    """
    size = _size(recipe)
    each = layer_bytes(shape.hidden, shape.wide, recipe, fused=fused)
    kept = _kept(shape.hidden, each, shape.layers, recipe) * load.tokens
    if recipe.scope != "llm":
        vision = layer_bytes(shape.vision_hidden, shape.vision_wide, recipe, fused=fused)
        patches = load.video_tokens * shape.merge
        kept += _kept(shape.vision_hidden, vision, shape.vision_layers, recipe) * patches
    # Scores, their copy in 32 bits, its softmax and both gradients.
    scores = load.learnt * shape.vocabulary * (12 + size + 2 * size * _COLUMNS)
    return round(weight_bytes(shape, recipe) + _ADAPTER_BYTES * trained + kept + scores)


def _kept(hidden: int, each: int, layers: int, recipe: Recipe) -> int:
    if not recipe.checkpointing:
        return each * layers
    return hidden * _size(recipe) * layers + 2 * each


def _size(recipe: Recipe) -> int:
    return 2 if recipe.dtype == "bfloat16" else 4
