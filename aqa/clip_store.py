"""What is read of clips, from the cache where it is there: raw streams, batched for a backbone.

    store = ClipStore(recipe, graph)
    raw = store.batch(samples, ["View-1", "pose"])              # Streams of raw tensors
    raw = store.batch(samples, ["View-1"], mirrored={"View-1": flags})

Decoded frames are kept, keyed by the clip's bytes and how it is read; skeletons and sEMG as well.
A clip that lacks a stream has zeros in it and is marked absent.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from aqa.inputs import Array, mirrored_stream, read_pose, read_stream
from aqa.layout import POSE, SEMG
from aqa.recipe import Recipe
from aqa.streams import Streams
from flex.files import hash_text
from flex.graph import Graph
from flex.problems import InputError, Problem
from learn.array_cache import ArrayCache, ClipHashes
from learn.sample import Sample


class ClipStore:
    """Reads streams of clips for one recipe."""

    def __init__(self, recipe: Recipe, graph: Graph) -> None:
        self.recipe, self.graph = recipe, graph
        self.cache = ArrayCache(recipe.cache / "streams")
        self.hashes = ClipHashes()

    def key(self, sample: Sample, stream: str) -> str:
        """Return a hash of all that a stream of a clip depends on, before any backbone."""
        parts = [self.hashes.of(sample.streams[stream])]
        parts.append(self.recipe.transform(self.recipe.layout.kind(stream)))
        if stream == SEMG:
            stated = sample.record.semg
            parts += [sample.record.action, stated.model_dump_json() if stated else ""]
        return hash_text(*parts)

    def read(self, sample: Sample, stream: str, *, mirrored: bool = False) -> Array:
        """Return one stream of a clip; see `aqa.inputs.read_stream`.

        Raises:
            InputError: the file cannot be used.
        """
        if mirrored and stream == POSE:
            path = sample.streams[stream]
            return self._kept(
                hash_text(self.key(sample, stream), "mirrored"),
                lambda: read_pose(path, self.recipe, mirrored=True),
            )
        array = self._kept(
            self.key(sample, stream), lambda: read_stream(sample, stream, self.recipe, self.graph)
        )
        return mirrored_stream(sample, stream, array, self.recipe) if mirrored else array

    def _kept(self, key: str, make: Callable[[], Array]) -> Array:
        return self.cache.get(key, make) if self.recipe.keep_streams else make()

    def batch(
        self,
        samples: Sequence[Sample],
        streams: Sequence[str],
        mirrored: Mapping[str, Tensor] | None = None,
    ) -> Streams:
        """Return raw streams of some clips, read by several threads.

        Args:
            samples: B clips.
            streams: which; one that no clip has is left out.
            mirrored: stream → (B,) bool, which clips are mirrored; none if not given.

        Raises:
            InputError: every file that cannot be used, or clips whose streams differ in shape.
        """
        flags = mirrored or {}
        jobs = [
            (row, stream, bool(flags[stream][row]) if stream in flags else False)
            for stream in streams
            for row, sample in enumerate(samples)
            if stream in sample.streams
        ]
        problems: list[Problem] = []

        def load(job: tuple[int, str, bool]) -> Array | None:
            row, stream, flip = job
            try:
                return self.read(samples[row], stream, mirrored=flip)
            except InputError as error:
                problems.extend(error.problems)
                return None

        with ThreadPoolExecutor(self.recipe.workers) as pool:
            arrays = list(pool.map(load, jobs))
        if problems:
            raise InputError(problems)
        values: dict[str, Tensor] = {}
        present: dict[str, Tensor] = {}
        for (row, stream, _), array in zip(jobs, arrays, strict=True):
            assert array is not None
            if stream not in values:
                kind = torch.from_numpy(np.empty(0, dtype=array.dtype)).dtype
                values[stream] = torch.zeros(len(samples), *array.shape, dtype=kind)
                present[stream] = torch.zeros(len(samples), dtype=torch.bool)
            values[stream][row] = torch.from_numpy(np.array(array))
            present[stream][row] = True
        return Streams({name: _channels_first(value) for name, value in values.items()}, present)


def _channels_first(value: Tensor) -> Tensor:
    """Turn frames (B, T, H, W, 3) into (B, 3, T, H, W); all else stays."""
    return value.permute(0, 4, 1, 2, 3) if value.ndim == 5 else value
