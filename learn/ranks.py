"""Several processes train one model: `torchrun --nproc_per_node 2 -m aqa train …`.

Each takes its share of the batches; gradients are averaged after every backward pass, so that all
hold the same weights. Without torchrun there is one rank and nothing is sent.
"""

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

Item = TypeVar("Item")


class Ranks:
    """The processes of a run, and which one this is."""

    def __init__(self) -> None:
        self.world = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0")) if self.world > 1 else 0
        if self.world > 1 and not distributed.is_initialized():
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")

    @property
    def main(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return this rank's items."""
        return items[self.rank :: self.world]

    def even_share(self, items: Sequence[Item]) -> list[Item]:
        """Return as many items for every rank, so that none waits for ever: the first repeat."""
        each = -(-len(items) // self.world)
        return [items[(n * self.world + self.rank) % len(items)] for n in range(each)]

    def wait(self) -> None:
        """Wait until every rank is here."""
        if self.world > 1:
            distributed.barrier()

    def same(self, module: nn.Module) -> None:
        """Give every rank the main one's weights and buffers."""
        if self.world > 1:
            for tensor in (*module.parameters(), *module.buffers()):
                distributed.broadcast(tensor.data, src=0)

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Average gradients over the ranks; one that no rank has stays absent."""
        if self.world == 1:
            return
        device = parameters[0].device
        has = torch.tensor([float(p.grad is not None) for p in parameters], device=device)
        distributed.all_reduce(has)
        for parameter, count in zip(parameters, has.tolist(), strict=True):
            if count:
                grad: Tensor = (
                    torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                )
                distributed.all_reduce(grad)
                parameter.grad = grad / self.world

    def from_main(self, value: Any) -> Any:
        """Return the main rank's value in every rank."""
        if self.world == 1:
            return value
        held = [value]
        distributed.broadcast_object_list(held, src=0)
        return held[0]
