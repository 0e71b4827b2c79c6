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
_KIND = "nf4"


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
        bnb_4bit_quant_type=_KIND,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=WHOLE,
    )
    return {"quantization_config": config, "device_map": {"": device}}


def in_four_bits(model: Any) -> Any:
    """Return a model that is in memory with its language model's layers in 4 bits.

    For weights that lie in no folder, such as random ones; else `four_bit_settings`.
    """
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    for layer in model.model.language_model.layers:
        for name, module in list(layer.named_modules()):
            if not isinstance(module, torch.nn.Linear):
                continue
            with torch.device("meta"):
                quantised = Linear4bit(
                    module.in_features,
                    module.out_features,
                    module.bias is not None,
                    compute_dtype=torch.bfloat16,
                    quant_type=_KIND,
                )
            quantised.weight = Params4bit(
                module.weight.data.cpu(), requires_grad=False, quant_type=_KIND
            )
            quantised.bias = module.bias
            parent, _, own = name.rpartition(".")
            setattr(layer.get_submodule(parent), own, quantised.to(module.weight.device))
    model.is_loaded_in_4bit = True
    return model
