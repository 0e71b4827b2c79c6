"""The clips that the base learns from, drawn at random from all cohorts of a folder."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from flex.problems import InputError, Problem
from flex.sample import Annotation
from pretrain.films import GROUPS, Shard, load_shard, shards_in


class Clip(NamedTuple):
    """A clip, or a glance at two frames of it.

    Attributes:
        film: (2 T, 112, 112, 3) uint8; T is 8, or 1 for a glance.
        record: its annotation.
        poses: (T, 21, 3) metres, as in `pretrain.films.Shard`.
    """

    film: npt.NDArray[np.uint8]
    record: Annotation
    poses: npt.NDArray[np.float32]


class Cohorts:
    """The shards of a folder.

    Attributes:
        names: of the shards, in order.

    Raises:
        InputError: the folder has none.
    """

    def __init__(self, folder: Path) -> None:
        self.names = [path.stem for path in shards_in(folder)]
        self._shards = [load_shard(path) for path in shards_in(folder)]
        if not self._shards:
            problem = "holds no clips; expected <seed>.npz and .npy of `python -m pretrain draw`"
            raise InputError([Problem(str(folder), problem)])
        sizes = [len(shard.records) for shard in self._shards]
        self._starts = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def clip(self, number: int) -> Clip:
        """Return a whole clip."""
        shard, row = self._place(number)
        return Clip(np.asarray(shard.films[row]), shard.records[row], shard.poses[row])

    def record(self, number: int) -> Annotation:
        """Return a clip's annotation."""
        shard, row = self._place(number)
        return shard.records[row]

    def glance(self, number: int, moment: int) -> Clip:
        """Return the two frames of a clip's step of time, 0 to 7."""
        film, record, poses = self.clip(number)
        at = moment % GROUPS
        return Clip(film[2 * at : 2 * at + 2], record, poses[at : at + 1])

    def _place(self, number: int) -> tuple[Shard, int]:
        at = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._shards[at], number - int(self._starts[at])
