"""Films as the vision tower takes them: varied a little, cut into Qwen's patches."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pretrain.films import SIZE

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP, as Qwen's processor takes them
STD = (0.26862954, 0.26130258, 0.27577711)
_PATCH, _MERGE = 14, 2
GRID = SIZE // _PATCH
PLACES = (GRID // _MERGE) ** 2  # tokens of a step of time
_SHIFT, _TINT, _GRAIN = 5, 0.12, 0.015


def patchify(films: Any) -> Any:
    """Return float films (B, 2 T, 112, 112, 3), 0–1, as Qwen's patches (B × T × 64, 1176)."""
    import torch

    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    groups, side = films.shape[1] // 2, GRID // _MERGE
    x = ((films - mean) / std).reshape(
        len(films), groups, 2, side, _MERGE, _PATCH, side, _MERGE, _PATCH, 3
    )
    x = x.permute(0, 1, 3, 6, 4, 7, 9, 2, 5, 8)
    return x.reshape(len(films) * groups * GRID * GRID, 3 * 2 * _PATCH * _PATCH)


def vary(films: list[npt.NDArray[np.uint8]], draws: np.random.Generator) -> Any:
    """Return films as floats (B, 2 T, 112, 112, 3), each in other light, moved, with grain."""
    import torch

    tint = np.exp(draws.normal(scale=_TINT, size=(len(films), 1, 1, 1, 3)))
    shift = draws.integers(-_SHIFT, _SHIFT + 1, size=(len(films), 2))
    moved = [_move(film, *place) for film, place in zip(films, shift.tolist(), strict=True)]
    x = torch.from_numpy(np.stack(moved)).float().mul_(torch.from_numpy(tint / 255).float())
    return x.add_(torch.randn(1, *x.shape[1:-1], 1), alpha=_GRAIN)


def _move(film: npt.NDArray[np.uint8], down: int, right: int) -> npt.NDArray[np.uint8]:
    """Return a film moved by pixels; its edge is repeated."""
    wide = np.pad(film, ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)), mode="edge")
    top, left = _SHIFT - down, _SHIFT - right
    return wide[:, top : top + SIZE, left : left + SIZE]
