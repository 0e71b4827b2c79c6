"""Liger's kernels for the norms and gates of a Qwen2.5-VL, on a GPU, where liger-kernel is there.

liger's own function for this model (0.8.5) cannot be imported beside transformers 5.24, and would
put in a forward that knows neither `logits_to_keep` nor our loss. So its kernels are called here:
RMSNorm and SwiGLU. Rotary positions stay as they are: liger's take the three parts of a position
apart from each other, transformers now joins them before.
"""

import functools
from typing import Any


def use_fused_kernels(model: Any) -> int:
    """Let a Qwen2.5-VL's norms and gated layers run liger's kernels; return how many do.

    The layers keep their weights and adapters. A CPU cannot run the kernels.
    """
    from liger_kernel.transformers.functional import liger_rms_norm, liger_swiglu
    from transformers.activations import ACT2FN
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLRMSNorm

    silu = type(ACT2FN["silu"])
    count = 0
    for module in model.modules():
        if isinstance(module, Qwen2_5_VLRMSNorm):
            module.forward = functools.partial(_norm, module, liger_rms_norm)
        elif hasattr(module, "gate_proj") and isinstance(module.act_fn, silu):
            module.forward = functools.partial(_gated, module, liger_swiglu)
        else:
            continue
        count += 1
    return count


def _norm(module: Any, kernel: Any, hidden_states: Any) -> Any:
    return kernel(hidden_states, module.weight, module.variance_epsilon)


def _gated(module: Any, kernel: Any, hidden_state: Any) -> Any:
    return module.down_proj(kernel(module.gate_proj(hidden_state), module.up_proj(hidden_state)))
