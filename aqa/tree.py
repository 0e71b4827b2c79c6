"""CoRe's group-aware regression tree: from a pair's feature to leaves and positions (section 8.1).

    tree = RegressionTree(2 * 1024 + 1)
    out = tree(pairs)          # (B, 2049) → log_probs (B, 16), positions (B, 16)

Yu et al., ICCV 2021, section 3.3. Every node owns its weights; a level is one batched product over
all its nodes. A node's log-probability adds up along its path, so the leaves' add up to one.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class TreeOutput(NamedTuple):
    """What the tree says of B pairs.

    Attributes:
        log_probs: (B, L) log-probability of each leaf.
        positions: (B, L) where in each leaf the difference lies, 0 at its left end, 1 at its right.
    """

    log_probs: Tensor
    positions: Tensor


class RegressionTree(nn.Module):  # type: ignore[misc]
    """A binary tree with 2^(depth − 1) leaves."""

    def __init__(self, inputs: int, *, hidden: int = 256, depth: int = 5) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        levels = [2**level for level in range(depth - 1)]
        self.choose = nn.ModuleList(NodeLinear(nodes, hidden, 2) for nodes in levels)
        self.grow = nn.ModuleList(NodeLinear(nodes, hidden, 2 * hidden) for nodes in levels)
        self.place = NodeLinear(2 ** (depth - 1), hidden, 1)

    def forward(self, pairs: Tensor) -> TreeOutput:
        """Return leaves and positions.

        Args:
            pairs: (B, inputs) float.
        """
        x = functional.relu(self.first(pairs))[:, None]
        log_probs = torch.zeros(len(pairs), 1, device=pairs.device, dtype=x.dtype)
        for choose, grow in zip(self.choose, self.grow, strict=True):
            branches = functional.log_softmax(choose(x), dim=-1)
            log_probs = (log_probs[..., None] + branches).flatten(1)
            # A node's outputs are its left child's inputs, then its right child's.
            x = functional.relu(grow(x)).flatten(1).unflatten(1, (log_probs.shape[1], -1))
        return TreeOutput(log_probs, self.place(x).squeeze(-1))


class NodeLinear(nn.Module):  # type: ignore[misc]
    """A linear layer of its own for every node: (B, nodes, inputs) → (B, nodes, outputs)."""

    def __init__(self, nodes: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(nodes, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(nodes, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Return each node's product."""
        return torch.einsum("bni,noi->bno", x, self.weight) + self.bias
