"""What remembers the frames before: an LSTM (the paper), a temporal convolution, a transformer.

    memory = build_memory("lstm", width=128, layers=1)
    y, state = memory(x, None)              # (B, T, C) → (B, T, C), a whole clip
    y, state = memory(frame, state)         # (B, 1, C) → (B, 1, C), as a camera gives it

Nothing looks ahead, and all that the past leaves is in the state, which does not grow. So a clip
may come whole, frame by frame or in pieces of any length, with the same result.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from emg.recipe import Memory

State = Any
_KERNEL, _DILATIONS = 3, (1, 2, 4, 8)
_HEADS, _WINDOW = 4, 48


def build_memory(kind: Memory, *, width: int, layers: int = 1, dropout: float = 0.0) -> nn.Module:
    """Return a memory with random weights.

    Args:
        kind: "lstm", "tcn" or "transformer".
        width: channels in and out; a transformer's must divide by 4.
        layers: one on top of the other; a "tcn" has four dilated convolutions in each.
        dropout: between layers.
    """
    if kind == "lstm":
        return Lstm(width, layers, dropout)
    if kind == "tcn":
        return Chain([TcnLayer(width, step, dropout) for _ in range(layers) for step in _DILATIONS])
    return Chain([AttentionLayer(width, dropout) for _ in range(layers)])


class CausalConv(nn.Module):  # type: ignore[misc]
    """A convolution over this frame and those before it; before the first there are zeros."""

    def __init__(self, channels: int, width: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.channels, self.before = channels, (kernel - 1) * dilation
        self.conv = nn.Conv1d(channels, width, kernel, dilation=dilation)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return (B, T, D) for (B, T, C), and the frames that the next call needs."""
        past = x.new_zeros(len(x), self.before, self.channels) if state is None else state
        seen = torch.cat([past, x], dim=1)
        out = self.conv(seen.transpose(1, 2)).transpose(1, 2)
        return out, seen[:, seen.shape[1] - self.before :]


class Lstm(nn.Module):  # type: ignore[misc]
    """Unidirectional layers; the state is theirs."""

    def __init__(self, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.cells = nn.LSTM(width, width, layers, batch_first=True, dropout=between)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return (B, T, C) for (B, T, C), and the state."""
        out: tuple[Tensor, State] = self.cells(x, state)
        return out


class Chain(nn.Module):  # type: ignore[misc]
    """Layers with a state each."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return (B, T, C) for (B, T, C), and the states."""
        after = []
        for layer, before in zip(self.layers, state or [None] * len(self.layers), strict=True):
            x, kept = layer(x, before)
            after.append(kept)
        return x, after


class TcnLayer(nn.Module):  # type: ignore[misc]
    """A dilated causal convolution with a residual."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.conv = CausalConv(width, width, _KERNEL, dilation)
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(dropout)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return (B, T, C) for (B, T, C), and the frames that the next call needs."""
        seen, state = self.conv(self.norm(x), state)
        return x + self.drop(self.mix(functional.gelu(seen))), state


class AttentionLayer(nn.Module):  # type: ignore[misc]
    """Attention to this frame and the 47 before it, then two linear layers.

    A frame counts less the longer ago it is, by a slope for each head instead of a position
    (Press, Smith and Lewis, ICLR 2022), so that a stream may be longer than any training clip.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm, self.norm_mix = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.both = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out, self.drop = nn.Linear(width, width), nn.Dropout(dropout)
        self.mix = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        slopes = torch.tensor([2.0 ** -(2 * head + 1) for head in range(_HEADS)])
        self.register_buffer("slopes", slopes)

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return (B, T, C) for (B, T, C), and the frames that the next call may look at."""
        own = self.norm(x)
        seen = own if state is None else torch.cat([state, own], dim=1)
        query = self._heads(self.query(own))
        key, value = (self._heads(part) for part in self.both(seen).chunk(2, dim=-1))
        weights = query @ key.transpose(2, 3) / math.sqrt(key.shape[-1])
        weights = (weights + self._bias(x.shape[1], seen.shape[1])).softmax(dim=-1)
        x = x + self.drop(self.out((weights @ value).transpose(1, 2).flatten(2)))
        return x + self.drop(self.mix(self.norm_mix(x))), seen[:, -(_WINDOW - 1) :]

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (_HEADS, -1)).transpose(1, 2)

    def _bias(self, now: int, seen: int) -> Tensor:
        """Return what is added before the softmax: (heads, now, seen)."""
        at = torch.arange(seen, device=self.slopes.device)
        ago = at[seen - now :, None] - at[None, :]
        bias = -self.slopes[:, None, None] * ago
        return bias.masked_fill((ago < 0) | (ago >= _WINDOW), float("-inf"))
