"""N steps equal k steps, kill -9, resume, N − k steps; two ranks equal one."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from small import Small

from flex.problems import InputError
from sft.checkpoints import MARKER, last_complete
from sft.recipe import Recipe
from sft.train import train

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
# Dies as by kill -9 while the checkpoint of step 6 is half written.
KILLED = """
import os, signal, sys
from pathlib import Path
from sft import trainer
def die(checkpoint):
    if checkpoint.name == "checkpoint-6":
        os.kill(os.getpid(), signal.SIGKILL)
    mark(checkpoint)
mark, trainer.mark_complete = trainer.mark_complete, die
from flex import cli
from sft.__main__ import app
sys.argv[0] = "sft"
cli.run(app)
"""


def arguments(small: Small, recipe: Recipe, folder: Path, run: Path) -> list[str]:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    data = ["--data", str(small.data), "--dialogues", str(small.dialogues)]
    return ["train", "--config", str(path), *data, "--out", str(run)]


def losses(run: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows]


def weights(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = load_file(run / "adapter_model.safetensors")
    return found


@pytest.mark.slow
def test_killed_and_resumed_equals_never_stopped(small: Small, tmp_path: Path) -> None:
    # Dropout, blur and warmup, batches by length, three epochs: all that a resume could get wrong.
    chance = {"dropout": 0.1, "grain": 0.2, "unseen": 0.1}
    recipe = small.recipe(epochs=3, warmup=0.2, schedule="cosine", **chance)
    straight = train(recipe, small.data, small.dialogues, tmp_path / "straight")
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, *arguments(small, recipe, tmp_path, killed)]
    done = subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert (killed / "checkpoints/checkpoint-6").is_dir()
    assert last_complete(killed / "checkpoints") == killed / "checkpoints/checkpoint-4"
    assert len(losses(killed)) == 6
    assert train(recipe, small.data, small.dialogues, killed) == killed
    assert losses(killed) == losses(straight)
    assert [step for step, _ in losses(straight)] == list(range(1, 10))
    for name, weight in weights(straight).items():
        assert torch.equal(weight, weights(killed)[name]), name


@pytest.mark.slow
def test_two_cpu_ranks_equal_one(small: Small, tmp_path: Path) -> None:
    shared = {"length_grouped": False, "steps": 4}
    one = train(small.recipe(batch=2, **shared), small.data, small.dialogues, tmp_path / "one")
    recipe = small.recipe(batch=1, **shared, frame_cache=tmp_path / "frames")
    two = tmp_path / "two"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    port = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    command = [*torchrun, *port, "-m", "sft", *arguments(small, recipe, tmp_path, two)]
    done = subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "× 2 ranks" in (two / "README.md").read_text()
    assert [step for step, _ in losses(two)] == [1, 2, 3, 4]
    for (step, loss), (other_step, other) in zip(losses(one), losses(two), strict=True):
        assert step == other_step
        assert loss == pytest.approx(other, rel=1e-4)
    for name, weight in weights(one).items():
        # AdamW turns rounding of a gradient near zero into a part of a step (lr 1e-2).
        torch.testing.assert_close(weight, weights(two)[name], rtol=1e-3, atol=5e-4)


def test_a_checkpoint_counts_only_when_complete(tmp_path: Path) -> None:
    for step, files in ((2, ["a", MARKER]), (10, ["a", MARKER]), (12, ["a"])):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        for name in files:
            (folder / name).write_text('{"a": 2}' if name == MARKER else "xx")
    assert last_complete(tmp_path) == tmp_path / "checkpoint-10"
    (tmp_path / "checkpoint-10" / "a").write_text("x")
    assert last_complete(tmp_path) == tmp_path / "checkpoint-2"
    assert last_complete(tmp_path / "none") is None


def test_a_folder_of_another_recipe_is_refused(small: Small, tmp_path: Path) -> None:
    run = train(small.recipe(steps=1), small.data, small.dialogues, tmp_path / "run")
    with pytest.raises(InputError, match=r"lr was 0\.01 in this run and is 0\.5 now"):
        train(small.recipe(steps=1, lr=0.5), small.data, small.dialogues, run)
