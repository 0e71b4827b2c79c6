"""Backbone features of a whole data set by many workers: processes here, or Ray.

    fill_features(recipe, Path("ROOT"), where=Engine(ray="auto"), gpus=1)

They go into the cache that `aqa.feature_store` reads, in the same batches and so with the same
bytes as one process computes them; a training then finds all of them there.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from aqa.backbone import prepared_encoder
from aqa.clip_store import ClipStore
from aqa.encoders import ClipEncoder
from aqa.feature_store import FeatureBatch, feature_keys, mirrored_streams, missing_batches
from aqa.recipe import Recipe
from aqa.samples import load_samples
from engine.run import Outcome, run_all
from engine.where import Engine
from flex.files import hash_text
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.problems import InputError, Problem
from flex.splits import PARTS
from learn.array_cache import ArrayCache
from learn.device import device_of
from learn.ranks import Ranks
from learn.sample import Sample


@dataclass(frozen=True)
class Encode:
    """The work: a batch of clips through its backbone.

    Attributes:
        encoder: the backbones, in evaluation mode, on the CPU.
        device: where each worker puts them.
    """

    recipe: Recipe
    graph: Graph
    encoder: ClipEncoder
    device: str

    def __call__(self, batch: FeatureBatch, folder: Path) -> None:
        """Write an entry of the cache for each clip."""
        store, encoder = self._opened
        batch.encode(store, encoder, torch.device(self.device), ArrayCache(folder))

    @cached_property
    def _opened(self) -> tuple[ClipStore, ClipEncoder]:
        return ClipStore(self.recipe, self.graph), self.encoder.to(self.device).eval()


def fill_features(recipe: Recipe, data: Path, *, where: Engine, gpus: float = 0.0) -> Outcome:
    """Compute what the cache lacks for `python -m aqa train` with this recipe.

    Backbones without weights of their own are trained first, here. Data and cache have to be
    readable under the same paths on every node.

    Args:
        recipe: whose streams, backbones and cache.
        data: the data folder.
        where: the workers.
        gpus: graphics cards of each worker; 0: they compute on processors.

    Raises:
        InputError: the data or the recipe do not suit, or the recipe keeps no features.
    """
    if recipe.end_to_end:
        message = "the backbones learn on in such a training, so that it keeps no features"
        raise InputError([Problem("end_to_end", message)])
    recipe = recipe.model_copy(update={"cache": recipe.cache.absolute()})
    graph, device = load_graph(), device_of(recipe.device)
    samples = load_samples(data.absolute(), recipe, graph)
    store = ClipStore(recipe, graph)
    encoder = prepared_encoder(recipe, samples, store, Ranks(), device).cpu().eval()
    cache = ArrayCache(recipe.cache / "features")
    return run_all(
        _batches(samples, store, encoder, cache),
        Encode(recipe, graph, encoder, "cuda" if gpus else "cpu"),
        where=where,
        out=cache.folder,
        log=recipe.cache / "engine",
        key=lambda batch: hash_text(*batch.keys),
        title="features, batches",
        gpus=gpus,
    )


def _batches(
    samples: list[Sample], store: ClipStore, encoder: ClipEncoder, cache: ArrayCache
) -> list[FeatureBatch]:
    """Return the batches that `aqa.sources.cached_source` computes, part by part."""
    found: list[FeatureBatch] = []
    flipped = mirrored_streams(store)
    for part, mirrored in [*((part, False) for part in PARTS), ("train", True)]:
        chosen = [sample for sample in samples if sample.part == part]
        for stream in flipped if mirrored else store.recipe.layout.widths:
            keys = feature_keys(chosen, store, encoder, stream, mirrored)
            found += missing_batches(chosen, keys, cache, stream, mirrored, Ranks())
    return found
