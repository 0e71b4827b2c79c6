"""What needs packages of the gpu extra: liger in Triton's interpreter, 4 bits on a CPU."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small import Small

from flex.problems import InputError
from sft.bench import bench
from sft.bench_input import random_coach
from sft.recipe import Recipe
from sft.train import train
from vlm import four_bit
from vlm.model import load_coach

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TrainerOf = Callable[[Recipe], Any]


def test_four_bits_without_bitsandbytes_name_the_package(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(four_bit, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"bitsandbytes.*pip install"):
        train(small.recipe(four_bit=True), small.data, small.dialogues, tmp_path / "run")


@pytest.mark.slow
def test_a_base_in_four_bits_is_tuned(small: Small, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    whole = load_coach(small.base, dtype="bfloat16", device="cpu").model
    coach = load_coach(small.base, dtype="bfloat16", device="cpu", four_bit=True)
    kinds = {name: weight.dtype for name, weight in coach.model.named_parameters()}
    layers = [name for name in kinds if "language_model.layers" in name and "proj.weight" in name]
    assert len(layers) == 2 * 7
    assert all((dtype == torch.uint8) == (name in layers) for name, dtype in kinds.items())
    tower = dict(whole.model.visual.named_parameters())
    for name, weight in coach.model.model.visual.named_parameters():
        assert torch.equal(weight, tower[name])

    recipe = small.recipe(four_bit=True, dtype="bfloat16", steps=4, dropout=0.1, checkpointing=True)
    run = train(recipe, small.data, small.dialogues, tmp_path / "run")
    weights = load_file(run / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    assert all(weight.any() for name, weight in weights.items() if "lora_B" in name)
    log = (run / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in log]
    assert losses[-1] < losses[0]
    again = train(recipe, small.data, small.dialogues, tmp_path / "again")
    assert (again / "adapter_model.safetensors").read_bytes() == (
        run / "adapter_model.safetensors"
    ).read_bytes()


@pytest.mark.slow
def test_ligers_kernels_give_our_loss_and_gradients(small: Small) -> None:
    pytest.importorskip("liger_kernel")
    environment = {**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(HERE / "liger_on_cpu.py"), str(small.base)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "kernels in 17 layers" in done.stdout


@pytest.mark.slow
def test_random_weights_in_four_bits_are_measured(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    recipe = Recipe(model="r", dtype="bfloat16", four_bit=True, steps=2, frames=4, pixels=56**2)
    once = iter([True])
    rows = bench({"r": recipe}, "tiny", 1, tmp_path, order="off", left=lambda: next(once, False))
    assert rows[0].readings is not None
    coach = random_coach("tiny", recipe, "cpu", "sdpa")
    layers = coach.model.model.language_model.layers
    kinds = {weight.dtype for name, weight in layers.named_parameters() if "proj.weight" in name}
    assert kinds == {torch.uint8}
