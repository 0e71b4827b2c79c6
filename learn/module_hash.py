"""Names weights by what they are, so that what was computed with them is found again."""

import hashlib

import torch
from torch import nn


def module_hash(module: nn.Module) -> str:
    """Return a hash of a module's weights and buffers, with their names."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
