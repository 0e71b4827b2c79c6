"""The rehearsal before a run: what it says, that it leaves no trace, and what it finds."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from small import Small
from typer.testing import CliRunner

from flex.problems import InputError
from sft import rehearse as module
from sft.__main__ import app
from sft.recipe import Recipe
from sft.rehearse import LEAST_PASSES, Reading, wanted
from sft.train import train

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
TrainerOf = Callable[[Recipe], Any]
CHANCE = {"dropout": 0.1, "grain": 0.2, "unseen": 0.1}
# Dies as by kill -9 in the backward pass of the rehearsal.
KILLED = """
import os, signal, sys
from sft.trainer import CoachTrainer
CoachTrainer.training_step = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from flex import cli
from sft.__main__ import app
sys.argv[0] = "sft"
cli.run(app)
"""


def arguments(small: Small, recipe: Recipe, folder: Path) -> list[str]:
    """Return options of `sft train` and `sft rehearse` for a recipe."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    return ["--config", str(path), "--data", str(small.data), "--dialogues", str(small.dialogues)]


def leftovers(run: Path) -> dict[str, bytes]:
    """Return what a run has learnt: adapter, optimizer, random numbers."""
    kept = ["adapter_model.safetensors", "checkpoints/checkpoint-4/optimizer.pt"]
    kept += ["checkpoints/checkpoint-4/rng_state.pth"]
    return {name: (run / name).read_bytes() for name in kept}


def test_a_run_is_the_same_with_and_without_a_rehearsal(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for rehearsal in ("always", "never"):
        recipe = small.recipe(steps=4, rehearsal=rehearsal, **CHANCE)
        run = train(recipe, small.data, small.dialogues, tmp_path / rehearsal)
        found.append(leftovers(run))
        said = "rehearsal of the longest batch, 2 dialogues of" in capsys.readouterr().err
        assert said == (rehearsal == "always")
    assert found[0] == found[1]


def test_random_numbers_weights_and_meter_are_as_before(
    small: Small, trainer_of: TrainerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small.recipe(steps=2, **CHANCE)
    trainer = trainer_of(recipe)
    trainer.create_optimizer_and_scheduler(2)
    weights = {name: weight.clone() for name, weight in trainer.model.named_parameters()}
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    expected = (torch.rand(3).tolist(), random.random(), np.random.rand())
    torch.manual_seed(5), random.seed(5), np.random.seed(5)
    step = trainer.training_step

    def draws(*inputs: Any) -> Any:
        random.random(), np.random.rand()
        return step(*inputs)

    monkeypatch.setattr(trainer, "training_step", draws)
    reading = module.measure(trainer, recipe, prepared_of(trainer), steps=2)
    assert (torch.rand(3).tolist(), random.random(), np.random.rand()) == expected
    assert all(torch.equal(w, weights[name]) for name, w in trainer.model.named_parameters())
    assert all(weight.grad is None for weight in trainer.model.parameters())
    assert not trainer.optimizer.state
    assert not trainer.meter.numbers()[:-1].any()
    assert reading.dialogues == 2
    assert reading.tokens == max(len(trainer.train_dataset[n]) for n in range(6))
    assert 0 < reading.step_s <= reading.pass_s  # one pass a step, none longer than this one


def prepared_of(trainer: Any) -> Any:
    from sft.data import Prepared, _count

    dataset = trainer.train_dataset
    examples = tuple(_count(str(n), dataset[n]) for n in range(len(dataset)))
    return Prepared(dataset, examples, (), "")


def test_long_runs_are_rehearsed_and_others_when_asked() -> None:
    recipe = Recipe(model="m", accumulate=4)
    assert wanted(recipe, LEAST_PASSES // 4)
    assert not wanted(recipe, LEAST_PASSES // 4 - 1)
    assert wanted(recipe.model_copy(update={"rehearsal": "always"}), 1)
    assert not wanted(recipe.model_copy(update={"rehearsal": "never"}), 10**6)


def test_the_end_is_told_in_the_readers_time() -> None:
    reading = Reading(4, 1178, held_bytes=20.5 * 2**30, pass_s=0.5, step_s=0.9, steps=4000)
    text = reading.text(datetime(2026, 11, 30, 23, 30))
    assert "4 dialogues of 1,178 tokens: 20.5 GiB, 0.50 s" in text
    assert text.endswith("4,000 steps end in 1:00:00, at 00:30 on 2026-12-01")


def test_the_command_rehearses_and_keeps_nothing(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "recipes"
    folder.mkdir()
    done = CliRunner().invoke(app, ["rehearse", *arguments(small, small.recipe(steps=3), folder)])
    assert done.exception is None, done.output
    assert "rehearsal of the longest batch, 2 dialogues" in done.stderr
    assert "3 steps end in" in done.stderr
    assert sorted(tmp_path.iterdir()) == [folder]


def test_memory_that_runs_out_is_found_before_the_first_step(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("sft.trainer.CoachTrainer.training_step", full)
    recipe = small.recipe(steps=3, rehearsal="always")
    with pytest.raises(InputError, match="first try --set batch=1 --set accumulate=2"):
        train(recipe, small.data, small.dialogues, tmp_path / "run")
    assert not any((tmp_path / "run/checkpoints").iterdir())


@pytest.mark.slow
def test_a_run_killed_in_its_rehearsal_begins_again(small: Small, tmp_path: Path) -> None:
    recipe = small.recipe(steps=4, rehearsal="always", **CHANCE)
    run = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, "train", *arguments(small, recipe, tmp_path)]
    done = subprocess.run(
        [*command, "--out", str(run)], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert not any((run / "checkpoints").iterdir())
    train(recipe, small.data, small.dialogues, run)
    straight = recipe.model_copy(update={"rehearsal": "never"})
    train(straight, small.data, small.dialogues, tmp_path / "straight")
    assert leftovers(run) == leftovers(tmp_path / "straight")


@pytest.mark.slow
def test_every_rank_rehearses(small: Small, tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    port = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    found = []
    for rehearsal in ("always", "never"):
        recipe = small.recipe(batch=1, steps=4, rehearsal=rehearsal, dropout=0.1)
        run = tmp_path / rehearsal
        command = [*torchrun, *port, "-m", "sft", "train", *arguments(small, recipe, tmp_path)]
        done = subprocess.run(
            [*command, "--out", str(run)], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stderr.count("rehearsal of the longest batch") == (rehearsal == "always")
        found.append((run / "adapter_model.safetensors").read_bytes())
    assert found[0] == found[1]
