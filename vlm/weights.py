"""Where a model's files lie, and which weights they are: hub or folder, safetensors only."""

import hashlib
import json
from pathlib import Path

from flex.files import hash_file
from flex.problems import InputError, Problem

MODEL_FILES = ("*.json", "*.safetensors", "*.jinja", "merges.txt")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_SHA256_DIGITS = 64


def find_model(model: str) -> Path:
    """Return the folder of a model; a hub id is fetched unless it is there already.

    Raises:
        InputError: no such folder or hub id, no network, or weights that are not safetensors.
    """
    folder = Path(model)
    if not folder.is_dir():
        folder = _fetch(model)
    if not (folder / "config.json").exists():
        raise InputError([Problem(str(folder), "holds no config.json, so it is no model")])
    _require_safetensors(folder, "*.safetensors")
    return folder


def check_adapter(folder: Path) -> None:
    """See that a folder holds a PEFT adapter in safetensors.

    Raises:
        InputError: it does not.
    """
    if not (folder / "adapter_config.json").exists():
        message = "holds no adapter_config.json, so it is no adapter; `make sft` writes one"
        raise InputError([Problem(str(folder), message)])
    _require_safetensors(folder, "adapter_model.safetensors")


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


def weights_fingerprint(folder: Path) -> str:
    """Return a hash of the weights in a folder: every byte of its safetensors files."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(f"{file.name} {_content_hash(file)}\n".encode())
    if (folder / "adapter_config.json").exists():
        settings = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        settings.pop("base_model_name_or_path", None)
        digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def _content_hash(file: Path) -> str:
    """Return the SHA-256 of a file; the hub's cache names large files by theirs."""
    blob = file.resolve().name
    return blob if len(blob) == _SHA256_DIGITS and file.is_symlink() else hash_file(file)


def _require_safetensors(folder: Path, pattern: str) -> None:
    if any(folder.glob(pattern)):
        return
    pickled = sorted(file.name for kind in _PICKLED for file in folder.glob(kind))
    found = f"; found {', '.join(pickled)}, which could run code when read" if pickled else ""
    message = f"holds no {pattern}, and weights are read from safetensors only{found}"
    raise InputError([Problem(str(folder), message)])


def _fetch(model: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(snapshot_download(model, allow_patterns=list(MODEL_FILES)))
    except HFValidationError:
        message = "is neither a folder nor a hub id such as Qwen/Qwen2.5-VL-3B-Instruct"
    except GatedRepoError:
        message = "is gated on the hub; accept its terms there and log in"
    except RepositoryNotFoundError:
        message = "is not on the hub (or is private), and there is no such folder"
    except (LocalEntryNotFoundError, OSError) as error:
        message = (
            "is no folder, is not in the hub's cache, and the hub cannot be reached "
            f"({type(error).__name__}); fetch it where there is a network, or give a folder"
        )
    raise InputError([Problem(model, message)])
