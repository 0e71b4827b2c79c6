"""Which precision what is computed in: bf16 under autocast, adapters and Adam in 32 bits.

A frozen base in bf16 loses nothing, but an update of an adapter is often smaller than half of what
bf16 can tell apart. So adapters stay in 32 bits, and autocast gives the matrix units bf16 copies.
"""

import contextlib
from typing import Any

import torch

from sft.recipe import Recipe


def autocast(recipe: Recipe, device: Any) -> Any:
    """Return the context that a pass runs in: bf16 where the recipe's dtype is, else none."""
    if recipe.dtype == "float32":
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16)


def leave_casts_to_autocast(model: Any) -> None:
    """Keep PEFT from casting what enters an adapter to 32 bits, which autocast would undo.

    It is a switch of the layers and not of a pass, since a recomputed activation, which comes in
    the backward pass, must be what it was.
    """
    for module in model.modules():
        if hasattr(module, "lora_A"):
            module.cast_input_dtype_enabled = False


def shard_policy(recipe: Recipe) -> Any:
    """Return FSDP2's policy: weights gathered in the recipe's dtype, gradients added in 32 bits.

    What is sharded keeps its own dtype: the base's is the recipe's, the adapters' 32 bits.
    """
    from torch.distributed.fsdp import MixedPrecisionPolicy

    return MixedPrecisionPolicy(
        param_dtype=getattr(torch, recipe.dtype), reduce_dtype=torch.float32
    )
