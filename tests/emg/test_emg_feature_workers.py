"""Features by many workers are those of one process, byte for byte, and a training finds them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import small_emg
import torch
import yaml
from typer.testing import CliRunner

from emg.__main__ import app
from emg.backbone import SmallCnn2d
from emg.feature_workers import fill_features
from emg.features import Features
from emg.recipe import Recipe
from emg.train import train
from engine.where import Engine
from flex.problems import InputError

FILMED: dict[str, Any] = {"views": ("View-1",), "pose": False, "actions": ("A16",), "epochs": 1}
CLIPS = 12


def entries(recipe: Recipe) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (recipe.cache / "features").rglob("*.npy")}


@pytest.mark.slow
def test_workers_fill_the_cache_with_the_bytes_of_a_training(
    emg_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = emg_root / "data"
    alone = small_emg.recipe(tmp_path / "alone", **FILMED)
    train(alone, "alone", data, tmp_path / "run")
    trained = entries(alone)
    assert len(trained) > CLIPS // 2
    two = small_emg.recipe(tmp_path / "two", **FILMED)  # trains a backbone of its own
    outcome = fill_features(two, data, where=Engine(jobs=2))
    assert (outcome.done, outcome.quarantined) == (CLIPS, ())
    found = entries(two)
    assert len(found) == CLIPS  # those of the test part too
    assert trained.items() <= found.items()
    assert fill_features(two, data, where=Engine(jobs=2)).done == 0

    def computed(*_: object) -> None:
        raise AssertionError("a feature was computed again")

    monkeypatch.setattr(Features, "encode", computed)
    train(two, "two", data, tmp_path / "again")


@pytest.mark.slow
def test_the_command_names_a_view_that_does_not_decode(emg_root: Path, tmp_path: Path) -> None:
    shutil.copytree(emg_root / "data", tmp_path / "data")
    _, samples = small_emg.store(emg_root, **FILMED)
    broken = next(sample.id for sample in samples if sample.part == "test")
    (tmp_path / "data" / broken / "View-1.mp4").write_bytes(b"no film")
    recipe = small_emg.recipe(tmp_path / "cache", **FILMED)
    config = tmp_path / "filmed.yaml"
    config.write_text(yaml.safe_dump(recipe.model_dump(mode="json")), encoding="utf-8")
    words = ["--config", str(config), "--data", str(tmp_path / "data"), "--jobs", "1"]
    done = CliRunner().invoke(app, ["features", *words])
    assert done.exit_code == 0, done.output
    assert f"{CLIPS - 1} views computed" in done.output
    assert f"{broken}/View-1.mp4: " in done.output
    assert len(entries(recipe)) == CLIPS - 1


def test_a_clip_that_is_there_twice_is_computed_once(emg_root: Path, tmp_path: Path) -> None:
    store, samples = small_emg.store(emg_root, **FILMED)
    features = Features(store, SmallCnn2d(), torch.device("cpu"))
    assert [entry.sample for entry in features.missing(samples)] == samples
    assert len(features.missing([samples[0], samples[0]])) == 1


def test_a_recipe_that_reads_the_skeleton_alone_is_refused(emg_root: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="skeleton alone is read"):
        fill_features(small_emg.recipe(tmp_path), emg_root / "data", where=Engine(jobs=1))


def test_help_shows_how() -> None:
    done = CliRunner().invoke(app, ["features", "--help"])
    assert done.exit_code == 0
    assert "python -m emg features" in done.output
