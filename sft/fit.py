"""Fits a recipe to a GPU: how a step is split into passes, and what is computed twice.

The dialogues of a step stay batch × accumulate, so that what is learnt does too. Computing
activations again costs half of a pass more where the base is frozen, so a smaller batch comes
first. What was chosen is kept in the run's folder: a resumed run takes its batches in the same
order, even on another GPU.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from flex.files import write_text
from sft.data import Example
from sft.flops import Shape
from sft.memory import Load, step_bytes
from sft.recipe import Recipe

FITTED_FILE = "fitted.json"
# What CUDA itself, its libraries and the gaps between tensors take.
_SPARE_BYTES = 2**30
_GAPS = 1.1


def fitted(
    recipe: Recipe,
    shape: Shape,
    examples: Sequence[Example],
    trained: int,
    memory: float | None,
    *,
    fused: bool = False,
) -> Recipe:
    """Return a recipe whose passes fit into a GPU's memory as far as the estimate can tell.

    Args:
        recipe: returned as it is unless its `fit` is "auto".
        shape: the model's sizes.
        examples: what is trained on; the longest decide.
        trained: the adapters' weights.
        memory: bytes of the smallest GPU, None on a CPU, where nothing is changed.
        fused: liger's kernels are used.
    """
    if recipe.fit == "fixed" or memory is None:
        return recipe
    step = recipe.batch * recipe.accumulate
    splits = [size for size in range(step, 0, -1) if step % size == 0]
    tried = [
        recipe.model_copy(
            update={"batch": size, "accumulate": step // size, "checkpointing": checkpointing}
        )
        for checkpointing in (False, True)
        for size in splits
    ]
    for one in tried:
        held = step_bytes(shape, heaviest_pass(examples, one.batch), trained, one, fused=fused)
        if held * _GAPS + _SPARE_BYTES <= memory:
            return one
    return tried[-1]


def heaviest_pass(examples: Sequence[Example], batch: int) -> Load:
    """Return the heaviest pass there can be: the longest dialogues in one batch."""
    worst = sorted(examples, key=lambda example: -example.length)[:batch]
    return Load(
        tokens=batch * worst[0].length,
        learnt=sum(example.learnt for example in worst),
        video_tokens=sum(example.video_tokens for example in worst),
    )


def kept_fit(recipe: Recipe, run: Path) -> Recipe | None:
    """Return the recipe as it was fitted when the run began, if it has begun."""
    path = run / FITTED_FILE
    if recipe.fit == "fixed" or not path.is_file():
        return None
    return recipe.model_copy(update=json.loads(path.read_text("utf-8")))


def keep_fit(recipe: Recipe, run: Path) -> None:
    """Write what a recipe was fitted to into the run's folder."""
    chosen = recipe.model_dump(include={"batch", "accumulate", "checkpointing"})
    if recipe.fit == "auto":
        write_text(run / FITTED_FILE, json.dumps(chosen) + "\n")
