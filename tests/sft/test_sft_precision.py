"""bf16 passes under autocast, while adapters, gradients and Adam keep 32 bits; sharded too."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from fsdp_ranks import adapters_of, tuned
from safetensors import safe_open
from small import Small

from sft.recipe import Recipe

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
TrainerOf = Callable[[Recipe], Any]


def dtypes_met(model: Any) -> dict[str, set[torch.dtype]]:
    """Return what the adapters' layers will get and give, filled as passes run."""
    met: dict[str, set[torch.dtype]] = {"in": set(), "out": set()}

    def look(_: Any, inputs: Any, output: torch.Tensor) -> None:
        met["in"].add(inputs[0].dtype)
        met["out"].add(output.dtype)

    for name, module in model.named_modules():
        if name.endswith("lora_A.default"):
            module.register_forward_hook(look)
    return met


@pytest.mark.parametrize("checkpointing", [False, True])
def test_adapters_compute_in_bf16_and_are_kept_in_32_bits(
    small: Small, trainer_of: TrainerOf, checkpointing: bool
) -> None:
    recipe = small.recipe(
        dtype="bfloat16", steps=2, checkpointing=checkpointing, feature_cache=None
    )
    trainer = trainer_of(recipe)
    met = dtypes_met(trainer.model)
    trainer.train()
    assert met == {"in": {torch.bfloat16}, "out": {torch.bfloat16}}
    kept = [weight for weight in trainer.model.parameters() if weight.requires_grad]
    assert {weight.dtype for weight in kept} == {torch.float32}
    moments = [state["exp_avg"].dtype for state in trainer.optimizer.state.values()]
    assert set(moments) == {torch.float32}
    frozen = {p.dtype for p in trainer.model.parameters() if not p.requires_grad}
    assert frozen == {torch.bfloat16}


def test_the_loss_under_autocast_is_the_loss_in_32_bits(
    small: Small, trainer_of: TrainerOf
) -> None:
    losses = []
    for dtype in ("float32", "bfloat16"):
        trainer = trainer_of(small.recipe(dtype=dtype, steps=3, feature_cache=None))
        trainer.train()
        losses.append([row["loss"] for row in trainer.state.log_history if "loss" in row])
    assert losses[1] == pytest.approx(losses[0], rel=0.01)
    assert losses[1] != losses[0]


def distance(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> float:
    squares = [float((left[n].float() - right[n].float()).square().sum()) for n in left]
    return math.sqrt(sum(squares))


@pytest.mark.slow
def test_sharded_over_two_ranks_adapters_learn_as_in_32_bits(small: Small, tmp_path: Path) -> None:
    out = tmp_path / "sharded.safetensors"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    port = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    command = [*torchrun, *port, str(Path(__file__).parent / "fsdp_ranks.py")]
    done = subprocess.run(
        [*command, str(small.base), str(out)],
        env=ENVIRONMENT,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with safe_open(out, "pt") as file:
        kinds = file.metadata()
        sharded = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert kinds == {
        "moments": "torch.float32",
        "adapters": "torch.float32",
        "frozen": "torch.bfloat16",
    }
    start = adapters_of(tuned(small.base, "float32", steps=0)[0])
    reference = adapters_of(tuned(small.base, "float32")[0])
    halved = adapters_of(tuned(small.base, "bfloat16", adapters="bfloat16")[0])
    moved = distance(reference, start)
    assert distance(sharded, reference) < 0.15 * moved
    assert distance(halved, reference) > 0.3 * moved  # what the sharded run was before
