"""Public weights: both Kinetics layouts and NTU's, by their names, against plain arithmetic."""

from pathlib import Path
from typing import Any

import pytest
import torch
from public_weights import kinetics, ntu, plain_i3d, plain_stgcn

from flex.problems import InputError
from learn.checkpoints import load_weights
from learn.i3d import I3D
from learn.stgcn import STGCN


@pytest.fixture(scope="module")
def clip() -> Any:
    return torch.rand(2, 3, 9, 40, 33, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="module")
def expected(clip: Any) -> Any:
    with torch.no_grad():
        return plain_i3d(kinetics("piergiaj"), clip)


@pytest.mark.parametrize("style", ["piergiaj", "hassony"])
def test_kinetics_weights_give_what_plain_arithmetic_gives(
    style: str, tmp_path: Path, clip: Any, expected: Any
) -> None:
    path = tmp_path / "weights.pt"
    torch.save(kinetics(style), path)
    model = I3D().eval()
    assert load_weights(model, path).startswith(style)
    with torch.no_grad():
        torch.testing.assert_close(model(clip), expected, atol=1e-4, rtol=1e-4)


def test_a_core_training_checkpoint_is_unwrapped(tmp_path: Path) -> None:
    path = tmp_path / "core.pth"
    inner = {f"module.backbone.{key}": value for key, value in kinetics("hassony").items()}
    torch.save({"base_model": inner, "regressor": {}, "epoch": 3}, path)
    model = I3D()
    assert load_weights(model, path).startswith("hassony")
    first = kinetics("hassony")["conv3d_1a_7x7.conv3d.weight"]
    assert torch.equal(model.layers["conv_1a"].conv.weight, first)


def test_missing_unexpected_and_misshaped_keys_are_named(tmp_path: Path) -> None:
    weights = dict(kinetics("piergiaj"))
    del weights["Mixed_4c.b2b.bn.bias"]
    weights["Mixed_9z.b0.conv3d.weight"] = torch.zeros(1)
    weights["Conv3d_2b_1x1.conv3d.weight"] = torch.zeros(64, 32, 1, 1, 1)
    path = tmp_path / "bad.pt"
    torch.save(weights, path)
    model = I3D()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(InputError) as caught:
        load_weights(model, path)
    text = str(caught.value)
    assert "1 keys are missing: layers.mixed_4c.conv_b.norm.bias" in text
    assert "1 keys are unexpected: layers.mixed_9z.direct.conv.weight" in text
    assert "layers.conv_2b.conv.weight is (64, 32, 1, 1, 1), expected (64, 64, 1, 1, 1)" in text
    assert str(path) in text
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_ntu_weights_give_what_plain_arithmetic_gives(tmp_path: Path) -> None:
    # Drawn around zero, so that ReLUs cut, and scaled, so that ten blocks stay finite.
    weights = {
        key: (value - 0.5) / value[0].numel() ** 0.5 if value.ndim == 4 else value
        for key, value in ntu().items()
    }
    path = tmp_path / "ntu-xsub.pt"
    torch.save(weights, path)
    model = STGCN().eval()
    load_weights(model, path)
    pose = torch.randn(2, 11, 25, 3, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = plain_stgcn(weights, pose)
        torch.testing.assert_close(model(pose), expected, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(expected[0], expected[1], rtol=1e-2)


def test_ntu_weights_load_with_their_graph(tmp_path: Path) -> None:
    path = tmp_path / "ntu-xsub.pt"
    torch.save(ntu(), path)
    model = STGCN()
    assert load_weights(model, path) == "yysijie/st-gcn"
    public = ntu()
    assert torch.equal(model.adjacency, public["A"])
    assert torch.equal(model.importance[4], public["edge_importance.4"])
    assert torch.equal(
        model.blocks[7].residual[0].weight, public["st_gcn_networks.7.residual.0.weight"]
    )
    assert torch.equal(model.blocks[9].time[2].bias, public["st_gcn_networks.9.tcn.2.bias"])


def test_another_grouping_of_neighbours_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gcn_weight.pth"
    torch.save({"state_dict": {f"model.{key}": value for key, value in ntu(1).items()}}, path)
    with pytest.raises(InputError, match=r"adjacency is \(1, 25, 25\), expected \(3, 25, 25\)"):
        load_weights(STGCN(), path)
    assert load_weights(STGCN(strategy="uniform"), path) == "yysijie/st-gcn"


def test_other_weights_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ntu.pt"
    torch.save(ntu(), path)
    with pytest.raises(
        InputError, match=r"not weights of I3D.*piergiaj.*hassony.*found A; data_bn"
    ):
        load_weights(I3D(), path)
    with pytest.raises(InputError, match="there is no such file"):
        load_weights(I3D(), tmp_path / "none.pt")
    text = tmp_path / "text.pt"
    text.write_text("hello")
    with pytest.raises(InputError, match="cannot be read as weights"):
        load_weights(I3D(), text)
    empty = tmp_path / "empty.pt"
    torch.save({"epoch": 3}, empty)
    with pytest.raises(InputError, match="found no tensors"):
        load_weights(I3D(), empty)


class Trap:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return (print, ("run!",))


def test_pickled_code_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trap.pt"
    torch.save({"Conv3d_1a_7x7.conv3d.weight": Trap()}, path)
    with pytest.raises(InputError, match="pickled code is never run"):
        load_weights(I3D(), path)
    assert "run!" not in capsys.readouterr().out


def test_our_own_weights_load_from_safetensors(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    model, path = STGCN(widths=(8, 16)), tmp_path / "ours.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
    other = STGCN(widths=(8, 16))
    assert load_weights(other, path) == "ours"
    assert torch.equal(other.blocks[1].joints.weight, model.blocks[1].joints.weight)
