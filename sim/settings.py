"""The numbers of the label simulation: what `sim/labels.yaml` may say, and its reader.

settings = load_settings()                    # ours
settings = load_settings(Path("mine.yaml"))   # the same keys, other numbers
"""

from pathlib import Path
from typing import Annotated, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.config import load_config
from flex.graph import Phase
from flex.sample import Skill

SETTINGS_FILE = Path(__file__).with_name("labels.yaml")
OTHER = "other"
Positive = Annotated[float, Field(gt=0)]
Spread = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trials(_Settings):
    """How often everything is lifted, and how much of it is thrown away."""

    repetitions: Count
    excluded_per_action: Spread
    most_excluded_per_action: Annotated[int, Field(ge=0)]
    small: Count

    @model_validator(mode="after")
    def _mean_below_most(self) -> Self:
        if self.excluded_per_action > self.most_excluded_per_action:
            raise ValueError("excluded_per_action is above most_excluded_per_action")
        return self


class Recording(_Settings):
    """Sampling rates."""

    frame_rate_hz: Positive
    semg_sample_rate_hz: Positive


class ScoreTargets(_Settings):
    """Which mean score each action is to have."""

    mean: Score
    range_pull: Share
    released_ranges: dict[str, tuple[Score, Score]]

    def mean_of(self, action: str) -> float:
        """Return the mean score that an action is to have."""
        if action not in self.released_ranges:
            return self.mean
        middles = {name: sum(ends) / 2 for name, ends in self.released_ranges.items()}
        return self.mean + self.range_pull * (
            middles[action] - sum(middles.values()) / len(middles)
        )


class SkillGroup(_Settings):
    """How prone to errors the people of a skill are, and how much a set tires them."""

    proneness: float
    fatigue: Spread


class PersonalSpread(_Settings):
    """Standard deviations of what makes people, sets and repetitions differ."""

    form: Spread
    action_form: Spread
    style: Spread
    habit: Spread
    repetition: Spread


class Kind(_Settings):
    """Error types that behave alike."""

    tendency: float
    skill: float
    fatigue: float
    habit: Spread
    phase_length: Positive = 1.0
    errors: tuple[str, ...]


class Errors(_Settings):
    """The error model; see the comment in `labels.yaml`."""

    skills: dict[Skill, SkillGroup]
    spread: PersonalSpread
    kinds: dict[str, Kind]

    @model_validator(mode="after")
    def _one_kind_each(self) -> Self:
        if OTHER not in self.kinds:
            raise ValueError(f"the kind {OTHER!r} is missing")
        listed = [error for kind in self.kinds.values() for error in kind.errors]
        twice = sorted({error for error in listed if listed.count(error) > 1})
        if twice:
            raise ValueError(f"in two kinds: {', '.join(twice)}")
        return self

    def kind_of(self, error_type: str) -> Kind:
        """Return the kind of an error type; `other` for one that is not listed."""
        for kind in self.kinds.values():
            if error_type in kind.errors:
                return kind
        return self.kinds[OTHER]


class Duration(_Settings):
    """How long clips and their phases are."""

    mean_frames: Positive
    fewest_frames: Count
    most_frames: Count
    tempo_sd: Spread
    action_tempo_sd: Spread
    repetition_sd: Positive
    slowing: float
    relative: dict[str, Positive]
    phases: dict[Phase, Positive]
    phase_sd: Spread

    @model_validator(mode="after")
    def _every_phase(self) -> Self:
        if missing := [phase for phase in get_args(Phase) if phase not in self.phases]:
            raise ValueError(f"phases: {', '.join(missing)} is missing")
        if self.fewest_frames >= self.most_frames:
            raise ValueError("fewest_frames is not below most_frames")
        return self


class Equipment(_Settings):
    """What can be put on a bar or found on a rack."""

    lightest_kg: Positive
    step_kg: Positive


class Maximum(_Settings):
    """The load that the middle of each skill group lifts once."""

    equipment: str
    novice: Positive
    amateur: Positive
    expert: Positive

    def of(self, skill: Skill) -> float:
        """Return the maximum of a skill group in kg."""
        return {"novice": self.novice, "amateur": self.amateur, "expert": self.expert}[skill]


class Loads(_Settings):
    """How much people lift."""

    share_of_maximum: Share
    strength_sd: Spread
    action_strength_sd: Spread
    equipment: dict[str, Equipment]
    maximum_kg: dict[str, Maximum]

    @model_validator(mode="after")
    def _known_equipment(self) -> Self:
        for action, maximum in self.maximum_kg.items():
            if maximum.equipment not in self.equipment:
                raise ValueError(f"{action}: unknown equipment {maximum.equipment!r}")
        return self


class Voting(_Settings):
    """How well annotators see, and how often reviewers disagree."""

    annotators: Count
    reviewers: Count
    voters_per_clip: Annotated[int, Field(ge=3)]
    missed: Share
    missed_by_evidence: dict[str, Share]
    false_alarms: Share
    person_sd: Spread
    dissent: Share

    @model_validator(mode="after")
    def _enough_people(self) -> Self:
        if self.voters_per_clip > min(self.annotators, self.reviewers):
            raise ValueError("voters_per_clip is more than there are annotators or reviewers")
        return self


class Settings(_Settings):
    """All of `labels.yaml`."""

    subjects: dict[Skill, tuple[str, ...]]
    trials: Trials
    recording: Recording
    score: ScoreTargets
    errors: Errors
    duration: Duration
    loads: Loads
    votes: Voting

    @model_validator(mode="after")
    def _people_and_trials(self) -> Self:
        ids = [name for names in self.subjects.values() for name in names]
        if not ids or len(set(ids)) < len(ids):
            raise ValueError("subjects: expected one or more, each id once")
        if strangers := [skill for skill in self.subjects if skill not in self.errors.skills]:
            raise ValueError(f"errors.skills says nothing about {', '.join(strangers)}")
        if len(ids) * self.trials.repetitions <= self.trials.most_excluded_per_action:
            raise ValueError("trials.most_excluded_per_action leaves no trial of an action")
        return self


def load_settings(path: Path = SETTINGS_FILE) -> Settings:
    """Read the numbers.

    Raises:
        InputError: every unknown key and wrong value, with its line.
    """
    return load_config(Settings, path)
