"""Where a model's files lie: a folder, or the hub; and what an adapter says of its base."""

import json
from pathlib import Path

from flex.problems import InputError, Problem
from vlm.configuration import check_configuration
from vlm.hub import fetch
from vlm.safetensors_files import read_header, require_safetensors

ADAPTER_WEIGHTS = "adapter_model.safetensors"


def find_model(model: str) -> Path:
    """Return the folder of a model; a hub id is fetched unless it is there already.

    `vlm.checkpoint_check` sees whether its weights are whole.

    Raises:
        InputError: no such folder or hub id, no access, no network, another family of models, a
            quantised one, or weights that are not safetensors.
    """
    folder = Path(model)
    if not folder.is_dir():
        folder = fetch(model)
    check_configuration(folder)
    require_safetensors(folder, "*.safetensors")
    return folder


def check_adapter(folder: Path) -> None:
    """See that a folder holds a PEFT adapter in safetensors, none of it cut.

    Raises:
        InputError: it does not.
    """
    if not (folder / "adapter_config.json").exists():
        message = "holds no adapter_config.json, so it is no adapter; `make sft` writes one"
        raise InputError([Problem(str(folder), message)])
    require_safetensors(folder, ADAPTER_WEIGHTS)
    read_header(folder / ADAPTER_WEIGHTS)


def base_of(adapter: Path | None) -> str:
    """Return the base that an adapter was trained on: a folder or a hub id.

    Raises:
        InputError: there is no adapter, or it does not say.
    """
    if adapter is None:
        raise InputError([Problem("--model", "name a model, or an --adapter with its base")])
    check_adapter(adapter)
    path = adapter / "adapter_config.json"
    try:
        return str(json.loads(path.read_text("utf-8"))["base_model_name_or_path"])
    except (ValueError, KeyError) as error:
        message = "does not name its base as base_model_name_or_path; name it with --model"
        raise InputError([Problem(str(path), message)]) from error
