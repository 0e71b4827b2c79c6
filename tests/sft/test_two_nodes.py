"""Two machines, told apart only by what `torchrun` is told, train as one does with twice the batch.

Each "machine" is a `torchrun` of its own with one CPU rank, as `docs/cluster.md` starts them.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import Small
from test_sft_resume import ENVIRONMENT, ROOT, arguments, losses, weights

from sft.train import train


@pytest.mark.slow
def test_two_nodes_learn_as_one_with_twice_the_batch(
    small: Small, tmp_path: Path, free_port: int
) -> None:
    shared = {"length_grouped": False, "steps": 4}
    one = train(small.recipe(batch=2, **shared), small.data, small.dialogues, tmp_path / "one")
    recipe = small.recipe(batch=1, **shared, frame_cache=tmp_path / "frames")
    two = tmp_path / "two"
    work = ["-m", "sft", *arguments(small, recipe, tmp_path, two)]
    meet = ["--rdzv_backend", "c10d", "--rdzv_id", "7"]
    meet += ["--rdzv_endpoint", f"localhost:{free_port}"]
    nodes = []
    for _ in range(2):
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
        command = [*torchrun, "--nproc_per_node", "1", *meet, *work]
        started = subprocess.Popen(
            command, env=ENVIRONMENT, cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        nodes.append(started)
    said = [node.communicate()[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said[0][-2000:] + said[1][-2000:]
    assert "× 2 ranks" in (two / "README.md").read_text()
    assert [step for step, _ in losses(two)] == [1, 2, 3, 4]
    for (_, loss), (_, other) in zip(losses(one), losses(two), strict=True):
        assert loss == pytest.approx(other, rel=1e-4)
    for name, weight in weights(one).items():
        # AdamW turns rounding of a gradient near zero into a part of a step (lr 1e-2).
        torch.testing.assert_close(weight, weights(two)[name], rtol=1e-3, atol=5e-4)
