"""Features of frames of a whole data set by many workers: processes here, or Ray.

    fill_features(recipe, Path("ROOT"), where=Engine(ray="auto"), gpus=1)

They go into the cache that `emg.features` reads, with the same bytes as one process computes them;
a training, and the evaluation after it, then find all of them there.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from emg.backbone import ResNet50, SmallCnn2d
from emg.clips import fit_scales, read_trials
from emg.features import Entry, Features
from emg.recipe import Recipe
from emg.samples import load_samples
from emg.store import ClipStore
from emg.train import prepared_backbone
from engine.run import Outcome, run_all
from engine.where import Engine
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.problems import InputError, Problem
from learn.array_cache import ArrayCache
from learn.device import device_of


@dataclass(frozen=True)
class Encode:
    """The work: one view of one clip through the backbone.

    Attributes:
        backbone: on the CPU.
        device: where each worker puts it.
    """

    recipe: Recipe
    graph: Graph
    backbone: ResNet50 | SmallCnn2d
    device: str

    def __call__(self, entry: Entry, folder: Path) -> None:
        """Write the entry of the cache."""
        self._features.compute(entry, ArrayCache(folder))

    @cached_property
    def _features(self) -> Features:
        store = ClipStore(self.recipe, self.graph)
        return Features(store, self.backbone, torch.device(self.device))


def fill_features(recipe: Recipe, data: Path, *, where: Engine, gpus: float = 0.0) -> Outcome:
    """Compute what the cache lacks for `python -m emg train` with this recipe.

    A small CNN is trained first, here. Data and cache have to be readable under the same paths on
    every node.

    Args:
        recipe: whose views, backbone and cache.
        data: the data folder.
        where: the workers.
        gpus: graphics cards of each worker; 0: they compute on processors.

    Raises:
        InputError: the data or the recipe do not suit, or the recipe reads no view.
    """
    recipe = recipe.model_copy(update={"cache": recipe.cache.absolute()})
    graph, device = load_graph(), device_of(recipe.device)
    if not recipe.views:
        message = "the skeleton alone is read in such a training, which has no features to keep"
        raise InputError([Problem("views", message)])
    samples = load_samples(data.absolute(), recipe, graph)
    store = ClipStore(recipe, graph)
    scales = fit_scales(read_trials(samples, store), recipe)
    train = [sample for sample in samples if sample.part == "train"]
    torch.manual_seed(recipe.seed)
    backbone = prepared_backbone(recipe, train, store, scales, device)
    assert backbone is not None  # there are views
    features = Features(store, backbone, torch.device("cpu"))
    return run_all(
        features.missing(samples),
        Encode(recipe, graph, backbone, "cuda" if gpus else "cpu"),
        where=where,
        out=recipe.cache / "features",
        log=recipe.cache / "engine",
        key=lambda entry: entry.key,
        title="features, views of clips",
        gpus=gpus,
    )
