"""Attention of the vision tower in one call where all its chunks are equally long.

Without flash-attention transformers loops over the chunks (one for each step of time of each
video), which costs small models most of their time. Frames of one size give chunks of one length.
"""

import functools
from typing import Any


def join_equal_chunks(model: Any) -> None:
    """Let a Qwen2.5-VL's vision tower attend to equally long chunks at once; same results."""
    for block in model.model.visual.blocks:
        block.attn.forward = functools.partial(_forward, block.attn, block.attn.forward)


def _forward(
    attention: Any, theirs: Any, hidden_states: Any, cu_seqlens: Any, **kwargs: Any
) -> Any:
    from torch.nn import functional
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

    lengths = cu_seqlens.diff().unique()
    if len(lengths) != 1:
        return theirs(hidden_states, cu_seqlens=cu_seqlens, **kwargs)
    length = len(hidden_states)
    packed = attention.qkv(hidden_states).reshape(length, 3, attention.num_heads, -1)
    query, key, value = packed.unbind(1)
    query, key = apply_rotary_pos_emb_vision(query, key, *kwargs["position_embeddings"])
    query, key, value = (
        part.unflatten(0, (-1, int(lengths))).transpose(1, 2).to(value.dtype)
        for part in (query, key, value)
    )
    seen = functional.scaled_dot_product_attention(query, key, value, scale=attention.scaling)
    return attention.proj(seen.transpose(1, 2).reshape(length, -1))
