"""Whether a checkpoint is whole, found out from its headers before a tensor is read.

    check_checkpoint(folder)     # an InputError names the file, its fault and what to do

transformers fills what a checkpoint lacks with random numbers and only warns. Here the tensors must
be those of the model that config.json describes, all of them and no others. Its own loader compares
them, on weights without data, so that each spelling of names that it accepts is accepted.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flex.problems import InputError, Problem
from vlm.configuration import CONFIG, check_configuration
from vlm.safetensors_files import Stored, read_header, refuse_pointers, shards_of

_FLOATS = ("BF16", "F16", "F32")
_TOKENIZERS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
_SMALL_FILES = ("*.json", "*.jinja", "merges.txt")
# Special tokens that config.json gives the ids of.
_TOKEN_FIELDS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}
# What transformers raises over settings that make no sense.
_UNBUILDABLE = (
    *(ValueError, TypeError, KeyError, IndexError),
    *(AttributeError, ZeroDivisionError, RuntimeError),
)
_LAYERS = (
    (re.compile(r"language_model\.layers\.(\d+)\."), "num_hidden_layers"),
    (re.compile(r"visual\.blocks\.(\d+)\."), "vision_config.depth"),
)


def check_checkpoint(folder: Path) -> None:
    """See that a folder holds a whole Qwen2.5-VL in safetensors, with its tokenizer.

    Raises:
        InputError: another family, a quantised model, Git LFS pointers, no tokenizer, files that
            are missing or cut, or tensors that are not those of the configuration.
    """
    check_configuration(folder)
    refuse_pointers(sorted(file for kind in _SMALL_FILES for file in folder.glob(kind)))
    _check_tokenizer_files(folder)
    tensors = stored_tensors(folder)
    _check_types(folder, tensors)
    _check_tensors(folder, tensors)


def stored_tensors(folder: Path) -> dict[str, Stored]:
    """Return all tensors of a model's folder, by the names they have there.

    Raises:
        InputError: files that are missing, cut or no safetensors.
    """
    tensors: dict[str, Stored] = {}
    problems: list[Problem] = []
    for file in shards_of(folder):
        try:
            tensors |= read_header(file)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tensors


def stored_dtype(folder: Path) -> str:
    """Return the torch type that a model's weights are stored in, such as "bfloat16".

    Raises:
        InputError: as `stored_tensors`.
    """
    names = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
    kinds = [tensor.dtype for tensor in stored_tensors(folder).values()]
    return names[max(names, key=kinds.count)]


def check_processor(processor: Any, folder: Path) -> None:
    """See that tokenizer and chat template belong to the model.

    Raises:
        InputError: there is no chat template, or a special token has another id than config.json
            says.
    """
    tokenizer = processor.tokenizer
    if not (getattr(processor, "chat_template", None) or tokenizer.chat_template):
        message = "has no chat template; fetch chat_template.json (or chat_template.jinja)"
        raise InputError([Problem(str(folder), message)])
    config = check_configuration(folder)
    problems = []
    for field, token in _TOKEN_FIELDS.items():
        expected, found = config.get(field), tokenizer.convert_tokens_to_ids(token)
        if expected is not None and expected != found:
            message = f"{field} is {expected}, but the tokenizer beside it has {token} as {found}"
            problems.append(Problem(str(folder / CONFIG), f"{message}; fetch both from one model"))
    if problems:
        raise InputError(problems)


def _check_tokenizer_files(folder: Path) -> None:
    if any(all((folder / name).exists() for name in names) for names in _TOKENIZERS):
        return
    message = "holds no tokenizer; fetch tokenizer.json (or vocab.json and merges.txt)"
    raise InputError([Problem(str(folder), message)])


def _check_types(folder: Path, tensors: Mapping[str, Stored]) -> None:
    other = [name for name, tensor in tensors.items() if tensor.dtype not in _FLOATS]
    if other:
        message = (
            f"{len(other)} of {len(tensors)} tensors are stored as {tensors[other[0]].dtype} "
            f"(the first is {other[0]}), so the weights are quantised; expected BF16, F16 or F32"
        )
        raise InputError([Problem(str(folder), message)])


def _check_tensors(folder: Path, tensors: Mapping[str, Stored]) -> None:
    found = _compare(folder, tensors)
    problems = [
        *_missing(folder, sorted(found["missing_keys"])),
        *_unexpected(folder, sorted(found["unexpected_keys"])),
        *_misshapen(folder, sorted(found["mismatched_keys"])),
    ]
    if problems:
        raise InputError(problems)


def _compare(folder: Path, tensors: Mapping[str, Stored]) -> dict[str, Any]:
    """Return what transformers' loader finds missing, unexpected and of another shape."""
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, Qwen2_5_VLForConditionalGeneration

    empty = {
        name: torch.empty(tensor.shape, dtype=torch.bfloat16, device="meta")
        for name, tensor in tensors.items()
    }
    try:
        with _silently():
            _, found = Qwen2_5_VLForConditionalGeneration.from_pretrained(
                None,
                config=AutoConfig.from_pretrained(folder),
                state_dict=empty,
                device_map="meta",
                attn_implementation="eager",
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (StrictDataclassError, *_UNBUILDABLE) as error:
        message = f"describes no model that can be built ({' '.join(str(error).split())})"
        raise InputError([Problem(str(folder / CONFIG), f"{message}; fetch it again")]) from error
    return dict(found)


@contextlib.contextmanager
def _silently() -> Iterator[None]:
    """Keep the loader's report and its progress bar off the screen."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _missing(folder: Path, names: list[str]) -> Iterator[Problem]:
    if names:
        message = (
            f"lacks {_counted(names)} that config.json calls for{_field_hint(names)}; they would "
            "be random; fetch the weights and config.json again, from one model"
        )
        yield Problem(str(folder), message)


def _unexpected(folder: Path, names: list[str]) -> Iterator[Problem]:
    if names:
        message = (
            f"holds {_counted(names)} that config.json knows nothing of{_field_hint(names)}; "
            "fetch the weights and config.json again, from one model"
        )
        yield Problem(str(folder), message)


def _misshapen(folder: Path, found: list[tuple[str, Any, Any]]) -> Iterator[Problem]:
    if found:
        _, has, expected = found[0]
        message = (
            f"holds {_counted([name for name, *_ in found])} of another shape than config.json "
            f"calls for: {'×'.join(map(str, has))}, expected {'×'.join(map(str, expected))}; "
            "fetch the weights and config.json again, from one model"
        )
        yield Problem(str(folder), message)


def _counted(names: list[str]) -> str:
    if len(names) == 1:
        return f"the tensor {names[0]}"
    return f"{len(names)} tensors (the first is {names[0]})"


def _field_hint(names: list[str]) -> str:
    """Name the field of config.json that is wrong if all tensors are of whole layers."""
    for pattern, field in _LAYERS:
        layers = {int(found[1]) for name in names if (found := pattern.search(name))}
        if layers and all(pattern.search(name) for name in names):
            numbers = ", ".join(map(str, sorted(layers)))
            return f", all of layer {numbers}: see {field}"
    return ""
