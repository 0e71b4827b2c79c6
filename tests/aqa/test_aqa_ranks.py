"""Two processes train as one with batches of twice the size."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
import torch
from torch import nn
from learn.fit import Plan, fit
from learn.ranks import Ranks

torch.set_num_threads(1)
size, out = int(sys.argv[1]), Path(sys.argv[2])

class Task:
    def __init__(self, seed):
        torch.manual_seed(seed)  # every rank starts elsewhere: the main one's weights must win
        self.module = nn.ModuleDict({"used": nn.Linear(3, 1), "unused": nn.Linear(3, 1)})
        self.x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    def groups(self):
        return [{"params": list(self.module.parameters()), "lr": 0.1}]
    def batches(self, epoch):
        order = torch.randperm(8, generator=torch.Generator().manual_seed(epoch))
        return list(order.split(size))
    def loss(self, batch):
        told = self.module["used"](self.x[batch])
        return (told - self.x[batch].sum(1, keepdim=True)).square().mean()
    def validate(self):
        return None

ranks = Ranks()
task = Task(ranks.rank)
fit(task, Plan("two", 3, torch.device("cpu"), save_every=3), out, ranks)
torch.save(task.module.state_dict(), out / f"weights-{ranks.rank}.pt")
"""


def start(
    size: int, out: Path, rank: int = 0, world: int = 1, port: int = 0
) -> subprocess.Popen[str]:
    variables = {"WORLD_SIZE": str(world), "RANK": str(rank), "MASTER_PORT": str(port)}
    variables |= {"MASTER_ADDR": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(size), str(out)],
        cwd=ROOT,
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_ranks_equal_one_with_twice_the_batch(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = [
        start(4, tmp_path / "one"),
        start(2, tmp_path / "two", 0, 2, port),
        start(2, tmp_path / "two", 1, 2, port),
    ]
    for process in running:
        _, errors = process.communicate()
        assert process.returncode == 0, errors[-800:]
    paths = [tmp_path / "one/weights-0.pt", *(tmp_path / f"two/weights-{n}.pt" for n in (0, 1))]
    one, first, second = (torch.load(path, weights_only=True) for path in paths)
    for name, value in one.items():
        torch.testing.assert_close(first[name], value)
        assert torch.equal(first[name], second[name])
    assert (tmp_path / "two/metrics.jsonl").read_text().count("\n") == 3
