"""Where a recipe computes."""

from typing import Literal

import torch

from flex.problems import InputError, Problem


def device_of(wanted: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device that a recipe asks for; "auto" takes a GPU where there is one.

    Raises:
        InputError: it wants a GPU and there is none.
    """
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise InputError([Problem("device", "there is no GPU that PyTorch can use; device=cpu")])
    if available and wanted != "cpu":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")
