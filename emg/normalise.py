"""Activation without a unit: an envelope over what that muscle of that person gives at its best.

    scales = Scales.fit(trials)                              # training trials only
    scales = scales.calibrated(calibration_trials(trials))   # "own": people of validation and test
    target = scales.apply(seen, "P01")                       # (T, 18), about 0 to 1
    seen = scales.invert(target, "P01")                      # back to millivolts

Electrode, skin and fat change the size of sEMG from person to person, so sizes are compared over a
reference contraction of the same muscle and person; the highest dynamic one where no maximal
isometric one was recorded (Burden, J. Electromyogr. Kinesiol. 20 (2010) 1023–1035). FLEX has none.
The reference of a muscle is the 95th percentile of the frames of a trial (in a lift of 2 s the rest
lasts 0.1 s, as long as the envelope averages), its median over the repetitions of an action, and
the highest of the person's actions. A spike does not move it, and it does not grow with the number
of repetitions as a maximum would, so that one repetition tells it as well as ten, with more
scatter. One scale holds for all trials: a peak of each trial would hide how hard it was.

Who has no training trial, as every test person in a split by subject, is normalised either way:

- "typical": by the median over the training people. Nothing of the person is used; what is told in
  millivolts is that of a typical person, and differences of electrodes count as error.
- "own": by the person's own first repetition of every action, as a lab calibrates before it
  measures. These trials are then left out of the evaluation, so no judged trial is used.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, field_validator

from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.semg_columns import MUSCLE_NAMES
from flex.splits import Part

PERCENTILE = 95.0
# Subject → scales in the order of `MUSCLES`; None where the muscle was not recorded.
Table = dict[str, tuple[float | None, ...]]
_NOBODY = ""  # clips whose subject is not told, such as those of the released lists, count as one


@dataclass(frozen=True, eq=False)
class Trial:
    """The envelopes of one clip, and whose they are.

    Attributes:
        clip: id of the clip.
        subject: who lifts, or `None` where that is not told.
        action: id of the action.
        part: of the split.
        repetition: number in the set, or `None`.
        values: (T, 18) envelopes at the frames, in the order of `flex.semg_columns.MUSCLES`.
        recorded: (18,) bool.
    """

    clip: str
    subject: str | None
    action: str
    part: Part
    repetition: int | None
    values: Floats
    recorded: NDArray[np.bool_]


class Scales(BaseModel):
    """What 1 stands for, per subject and muscle; kept with the model as JSON.

    Attributes:
        muscles: names of the columns.
        percentile: of the frames of a trial.
        subjects: training subject → scales, in the unit of the recordings.
        typical: median over the training subjects.
        own: subject without training trials → scales from their calibration trials.
        fitted_on: ids of the training trials that were used.
        calibrated_on: ids of the calibration trials that were used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    muscles: tuple[str, ...] = MUSCLE_NAMES
    percentile: float = PERCENTILE
    subjects: Table
    typical: tuple[float | None, ...]
    own: Table = {}
    fitted_on: tuple[str, ...]
    calibrated_on: tuple[str, ...] = ()

    @field_validator("muscles")
    @classmethod
    def _ours(cls, muscles: tuple[str, ...]) -> tuple[str, ...]:
        if muscles != MUSCLE_NAMES:
            raise ValueError("other muscles, or in another order, than this version's")
        return muscles

    @classmethod
    def fit(cls, trials: Iterable[Trial], *, percentile: float = PERCENTILE) -> Self:
        """Return scales from the trials of the training part; all other trials are not looked at.

        Raises:
            InputError: no training trial, or muscles that are silent in all trials of a person.
        """
        training = [trial for trial in trials if trial.part == "train"]
        if not training:
            message = "no training trial to normalise by"
            raise InputError([Problem("sEMG", message)])
        subjects = _table(training, percentile)
        columns = zip(*subjects.values(), strict=True)
        return cls(
            percentile=percentile,
            subjects=subjects,
            typical=tuple(_median(column) for column in columns),
            fitted_on=tuple(sorted(trial.clip for trial in training)),
        )

    def calibrated(self, trials: Iterable[Trial]) -> Self:
        """Return the same with scales of people without training trials, from trials of theirs.

        Raises:
            InputError: muscles that are silent in all trials of a person.
        """
        new = [trial for trial in trials if _key(trial.subject) not in self.subjects]
        used = tuple(sorted(trial.clip for trial in new))
        update = {"own": _table(new, self.percentile), "calibrated_on": used}
        return self.model_copy(update=update)

    def judged(self, trials: Iterable[Trial]) -> list[Trial]:
        """Return the trials that may be evaluated: those from which no scale was taken."""
        used = {*self.fitted_on, *self.calibrated_on}
        return [trial for trial in trials if trial.clip not in used]

    def of(self, subject: str | None = None) -> Floats:
        """Return what 1 stands for: (18,), NaN for a muscle that nobody was trained on.

        A subject's own scales come first; a muscle or subject without them gets the typical one.
        """
        key = _key(subject)
        own = self.subjects.get(key) or self.own.get(key) or (None,) * len(self.muscles)
        chosen = [
            mine if mine is not None else all_ for mine, all_ in zip(own, self.typical, strict=True)
        ]
        return np.array([np.nan if one is None else one for one in chosen])

    def known(self, subject: str | None = None) -> NDArray[np.bool_]:
        """Return which muscles have a scale: (18,) bool."""
        known: NDArray[np.bool_] = np.isfinite(self.of(subject))
        return known

    def apply(self, values: Floats, subject: str | None = None) -> Floats:
        """Return envelopes (…, 18) over their scales; NaN for a muscle without one."""
        return values / self.of(subject)

    def invert(self, activation: Floats, subject: str | None = None) -> Floats:
        """Return what `apply` was given: (…, 18) in the unit of the recordings."""
        return activation * self.of(subject)


