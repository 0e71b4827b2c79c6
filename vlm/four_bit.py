"""Loads the language model's layers in 4 bits, by bitsandbytes: for small GPUs.

NF4 with quantised scales, computed in bf16, as QLoRA (arXiv 2305.14314) has it. The vision tower
keeps its precision, so that cached features are those of the whole model. PEFT's
`prepare_model_for_kbit_training` is not used: it would turn embeddings, norms and the vision tower
into 32 bits, and with them everything that flows between the layers.
"""

from importlib.util import find_spec
from typing import Any

from flex.problems import InputError, Problem

# Module names from the root: transformers matches them from their start.
WHOLE = ["model.visual", "lm_head"]


def four_bit_settings(device: str) -> dict[str, Any]:
    """Return what `from_pretrained` takes to load 4-bit layers onto a device.

    Raises:
        InputError: bitsandbytes is not installed.
    """
    if find_spec("bitsandbytes") is None:
        message = "needs bitsandbytes, which is not installed: pip install -e '.[gpu]'"
        raise InputError([Problem("four_bit", message)])
    import torch
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=WHOLE,
    )
    return {"quantization_config": config, "device_map": {"": device}}
