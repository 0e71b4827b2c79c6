"""What is trained behind the backbones: a network, its batches, its loss, how good it is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from emg.clips import ReadyClip, padded
from emg.inputs import POSE_WIDTH
from emg.losses import masked_loss
from emg.measures import pooled, row_sums, summary
from emg.network import Network, Settings
from emg.recipe import Recipe
from flex.files import hash_text
from flex.number_table import Floats
from flex.semg_columns import MIRRORED, MUSCLES
from learn.fit import Quality

_AT_ONCE = 32


class Draw(NamedTuple):
    """Some clips of an epoch: which, which of them mirrored, and which person's embedding."""

    rows: list[int]
    mirrored: list[bool]
    people: list[int]


class EmgTask:
    """Trains a network on ready clips.

    Attributes:
        module: the network.
        people: training subjects in the order of the embedding's rows, from 1; 0 is unknown.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: Sequence[ReadyClip],
        validation: Sequence[ReadyClip],
        device: torch.device,
    ) -> None:
        self.recipe, self.device = recipe, device
        self.train, self.validation = train, validation
        self.people = people_of(train) if recipe.subjects else ()
        self.module = build_network(recipe, train[0].x.shape[1], len(self.people))
        self.module.standardise(torch.from_numpy(clip.x) for clip in train)
        self._start_at_the_mean()
        self._person = {name: row for row, name in enumerate(self.people, 1)}

    def groups(self) -> list[dict[str, Any]]:
        """Return one group of all weights."""
        return [{"params": list(self.module.parameters()), "lr": self.recipe.lr}]

    def batches(self, epoch: int) -> list[Any]:
        """Return all training clips in random order; see `Draw`."""
        seed = int(hash_text("clips", str(self.recipe.seed), str(epoch)), 16) % 2**63
        random = np.random.default_rng(seed)
        order = random.permutation(len(self.train))
        flips = random.random(len(order)) < (0.5 if self.recipe.mirror else 0.0)
        hidden = random.random(len(order)) < self.recipe.unknown
        people = [
            0 if unknown else self._person.get(str(self.train[row].sample.record.subject), 0)
            for row, unknown in zip(order, hidden, strict=True)
        ]
        size = self.recipe.batch
        return [
            Draw(
                order[at : at + size].tolist(),
                flips[at : at + size].tolist(),
                people[at : at + size],
            )
            for at in range(0, len(order), size)
        ]

    def loss(self, batch: Draw) -> Tensor:
        """Return the loss of some clips."""
        xs, ys = [], []
        for row, flip in zip(batch.rows, batch.mirrored, strict=True):
            clip = self.train[row]
            if flip:
                assert clip.mirrored is not None
                xs.append(clip.mirrored)
                ys.append(clip.y[:, list(MIRRORED)])
            else:
                xs.append(clip.x)
                ys.append(clip.y)
        x, lengths = padded(xs, 0.0)
        y, _ = padded(ys, float("nan"))
        x = self._jittered(x).to(self.device)
        people = torch.tensor(batch.people, device=self.device) if self.people else None
        said = self.module.whole(x, lengths.to(self.device), people)
        return masked_loss(self.recipe.loss, said, y.to(self.device))

    def validate(self) -> Quality | None:
        """Return mean r over muscles, and the mean error, on people who are not told."""
        if not self.validation:
            return None
        said = predict(self.module, [clip.x for clip in self.validation], self.device)
        rows = [
            row
            for clip, answer in zip(self.validation, said, strict=True)
            for row in row_sums(answer, clip.y)
        ]
        found = summary(pooled(rows))
        return Quality(found["r"], found["mae"])

    def _jittered(self, x: Tensor) -> Tensor:
        """Give each clip a body of its own: joints are moved by the same for all of its frames."""
        if self.recipe.jitter and self.recipe.pose:
            width = POSE_WIDTH * (2 if self.recipe.motion else 1)
            first = x.shape[2] - width
            moved = x.new_zeros(len(x), 1, x.shape[2])
            moved[..., first : first + POSE_WIDTH].normal_(std=self.recipe.jitter)
            x = x + moved
        return x

    def _start_at_the_mean(self) -> None:
        """Let every muscle start at its mean over the training frames."""
        every = np.concatenate([clip.y for clip in self.train])
        there = np.isfinite(every)
        counts = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, every, 0.0).sum(axis=0) / counts
        with torch.no_grad():
            self.module.out.bias.copy_(torch.from_numpy(mean.astype(np.float32)))


def build_network(recipe: Recipe, inputs: int, people: int) -> Network:
    """Return the network of a recipe with random weights.

    Args:
        recipe: names the parts.
        inputs: width of a frame's features.
        people: training subjects, if the recipe tells them apart.
    """
    settings = Settings(
        kernel=recipe.kernel,
        hidden=recipe.hidden,
        memory=recipe.memory,
        layers=recipe.layers,
        dropout=recipe.dropout,
        lookahead=recipe.lookahead,
        subjects=people,
    )
    return Network(inputs=inputs, muscles=len(MUSCLES), settings=settings)


def people_of(clips: Sequence[ReadyClip]) -> tuple[str, ...]:
    """Return the subjects of clips, sorted."""
    return tuple(sorted({str(clip.sample.record.subject) for clip in clips}))


def predict(
    network: Network, clips: Sequence[NDArray[np.float32]], device: torch.device
) -> list[Floats]:
    """Return the activation of every muscle at every frame of clips of unknown people.

    An envelope is never negative, and neither is what is said of it.

    Args:
        network: as trained.
        clips: (T, F) features of each clip.
        device: where it computes.

    Returns:
        For each clip (T, 18) float64.
    """
    was = network.training
    network.eval()
    found: list[Floats] = []
    for at in range(0, len(clips), _AT_ONCE):
        x, lengths = padded(clips[at : at + _AT_ONCE], 0.0)
        with torch.no_grad():
            out = network.whole(x.to(device), lengths.to(device)).clamp(min=0)
        said = out.cpu().double().numpy()
        found += [one[:length] for one, length in zip(said, lengths.tolist(), strict=True)]
    network.train(was)
    return found
