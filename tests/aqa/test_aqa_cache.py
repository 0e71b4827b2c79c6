"""The caches: an entry is told apart by all that it depends on, and is never half written."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_flex
import torch

from aqa import feature_store
from aqa.build import build_encoder
from aqa.clip_store import ClipStore
from aqa.feature_store import cached_features
from aqa.recipe import Recipe
from aqa.samples import load_samples
from flex.graph import Graph
from flex.problems import InputError
from learn.array_cache import ArrayCache, ClipHashes
from learn.module_hash import module_hash

STREAMS = {"views": ("View-1",), "pose": True, "semg": "envelope"}


def encoder_of(recipe: Recipe, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build_encoder(recipe).eval()


def test_an_entry_is_made_once_and_mended(tmp_path: Path) -> None:
    cache, made = ArrayCache(tmp_path), []

    def make() -> np.ndarray:
        made.append(1)
        return np.arange(6).reshape(2, 3)

    for _ in range(2):
        np.testing.assert_array_equal(cache.get("abcd", make), [[0, 1, 2], [3, 4, 5]])
    assert len(made) == 1
    cache.path("abcd").write_bytes(b"broken")
    with pytest.warns(UserWarning, match="cannot be read"):
        cache.get("abcd", make)
    assert cache.find("abcd") is not None
    assert [path.name for path in tmp_path.rglob("*.npy")] == ["abcd.npy"]


def test_many_writers_leave_one_whole_entry(tmp_path: Path) -> None:
    cache, value = ArrayCache(tmp_path), np.arange(1000)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: cache.get("ab", lambda: value), range(16)))
    assert all(np.array_equal(each, value) for each in found)
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_keys_depend_on_bytes_transform_and_stream(
    flex_root: Path, tmp_path: Path, graph: Graph
) -> None:
    recipe = small_flex.recipe(tmp_path, **STREAMS)
    sample = load_samples(flex_root / "data", recipe, graph)[0]
    store = ClipStore(recipe, graph)
    key = store.key(sample, "View-1")
    assert key == ClipStore(recipe, graph).key(sample, "View-1")
    # What reads skeletons does not change frames.
    other = ClipStore(recipe.model_copy(update={"spine": "lower"}), graph)
    assert other.key(sample, "View-1") == key
    assert other.key(sample, "pose") != store.key(sample, "pose")
    larger = ClipStore(recipe.model_copy(update={"size": 40}), graph)
    assert larger.key(sample, "View-1") != key
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(sample.streams["View-1"].read_bytes())
    moved = replace(sample, streams={"View-1": copy})
    assert store.key(moved, "View-1") == key
    with copy.open("ab") as stream:
        stream.write(b"more")
    assert store.key(moved, "View-1") != key


def test_features_do_not_depend_on_the_size_of_a_batch(
    flex_root: Path, tmp_path: Path, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for size in (1, 4):
        monkeypatch.setattr(feature_store, "_AT_ONCE", size)
        recipe = small_flex.recipe(tmp_path / str(size), **STREAMS)
        samples = load_samples(flex_root / "data", recipe, graph)[:4]
        found.append(cached_features(samples, ClipStore(recipe, graph), encoder_of(recipe)))
    assert found[0].values.keys() == found[1].values.keys() != set()
    for name, value in found[0].values.items():
        torch.testing.assert_close(value, found[1].values[name], rtol=1e-4, atol=1e-5)
        assert value.abs().sum() > 0


def test_features_come_back_from_the_cache_until_the_weights_change(
    flex_root: Path, tmp_path: Path, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small_flex.recipe(tmp_path, views=("View-1",))
    samples = load_samples(flex_root / "data", recipe, graph)[:3]
    store = ClipStore(recipe, graph)
    encoded: list[int] = []
    real = feature_store._encode

    def counted(part: Any, *rest: Any) -> Any:
        encoded.append(len(part))
        return real(part, *rest)

    monkeypatch.setattr(feature_store, "_encode", counted)
    first = cached_features(samples, store, encoder_of(recipe))
    again = cached_features(samples, store, encoder_of(recipe))
    assert encoded == [3]
    assert torch.equal(first.values["View-1"], again.values["View-1"])
    other = cached_features(samples, store, encoder_of(recipe, seed=1))
    assert encoded == [3, 3]
    assert not torch.equal(first.values["View-1"], other.values["View-1"])
    cached_features(samples, store, encoder_of(recipe), mirrored=True)
    assert encoded == [3, 3, 3]


def test_a_modules_hash_tells_one_weight() -> None:
    torch.manual_seed(0)
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    other.load_state_dict(one.state_dict())
    assert module_hash(one) == module_hash(other)
    with torch.no_grad():
        other.weight[1, 1] += 1e-3
    assert module_hash(one) != module_hash(other)


def test_a_folder_of_frames_is_told_by_its_frames(tmp_path: Path) -> None:
    folder = tmp_path / "View-1"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"img_{number:05d}.JPG").write_bytes(bytes([number]))
    hashes = ClipHashes()
    before = hashes.of(folder)
    assert hashes.of(folder) == before
    (folder / "img_00002.JPG").write_bytes(b"another")
    assert hashes.of(folder) != before
    with pytest.raises(InputError, match=r"gone\.mp4: cannot be read"):
        hashes.of(tmp_path / "gone.mp4")
