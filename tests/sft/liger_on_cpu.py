"""Liger's kernels in a tiny coach beside transformers' own layers, run by Triton's interpreter.

TRITON_INTERPRET=1 python liger_on_cpu.py BASE: compares logits and the adapters' gradients, with
activations kept and computed again. What the interpreter (Triton 3.8) lacks is put in: scalars that
are floats, and the reciprocal root, whose code for GPUs it cannot run.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import triton.language as tl
from liger_kernel.ops import rms_norm
from triton.runtime import interpreter

from sft.lora import add_lora
from sft.recipe import Recipe
from vlm.fused import use_fused_kernels
from vlm.model import load_coach

_convert = interpreter._implicit_cvt


def _with_floats(value: Any) -> Any:
    if not isinstance(value, float):
        return _convert(value)
    handle = interpreter.TensorHandle(np.array([value], np.float32), tl.float32)
    return tl.tensor(handle, tl.float32)


interpreter._implicit_cvt = _with_floats
rms_norm.rsqrt = lambda value: tl.math.rsqrt(value)


def outcome(base: Path, *, fused: bool, checkpointing: bool) -> tuple[Any, dict[str, Any], int]:
    """Return the logits, the adapters' gradients by name, and how many layers run kernels."""
    model = load_coach(base, dtype="float32", device="cpu").model
    model.requires_grad_(False)
    torch.manual_seed(0)
    tuned = add_lora(model, Recipe(model=str(base), rank=4, alpha=8)).train()
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    count = use_fused_kernels(model) if fused else 0
    if checkpointing:
        tuned.gradient_checkpointing_enable({"use_reentrant": False})
        tuned.enable_input_require_grads()
    ids = torch.randint(20, 250, (2, 9), generator=torch.Generator().manual_seed(1))
    kept = torch.tensor([3, 5, 8])
    logits = tuned(input_ids=ids, use_cache=False, logits_to_keep=kept).logits
    logits.square().mean().backward()
    gradients = {name: w.grad for name, w in tuned.named_parameters() if w.requires_grad}
    return logits.detach(), gradients, count


def main(base: Path) -> None:
    plain, theirs, _ = outcome(base, fused=False, checkpointing=False)
    for checkpointing in (False, True):
        logits, gradients, count = outcome(base, fused=True, checkpointing=checkpointing)
        assert logits.shape[1] == 3, "logits_to_keep was ignored"
        torch.testing.assert_close(logits, plain, rtol=1e-4, atol=1e-5)
        for name, gradient in gradients.items():
            torch.testing.assert_close(gradient, theirs[name], rtol=1e-3, atol=1e-6)
    print(f"kernels in {count} layers")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
