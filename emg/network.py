"""Video2EMG's network: features of frames → light convolution → memory → a value per muscle.

    network = Network(inputs=150, muscles=18, settings)
    y = network.whole(x, lengths)                      # (B, T, F) → (B, T, 18)
    stream = Stream(network)                           # the same, frame by frame
    for frame in frames: answer = stream.push(frame)   # (B, F) → (B, 18), None while it waits

Section 8.3 names the parts, not their widths. Causal: with a lookahead of k frames the answer for
a frame comes k frames later, and not before.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emg.memory import CausalConv, State, build_memory
from emg.recipe import Memory


@dataclass(frozen=True)
class Settings:
    """What a network is made of; see the fields of `emg.recipe.Recipe`."""

    kernel: int = 3
    hidden: int = 256
    memory: Memory = "lstm"
    layers: int = 1
    dropout: float = 0.0
    lookahead: int = 0
    subjects: int = 0


class Network(nn.Module):  # type: ignore[misc]
    """Everything behind the backbones.

    Attributes:
        inputs: width of a frame's features, all streams side by side.
        centre, spread: (F,) of the features of training frames; what comes in is standardised.
        people: the embedding of subjects, whose row 0 is the unknown one; `None` without.
    """

    def __init__(self, *, inputs: int, muscles: int, settings: Settings) -> None:
        super().__init__()
        self.inputs, self.settings = inputs, settings
        width = settings.hidden
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.conv = CausalConv(inputs, width, settings.kernel)
        self.people = nn.Embedding(1 + settings.subjects, width) if settings.subjects else None
        if self.people is not None:
            nn.init.zeros_(self.people.weight)
        self.drop = nn.Dropout(settings.dropout)
        self.memory = build_memory(
            settings.memory, width=width, layers=settings.layers, dropout=settings.dropout
        )
        self.out = nn.Linear(width, muscles)

    def forward(
        self, x: Tensor, state: State = None, subjects: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Return what the frames say so far, without waiting.

        Args:
            x: (B, T, F) features of frames.
            state: what the call before returned; `None` at the start of clips.
            subjects: (B,) rows of the embedding; `None` means unknown people.

        Returns:
            (B, T, M), and the state for the frames that follow.
        """
        conv_state, memory_state = state or (None, None)
        x = (x - self.centre) / self.spread
        x, conv_state = self.conv(x, conv_state)
        if self.people is not None:
            rows = x.new_zeros(len(x), dtype=torch.long) if subjects is None else subjects
            x = x + self.people(rows)[:, None]
        x, memory_state = self.memory(self.drop(torch.relu(x)), memory_state)
        return self.out(self.drop(x)), (conv_state, memory_state)

    def whole(self, x: Tensor, lengths: Tensor, subjects: Tensor | None = None) -> Tensor:
        """Return the answer for every frame of whole clips.

        Args:
            x: (B, T, F); what lies behind a clip's length is not read.
            lengths: (B,) frames of each clip.
            subjects: see `forward`.

        Returns:
            (B, T, M); what lies behind a clip's length means nothing.
        """
        wait = self.settings.lookahead
        at = torch.arange(x.shape[1] + wait, device=x.device)
        # Behind its end a clip stands still.
        at = torch.minimum(at[None], lengths[:, None] - 1)
        x = x.gather(1, at[..., None].expand(-1, -1, x.shape[2]))
        out, _ = self(x, None, subjects)
        answer: Tensor = out[:, wait:]
        return answer

    def standardise(self, clips: Iterable[Tensor]) -> None:
        """Learn centre and spread from the features of training clips: (T, F) each."""
        count, total, squares = 0, torch.zeros(1), torch.zeros(1)
        for clip in clips:
            x = clip.double()
            count, total = count + len(x), total + x.sum(dim=0)
            squares = squares + (x**2).sum(dim=0)
        centre = total / count
        spread = (squares / count - centre**2).clamp(min=0).sqrt()
        self.centre.copy_(centre)
        # What never changes in training says nothing, and must not blow up when it does later.
        self.spread.copy_(torch.where(spread > 1e-4, spread, torch.ones_like(spread)))


class Stream:
    """Clips that are still going on."""

    def __init__(self, network: Network, subjects: Tensor | None = None) -> None:
        """Start at the first frame; the network should be in evaluation mode."""
        self.network, self.subjects = network, subjects
        self._state: State = None
        self._waiting = network.settings.lookahead
        self._last: Tensor | None = None

    def push(self, frame: Tensor) -> Tensor | None:
        """Take the next frame: (B, F). Return the answer that is due: (B, M), or `None`."""
        with torch.no_grad():
            out, self._state = self.network(frame[:, None], self._state, self.subjects)
        self._last = frame
        if self._waiting:
            self._waiting -= 1
            return None
        answer: Tensor = out[:, 0]
        return answer

    def finish(self) -> list[Tensor]:
        """Return the answers that are still due, oldest first; the last frame stands still."""
        if self._last is None:
            return []
        again = [self.push(self._last) for _ in range(self.network.settings.lookahead)]
        return [answer for answer in again if answer is not None]
