"""The authors' split lists for a simulated data set: `Split_4/split_4_{train,test}_list.mat`.

Unlike the released ones, these keep every person on one side.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flex.files import atomic_path
from flex.released_lists import LISTED_PARTS, list_path
from flex.sample import Annotation
from flex.splits import PARTS, split_by_repetition, split_by_subject

_HEADER, _HEADER_BYTES = b"MATLAB 5.0 MAT-file, simulated by flex-coach", 116


def write_lists(root: Path, records: Sequence[Annotation], seed: int) -> bool:
    """Write both lists: rows [class, index, score], clips of validation people among the training.

    Returns:
        whether they were written: there must be three subjects or three repetitions to split.
    """
    import scipy.io

    if len({record.subject for record in records}) >= len(PARTS):
        split = split_by_subject(records, seed=seed)
    elif len({record.repetition for record in records}) >= len(PARTS):
        split = split_by_repetition(records, seed=seed)
    else:
        return False
    for part in LISTED_PARTS:
        rows = [
            [int(record.clip[1:3]), int(record.clip.rpartition("/")[2]), record.score]
            for record in records
            if (split.part(record.clip) == "test") == (part == "test")
        ]
        with atomic_path(list_path(root, part)) as path:
            scipy.io.savemat(str(path), {f"consolidated_{part}_list": np.array(rows, dtype=float)})
            # The writer puts the time of day there, and the same data should have the same bytes.
            with path.open("r+b") as stream:
                stream.write(_HEADER.ljust(_HEADER_BYTES))
    return True
