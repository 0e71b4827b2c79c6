"""What a checkpoint says it is: its config.json, read before anything else of it.

The coach is a Qwen2.5-VL in 16 or 32 bits. Other families and quantised checkpoints are refused
with what to take instead.
"""

import json
from pathlib import Path
from typing import Any

from flex.problems import InputError, Problem

MODEL_TYPE = "qwen2_5_vl"
CONFIG = "config.json"
EXAMPLE = "Qwen/Qwen2.5-VL-3B-Instruct"
# `quantization_config.quant_method` → what people call it.
_QUANTISED = {"awq": "AWQ", "gptq": "GPTQ", "bitsandbytes": "bitsandbytes", "fp8": "FP8"}


def check_configuration(folder: Path) -> dict[str, Any]:
    """Return the configuration of a model's folder as it is written.

    Raises:
        InputError: no config.json or none that is JSON, another family of models, or a quantised
            checkpoint.
    """
    config = _read(folder)
    place = str(folder / CONFIG)
    kind = config.get("model_type")
    if kind != MODEL_TYPE:
        names = ", ".join(map(str, config.get("architectures") or ()))
        message = (
            f"model_type is {kind!r}, expected {MODEL_TYPE!r}: "
            f"{f'{names} is another model' if names else 'this is another model'}; "
            f"take a Qwen2.5-VL, such as {EXAMPLE}"
        )
        raise InputError([Problem(place, message)])
    text = config.get("text_config") or {}
    quantised = config.get("quantization_config") or text.get("quantization_config")
    if quantised:
        raise InputError([Problem(place, _quantised(quantised))])
    return config


def _read(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.exists():
        message = "holds no config.json, so it is no model"
        if (folder / "adapter_config.json").exists():
            message = (
                "holds an adapter, no model; name its base as the model, and it as the adapter"
            )
        elif any(folder.glob("*.gguf")):
            message = (
                f"holds GGUF files, which llama.cpp reads; take safetensors, such as {EXAMPLE}"
            )
        raise InputError([Problem(str(folder), message)])
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError([Problem(str(path), f"is not JSON ({error}); fetch it again")]) from error
    if not isinstance(config, dict):
        raise InputError([Problem(str(path), "is no JSON object; fetch it again")])
    return config


def _quantised(settings: Any) -> str:
    method = str(settings.get("quant_method", "")) if isinstance(settings, dict) else ""
    bits = settings.get("bits") or (4 if settings.get("load_in_4bit") else None) if method else None
    how = f"{_QUANTISED.get(method, method or 'unknown method')}{f', {bits} bits' if bits else ''}"
    return (
        f"quantization_config: the weights are quantised already ({how}), which is neither trained "
        f"nor loaded here; take the checkpoint that they were made from, such as {EXAMPLE}, or "
        "serve them with vLLM and ask them with --endpoint"
    )