def calibration_trials(trials: Iterable[Trial]) -> list[Trial]:
    """Return the earliest repetition of each action of everybody, training people left out.

    Raises:
        InputError: trials that do not say which repetition they are.
    """
    others = [trial for trial in trials if trial.part != "train"]
    without = [trial.clip for trial in others if trial.repetition is None]
    if without:
        message = "has no repetition number, which calibration=own needs; use calibration=typical"
        raise InputError([Problem(clip, message) for clip in without])
    first: dict[tuple[str, str], Trial] = {}
    for trial in sorted(others, key=lambda t: (t.repetition or 0, t.clip)):
        first.setdefault((_key(trial.subject), trial.action), trial)
    return sorted(first.values(), key=lambda trial: trial.clip)


def _key(subject: str | None) -> str:
    return subject if subject is not None else _NOBODY


def _table(trials: Sequence[Trial], percentile: float) -> Table:
    peaks: dict[str, dict[int, dict[str, list[float]]]] = {}
    for trial in trials:
        of_subject = peaks.setdefault(_key(trial.subject), {})
        for muscle in np.flatnonzero(trial.recorded):
            peak = float(np.percentile(trial.values[:, muscle], percentile))
            of_subject.setdefault(int(muscle), {}).setdefault(trial.action, []).append(peak)
    table: Table = {}
    problems = []
    for subject, muscles in sorted(peaks.items()):
        scales = {
            muscle: max(float(np.median(found)) for found in actions.values())
            for muscle, actions in muscles.items()
        }
        problems += [
            Problem(
                f"subject {subject}",
                f"{MUSCLE_NAMES[muscle]} is silent in all trials; was the sensor on?",
            )
            for muscle, scale in scales.items()
            if not scale > 0
        ]
        table[subject] = tuple(scales.get(muscle) for muscle in range(len(MUSCLE_NAMES)))
    if problems:
        raise InputError(problems)
    return table


def _median(column: Sequence[float | None]) -> float | None:
    found = [scale for scale in column if scale is not None]
    return float(np.median(found)) if found else None
