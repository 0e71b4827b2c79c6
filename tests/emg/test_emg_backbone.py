"""Backbones: shapes, weights that fit or are refused, features that are computed once."""

from pathlib import Path

import numpy as np
import pytest
import small_emg
import torch

from emg.backbone import ResNet50, SmallCnn2d, as_input, build_backbone
from emg.backbone_task import trained_backbone
from emg.clips import fit_scales, read_trials
from emg.features import Features
from emg.losses import masked_loss
from emg.train import train
from flex.problems import InputError

CPU = torch.device("cpu")
FILMED = {"views": ("View-1",), "pose": False}


def test_the_small_cnn_says_where_something_is() -> None:
    torch.manual_seed(0)
    model = SmallCnn2d().eval()
    model.stages[-2].weight.data.mul_(1000)  # as sure of what it sees as a trained one
    frames = np.zeros((2, 64, 64, 3), dtype=np.uint8)
    frames[0, 24:32, 16:24] = frames[1, 24:32, 40:48] = 255
    with torch.no_grad():
        found = model(as_input(torch.from_numpy(frames)))
    assert found.shape == (2, SmallCnn2d.features)
    third = SmallCnn2d.features // 3
    moved = (found[1] - found[0]).abs()
    # The same thing three cells of eight to the right: places across move, places down do not.
    assert moved[:third].max() > 0.8
    assert moved[third : 2 * third].median() < 0.01
    assert moved[third : 2 * third].mean() < 0.2 * moved[:third].mean()


def test_the_small_cnn_learns_and_is_kept(emg_root: Path) -> None:
    store, samples = small_emg.store(emg_root, **FILMED)
    training = [sample for sample in samples if sample.part == "train"]
    scales = fit_scales(read_trials(samples, store), store.recipe)
    first = trained_backbone(store.recipe, training, store, scales, CPU)
    folder = next((store.recipe.cache / "backbones").glob("*/backbone.safetensors"))
    written = folder.stat().st_mtime_ns
    again = trained_backbone(store.recipe, training, store, scales, CPU)
    assert folder.stat().st_mtime_ns == written
    assert all(torch.equal(first[key], again[key]) for key in first)
    torch.manual_seed(store.recipe.seed)
    untrained = SmallCnn2d().state_dict()
    assert not torch.equal(first["stages.0.weight"], untrained["stages.0.weight"])


def test_features_are_computed_once(emg_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, samples = small_emg.store(emg_root, **FILMED)
    torch.manual_seed(7)
    backbone = SmallCnn2d()
    features = Features(store, backbone, CPU)
    first = features.of(samples[0])
    assert first.shape == (17, features.width) == (17, SmallCnn2d.features)
    monkeypatch.setattr(SmallCnn2d, "forward", None)
    assert np.array_equal(Features(store, backbone, CPU).of(samples[0]), first)
    monkeypatch.undo()
    other = Features(store, SmallCnn2d(), CPU).of(samples[0])
    assert not np.array_equal(other, first)


def test_several_views_and_the_pose_lie_side_by_side(emg_root: Path) -> None:
    store, samples = small_emg.store(emg_root, views=("View-1", "View-2"), pose=True)
    backbone = build_backbone(store.recipe)
    features = Features(store, backbone, CPU)
    both = features.of(samples[0])
    assert both.shape[1] == features.width == 2 * SmallCnn2d.features + 126
    alone, _ = small_emg.store(emg_root, views=("View-2",), pose=False)
    second = Features(alone, backbone, CPU).of(samples[0])
    assert np.array_equal(both[:, SmallCnn2d.features : 2 * SmallCnn2d.features], second)


@pytest.mark.parametrize("memory", ["tcn", "transformer"])
def test_a_model_of_frames_is_trained_from_scratch(
    emg_root: Path, tmp_path: Path, memory: str
) -> None:
    settings = {**FILMED, "memory": memory, "subjects": True, "loss": "huber"}
    recipe = small_emg.recipe(emg_root / "cache", **settings)
    model = train(recipe, "film", emg_root / "data", tmp_path / "run")
    assert len(model.people) == len(model.scales.subjects)
    assert np.isfinite(model.facts["validation"]["mae"])


def test_resnet_refuses_what_is_not_its_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file of weights"):
        ResNet50().load(tmp_path / "none.pth")
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "short.pth")
    with pytest.raises(InputError, match="keys are missing"):
        ResNet50().load(tmp_path / "short.pth")


def test_the_hub_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import ResNet50_Weights

    def down(*_: object, **__: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(ResNet50_Weights, "get_state_dict", down)
    with pytest.raises(InputError, match=r"hub cannot be reached .* set weights=FILE"):
        ResNet50().load(None)


@pytest.mark.slow
def test_resnet_takes_torchvisions_weights(tmp_path: Path) -> None:
    from torchvision.models import resnet50

    torch.manual_seed(0)
    public = resnet50(weights=None).eval()
    torch.save(public.state_dict(), tmp_path / "resnet50.pth")
    model = ResNet50()
    model.load(tmp_path / "resnet50.pth")
    model.eval()
    frames = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        features = model(frames)
        wanted = public((frames - model.mean) / model.spread)
        assert features.shape == (1, ResNet50.features)
        torch.testing.assert_close(public.fc(features), wanted)


def test_only_what_was_recorded_counts() -> None:
    true = torch.tensor([[1.0, float("nan")], [3.0, float("nan")]])
    said = torch.tensor([[2.0, 9.0], [3.0, 9.0]], requires_grad=True)
    loss = masked_loss("mse", said, true)
    assert loss.item() == 0.5
    loss.backward()
    assert said.grad is not None
    assert said.grad[:, 1].tolist() == [0, 0]
    assert masked_loss("l1", said, true).item() == 0.5
    # Huber below 0.1 is half the square, above it a line: 0.1 × (1 − 0.05).
    assert masked_loss("huber", said, true).item() == pytest.approx(0.095 / 2)
    assert masked_loss("mse", said, torch.full_like(true, float("nan"))).item() == 0
