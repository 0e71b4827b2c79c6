"""What finished eyes see of all clips: features, computed once and kept beside the films."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.progress import track

from flex import cli
from flex.files import hash_text
from learn.array_cache import ArrayCache
from pretrain.cohorts import Cohorts
from pretrain.eyes import see
from pretrain.films import GROUPS
from pretrain.patches import PLACES, patchify, vary

_SEEN_AT_ONCE = 16


def watch(
    model: Any, cohorts: Cohorts, looks: int, seed: int, kept: Path
) -> list[npt.NDArray[np.float16]]:
    """Return features (N, 128, hidden) of all clips, once for each look, varied anew each time.

    A look that was finished by the same eyes at the same clips is read from the folder `kept`.
    """
    from learn.module_hash import module_hash

    eyes, cache = module_hash(model.model.visual), ArrayCache(kept)
    keys = [hash_text(eyes, *cohorts.names, str(seed), str(n)) for n in range(looks)]
    return [
        cache.get(key, partial(_look, model, cohorts, np.random.default_rng([seed, n])))
        for n, key in enumerate(keys)
    ]


def _look(model: Any, cohorts: Cohorts, draws: np.random.Generator) -> npt.NDArray[np.float16]:
    import torch

    hidden = model.config.text_config.hidden_size
    features = np.empty((len(cohorts), GROUPS * PLACES, hidden), dtype=np.float16)
    starts = range(0, len(cohorts), _SEEN_AT_ONCE)
    with torch.no_grad():
        for at in track(starts, "clips seen", console=cli.err, transient=True):
            rows = range(at, min(at + _SEEN_AT_ONCE, len(cohorts)))
            films = [cohorts.clip(row).film for row in rows]
            seen = see(model, patchify(vary(films, draws)), GROUPS)
            features[rows.start : rows.stop] = seen.flatten(1, 2).float().numpy()
    return features
