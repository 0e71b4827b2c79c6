"""Features by many workers are those of one process, byte for byte, and a training finds them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import small_flex
import torch

from aqa import feature_store
from aqa.backbone import prepared_encoder
from aqa.clip_store import ClipStore
from aqa.feature_workers import fill_features
from aqa.recipe import Recipe
from aqa.samples import load_samples
from aqa.sources import Cached, cached_source
from engine.where import Engine
from flex.graph import Graph
from flex.problems import InputError
from flex.splits import PARTS
from learn.ranks import Ranks

CPU = torch.device("cpu")


def source(recipe: Recipe, data: Path, graph: Graph) -> Cached:
    """Read or compute features as a training does."""
    samples, store = load_samples(data, recipe, graph), ClipStore(recipe, graph)
    encoder = prepared_encoder(recipe, samples, store, Ranks(), CPU)
    parts = {part: [s for s in samples if s.part == part] for part in PARTS}
    return cached_source(parts, store, encoder, Ranks(), CPU)


def entries(recipe: Recipe) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (recipe.cache / "features").rglob("*.npy")}


@pytest.mark.slow
def test_workers_fill_the_cache_with_the_same_bytes(
    flex_root: Path, tmp_path: Path, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = flex_root / "data"
    alone = small_flex.recipe(tmp_path / "alone", views=("View-1",), pose=True)
    source(alone, data, graph)
    shutil.copytree(tmp_path / "alone", tmp_path / "two")
    shutil.rmtree(tmp_path / "two/features")
    two = small_flex.recipe(tmp_path / "two", views=("View-1",), pose=True)
    outcome = fill_features(two, data, where=Engine(jobs=2))
    assert outcome.done > 2
    assert outcome.quarantined == ()
    assert len(entries(two)) > 8
    assert entries(two) == entries(alone)

    def computed(*_: Any) -> None:
        raise AssertionError("a feature was computed again")

    monkeypatch.setattr(feature_store, "_encode", computed)
    source(two, data, graph)
    assert fill_features(two, data, where=Engine(jobs=1)).done == 0


def test_a_training_that_keeps_no_features_is_refused(flex_root: Path, tmp_path: Path) -> None:
    recipe = small_flex.recipe(tmp_path, views=("View-1",), end_to_end=True)
    with pytest.raises(InputError, match="it keeps no features"):
        fill_features(recipe, flex_root / "data", where=Engine(jobs=1))
