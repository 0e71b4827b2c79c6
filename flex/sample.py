"""One annotated clip: the record that `annotations.jsonl` holds, one JSON object a line.

Times are seconds from the start of the clip, so that they hold at every frame rate and after the
103-frame resampling. Errors are occurrences (`AK04:ET015`).
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.graph import Occurrence, Phase

Skill = Literal["novice", "amateur", "expert"]
OccurrenceId = Annotated[str, Field(pattern=r"^[^:\s]+:[^:\s]+$")]
Seconds = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Interval(_Record):
    @model_validator(mode="after")
    def _ordered(self) -> Self:
        start, end = getattr(self, "start_s", None), getattr(self, "end_s", None)
        if (start is None) != (end is None):
            raise ValueError("start_s and end_s go together")
        if start is not None and end is not None and end < start:
            raise ValueError(f"the interval ends ({end} s) before it starts ({start} s)")
        return self


class ErrorLabel(_Interval):
    """One observed error, with the interval where it shows if the annotator gave one.

    Attributes:
        note: an annotator's free text. It is kept, and never shown to a model.
    """

    key_step: str
    error_type: str
    start_s: Seconds | None = None
    end_s: Seconds | None = None
    note: str | None = None

    @property
    def occurrence(self) -> Occurrence:
        """The (key step, error type) pair."""
        return Occurrence(self.key_step, self.error_type)


class PhaseSpan(_Interval):
    """Where a phase lies in the clip."""

    phase: Phase
    start_s: Seconds
    end_s: Seconds


class Semg(_Record):
    """How the clip's sEMG is recorded; channels are named in column order."""

    sample_rate_hz: Positive
    channels: Annotated[tuple[str, ...], Field(min_length=1)]


class Annotation(_Record):
    """What is known of one clip.

    Attributes:
        clip: `A01/001`, the path of the clip's folder in the authors' layout, or any unique id.
        subject: who lifts; `None` where the source does not say (then no split by subject).
        repetition: 1–10 within the subject's set.
        load_kg: what was lifted; bar included, for dumbbells one side (Figure 13).
        labelled: the occurrences that annotators looked for; `None` means all of the action.
        score: Eq. 1 over what was labelled, 0–100; `None` is filled in from the errors.
        score_total: the denominator of Eq. 1 where the source used its own.
        views: camera view name → path of its frames folder or video, relative to the data folder.
        source: where the record comes from; "simulated" for FLEX-Sim.
    """

    clip: Annotated[str, Field(min_length=1)]
    action: str
    subject: str | None = None
    skill: Skill | None = None
    repetition: Annotated[int, Field(ge=1)] | None = None
    load_kg: Annotated[float, Field(ge=0)] | None = None
    errors: tuple[ErrorLabel, ...] = ()
    labelled: tuple[OccurrenceId, ...] | None = None
    phases: tuple[PhaseSpan, ...] = ()
    duration_s: Positive | None = None
    score: Annotated[float, Field(ge=0, le=100)] | None = None
    score_total: Annotated[int, Field(gt=0)] | None = None
    views: dict[str, str] = {}
    frame_rate_hz: Positive | None = None
    semg: Semg | None = None
    source: str = "FLEX"

    @property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """The observed (key step, error type) pairs."""
        return tuple(error.occurrence for error in self.errors)

    @property
    def scope(self) -> tuple[Occurrence, ...] | None:
        """The occurrences that were looked for, or `None` for all of the action's."""
        return None if self.labelled is None else tuple(map(Occurrence.parse, self.labelled))
