"""`--from ADAPTER`: a new run that begins with what a finished one has learnt."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from small import Small
from typer.testing import CliRunner

from flex.problems import InputError
from sft.__main__ import app
from sft.train import train


@pytest.fixture(scope="module")
def first(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(
        small.recipe(steps=3), small.data, small.dialogues, tmp_path_factory.mktemp("f") / "first"
    )


def test_a_run_goes_on_from_an_adapter_and_its_card_says_so(
    small: Small, first: Path, tmp_path: Path
) -> None:
    recipe = small.recipe(steps=1, lr=1e-9)
    run = train(recipe, small.data, small.dialogues, tmp_path / "second", first)
    before, after = (load_file(f / "adapter_model.safetensors") for f in (first, run))
    assert before.keys() == after.keys()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight, rtol=0, atol=1e-7)
    assert f"the adapter {first} (" in (run / "README.md").read_text()
    assert "Went on from" not in (first / "README.md").read_text()
    with pytest.raises(InputError, match="from was"):
        train(recipe, small.data, small.dialogues, run)
    again = train(recipe, small.data, small.dialogues, run, first)
    assert load_file(again / "adapter_model.safetensors").keys() == after.keys()


def test_it_learns_on(small: Small, first: Path, tmp_path: Path) -> None:
    def last_loss(run: Path) -> float:
        return float((run / "README.md").read_text().split("Loss at the end | ")[1].split()[0])

    run = train(small.recipe(steps=3), small.data, small.dialogues, tmp_path / "second", first)
    assert last_loss(run) < last_loss(first)


def test_an_adapter_of_another_lora_or_other_frames_is_refused(
    small: Small, first: Path, tmp_path: Path
) -> None:
    other = small.recipe(rank=8, dropout=0.1)
    with pytest.raises(InputError) as caught:
        train(other, small.data, small.dialogues, tmp_path / "run", first)
    said = str(caught.value)
    assert "has rank 4, the recipe 8; give it --set rank=4" in said
    assert "has dropout 0.0, the recipe 0.1" in said
    with pytest.raises(InputError, match="sampled in another way"):
        train(small.recipe(frames=2), small.data, small.dialogues, tmp_path / "run", first)
    wider = small.recipe(scope="llm+vision+merger", feature_cache=None)
    with pytest.raises(InputError, match="got no adapter"):
        train(wider, small.data, small.dialogues, tmp_path / "run", first)
    assert not (tmp_path / "run").exists()


def test_a_folder_without_adapter_is_named(small: Small, tmp_path: Path) -> None:
    options = ["--config", "configs/sft/tiny.yaml", "--data", str(small.data)]
    options += ["--dialogues", str(small.dialogues), "--from", str(small.data)]
    done = CliRunner().invoke(app, ["train", *options, "--out", str(tmp_path / "run")])
    assert isinstance(done.exception, InputError)
    assert "no adapter" in str(done.exception)
