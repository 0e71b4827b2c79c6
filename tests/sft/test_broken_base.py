"""A base that lacks a tensor is refused by all that would load it: no weight is ever made up."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small import Small

from coach.talk import open_local_talker
from eval import predict
from flex.problems import InputError
from flex.video import Sampler
from sft.merge import merge
from sft.train import train

LACKING = r"broken: lacks the tensor \S*layers\.1\.mlp\.up_proj\.weight"
Use = Callable[[Small, Path, Path], object]


@pytest.fixture
def broken(small: Small, tmp_path: Path) -> Path:
    from safetensors.torch import load_file, save_file

    folder = Path(shutil.copytree(small.base, tmp_path / "broken"))
    file = folder / "model.safetensors"
    tensors = load_file(file)
    lost = next(name for name in tensors if name.endswith("layers.1.mlp.up_proj.weight"))
    save_file({name: tensors[name] for name in tensors if name != lost}, file)
    return folder


def tune(small: Small, model: Path, out: Path) -> None:
    train(small.recipe(model=str(model)), small.data, small.dialogues, out)


def judge(small: Small, model: Path, out: Path) -> None:
    predict.run(
        model=str(model), modes=["pretrained"], data=small.data, dialogues=small.dialogues, out=out
    )


def join(_: Small, model: Path, out: Path) -> None:
    adapter = out.parent / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(f'{{"base_model_name_or_path": "{model}"}}')
    merge(adapter, out)


def talk(_: Small, model: Path, __: Path) -> None:
    open_local_talker(str(model), None, Sampler(frames=4, pixels=56 * 56))


@pytest.mark.parametrize("use", [tune, judge, join, talk])
def test_nothing_goes_on_with_a_base_that_lacks_a_tensor(
    use: Use, small: Small, broken: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=LACKING):
        use(small, broken, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.safetensors"))
