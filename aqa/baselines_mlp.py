"""The baseline "I3D + MLP": scores regressed on features of clips and their exercise.

said = feature_mlp(features, training, validation, asked, seed=0)
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from aqa.baselines import MLP, action_means, answer, require_clips
from aqa.predictions import Prediction
from flex.sample import Annotation

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
_BATCH, _RATE, _DECAY, _DROPOUT = 64, 1e-3, 1e-2, 0.3


class _Clip(Protocol):
    @property
    def clip(self) -> str: ...
    @property
    def action(self) -> str: ...


def feature_mlp(
    features: Mapping[str, Floats],
    training: Sequence[Annotation],
    validation: Sequence[Annotation],
    asked: Iterable[Prediction],
    *,
    seed: int = 0,
    hidden: int = 256,
    epochs: int = 200,
) -> list[Prediction]:
    """Answer by one hidden layer, which learns the difference from the exercise's mean score.

    The epoch with the least squared error on the validation records is taken, the last one if there
    are none.

    Args:
        features: clip → (D,), such as the mean of I3D's windows.
        training: scored records.
        validation: scored records of other subjects.
        asked: what a run was asked.
        seed: of the weights and of the order.
        hidden: width of the layer.
        epochs: passes over the training records.

    Raises:
        InputError: an action without a scored training clip, a clip without features.
    """
    import torch

    asked = list(asked)
    means = action_means(training, asked)
    actions = sorted({row.action for row in asked})
    learnt = [one for one in training if one.score is not None and one.action in actions]
    checked = [one for one in validation if one.score is not None and one.action in actions]
    require_clips([one.clip for part in (learnt, checked, asked) for one in part], features)
    base = np.stack([features[one.clip] for one in learnt])
    centre, spread = base.mean(axis=0), base.std(axis=0) + 1e-6

    def inputs(rows: Sequence[_Clip]) -> "Tensor":
        seen = np.stack([(features[row.clip] - centre) / spread for row in rows])
        action = np.eye(len(actions))[[actions.index(row.action) for row in rows]]
        return torch.from_numpy(np.hstack([seen, action])).float()

    def targets(rows: Sequence[Annotation]) -> "Tensor":
        return torch.tensor([(one.score or 0.0) - means[one.action] for one in rows])

    y = targets(learnt)
    scale = y.std(unbiased=False).clamp(min=1e-6)
    said = _fit(
        inputs(learnt),
        y / scale,
        inputs(checked) if checked else None,
        targets(checked) / scale if checked else None,
        inputs(asked),
        seed=seed,
        hidden=hidden,
        epochs=epochs,
    )
    return [
        answer(row, MLP, means[row.action] + float(value * scale), seed=seed)
        for row, value in zip(asked, said, strict=True)
    ]


def _fit(
    x: "Tensor",
    y: "Tensor",
    checked: "Tensor | None",
    wanted: "Tensor | None",
    asked: "Tensor",
    *,
    seed: int,
    hidden: int,
    epochs: int,
) -> "Tensor":
    """Return the answers of the best epoch: (N, D), (N,), (V, D), (V,), (M, D) → (M,)."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(
            torch.nn.Linear(x.shape[1], hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(_DROPOUT),
            torch.nn.Linear(hidden, 1),
        )
        optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
        best, said = float("inf"), torch.zeros(len(asked))
        for epoch in range(epochs):
            net.train()
            for rows in torch.randperm(len(x)).split(_BATCH):
                loss = ((net(x[rows])[:, 0] - y[rows]) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                # Without a validation part, each epoch counts as better than those before.
                missed = -float(epoch)
                if checked is not None and wanted is not None:
                    missed = float(((net(checked)[:, 0] - wanted) ** 2).mean())
                if missed < best:
                    best, said = missed, net(asked)[:, 0]
    return said
