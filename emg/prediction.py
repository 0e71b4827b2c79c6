"""What a model says of one clip's muscles, frame by frame, beside what was measured.

    prediction = predict_clip(model, clip)
    prediction.predicted[:, prediction.muscles.index("left biceps brachii")]     # over time

Pictures, the CSV file and the coach's page read nothing else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Prediction:
    """The activation of every muscle over one clip.

    Attributes:
        clip: id of the clip.
        action: id of its action.
        times_s: (T,) seconds from the start of the clip, one per video frame.
        muscles: M names with their sides, all that the model knows (Table 3).
        predicted: (T, M) normalised activation: 1 is a strong contraction of that muscle, and
            values above it occur.
        true: (T, M) measured activation in the same unit, NaN where nothing was measured; `None`
            for a clip without sEMG.
        mask: (M,) bool, the muscles that the model was taught for this action; only these of
            `predicted` mean anything.
        unit: what 1 stands for, in words.
    """

    clip: str
    action: str
    times_s: NDArray[np.float64]
    muscles: tuple[str, ...]
    predicted: NDArray[np.float64]
    true: NDArray[np.float64] | None
    mask: NDArray[np.bool_]
    unit: str

    def __post_init__(self) -> None:
        shape = (len(self.times_s), len(self.muscles))
        if self.predicted.shape != shape:
            raise ValueError(f"predicted is {self.predicted.shape}, expected {shape}")
        if self.true is not None and self.true.shape != shape:
            raise ValueError(f"true is {self.true.shape}, expected {shape}")
        if self.mask.shape != shape[1:]:
            raise ValueError(f"mask is {self.mask.shape}, expected {shape[1:]}")
