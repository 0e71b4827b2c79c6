"""The order of the examples: fixed by seed and epoch alone, so that a resumed run sees the same.

Grouped by length, dialogues of like length share a batch (less padding) and the batches of all
ranks in one pass are alike (no rank waits); which ones come first is still random.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

# Sorting this many passes at a time leaves chance enough between epochs.
_CHUNK = 16


class Order(Sampler):  # type: ignore[misc]
    """Indices of one epoch after another; `epoch` is set by the trainer before each."""

    def __init__(self, lengths: Sequence[int], *, group: int, grouped: bool, seed: int) -> None:
        """Keep the lengths in tokens; `group` is the number of dialogues of all ranks a pass."""
        self.lengths = np.asarray(lengths)
        self.group = group
        self.grouped = grouped
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng([self.seed, self.epoch])
        indices = random.permutation(len(self.lengths))
        if not self.grouped:
            return iter(indices.tolist())
        chunk = self.group * _CHUNK
        groups, short = [], []
        for start in range(0, len(indices), chunk):
            part = indices[start : start + chunk]
            part = part[np.argsort(-self.lengths[part], kind="stable")]
            cuts = [part[at : at + self.group] for at in range(0, len(part), self.group)]
            groups += [cut for cut in cuts if len(cut) == self.group]
            short += [cut for cut in cuts if len(cut) < self.group]
        random.shuffle(groups)
        # The one group that may be short ends the epoch, or it would shift every later batch.
        return iter([int(index) for cut in [*groups, *short] for index in cut])
