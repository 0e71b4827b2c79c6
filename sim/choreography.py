"""What the bodies do, as data: `sim/poses.yaml` (key poses) and `sim/errors.yaml` (faults).

choreography = load_choreography()
choreography.poses.actions["A16"].start             # parameter → value, defaults filled in
choreography.errors.effect("A16", "AK44", "ET056")  # what the error changes, and when
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flex.config import load_config
from flex.problems import InputError, Problem, nearest
from sim.motion import Equipment

POSES_FILE = Path(__file__).with_name("poses.yaml")
ERRORS_FILE = Path(__file__).with_name("errors.yaml")

# What each arm or shoulder has of its own; all other parameters belong to the whole body.
SIDED = frozenset(
    {"upper", "plane", "abduct", "elbow", "hint", "hint_plane", "tilt", "wrist"}
    | {"palm", "palm_pitch", "swivel", "shrug", "protract"}
)
# Changes that are not parameters of a pose.
COURSE = frozenset({"range", "rush", "late"})
When = Literal["set", "hold", "end", "bump", "early", "rock", "wave"]
Seen = Literal["pose", "video", "breath", "nothing"]
Values = dict[str, float]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BenchSetup(_Data):
    """A bench: height of the pad under the hips, slope of the back rest, how the legs stand."""

    seat_m: Annotated[float, Field(gt=0)]
    back_deg: float
    legs: Literal["lying", "seated"]


class Pivot(_Data):
    """The floor end of a T-bar: its place, and the length of the bar in statures."""

    x: float
    z: float
    lever: Annotated[float, Field(gt=0)]


class Fit(_Data):
    """A parameter of the start pose that is solved for, so that the hands are at a height."""

    parameter: str
    low: float
    high: float
    hand_height_m: float


class Setup(_Data):
    """How an action is set up.

    Attributes:
        arms: how the arms are placed. free: by their angles; angles: on a bar whose middle the
            angles give; plumb: on a bar above or below a point before the shoulders; feet: the
            same before the ankles; back: on a bar that lies on the upper back.
        above: whether a plumb bar is above the shoulders.
    """

    equipment: Equipment
    arms: Literal["free", "angles", "plumb", "feet", "back"]
    above: bool = False
    grip: Literal["over", "under"] = "over"
    bench: BenchSetup | None = None
    pivot_m: Pivot | None = None
    fit: Fit | None = None


class ActionPoses(_Data):
    """Key poses of an action; `Poses` fills in what is not stated."""

    setup: Setup
    start: Values
    middle: Values | None = None
    end: Values


class SpreadSettings(_Data):
    """How people and repetitions differ without being wrong; standard deviations."""

    person: Values
    repetition: Values
    wander: Values
    range: float
    handedness: float
    step_m: float
    turn_deg: float


class Poses(_Data):
    """All of `poses.yaml`."""

    defaults: Values
    actions: dict[str, ActionPoses]
    spread: SpreadSettings

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, data: dict[str, Any]) -> dict[str, Any]:
        actions = {}
        for name, action in data.get("actions", {}).items():
            start = {**data.get("defaults", {}), **action.get("start", {})}
            filled = {**action, "start": start, "end": {**start, **action.get("end", {})}}
            if action.get("middle"):
                filled["middle"] = {**start, **action["middle"]}
            actions[name] = filled
        return {**data, "actions": actions}

    @model_validator(mode="after")
    def _known_parameters(self) -> Self:
        for name, action in self.actions.items():
            for pose in (action.start, action.end, action.middle or {}):
                _require_known(set(pose) - set(self.defaults), name)
        for what in ("person", "repetition", "wander"):
            _require_known(set(getattr(self.spread, what)) - set(self.defaults), f"spread.{what}")
        return self


class Effect(_Data):
    """What an error changes at severity 1, and when."""

    seen_in: Seen
    when: When = "hold"
    sides: Literal["both", "one"] = "both"
    options: tuple[Values, ...] = ()


class _Entry(_Data):
    seen_in: Seen | None = None
    when: When | None = None
    sides: Literal["both", "one"] | None = None
    change: Values | None = None
    options: tuple[Values, ...] | None = None
    at: dict[str, "_Entry"] = {}

    @model_validator(mode="after")
    def _one_kind_of_change(self) -> Self:
        if self.change and self.options:
            raise ValueError("has both a change and options; write the change as one more option")
        return self

    def stated(self) -> dict[str, Any]:
        """Return what this entry says, without its exceptions."""
        said = self.model_dump(exclude_none=True, exclude={"at", "change"})
        return said | ({"options": (self.change,)} if self.change else {})


class Errors(_Data):
    """All of `errors.yaml`."""

    severity: tuple[float, float]
    errors: dict[str, _Entry]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name, entry in self.errors.items():
            if entry.seen_in is None:
                raise ValueError(f"{name}: seen_in is missing")
            shows = entry.seen_in in ("pose", "video")
            if shows and not (entry.change or entry.options):
                raise ValueError(f"{name}: change or options is missing")
        return self

    def effect(self, action: str, key_step: str, error_type: str) -> Effect | None:
        """Return what an error changes; `None` for one that the file does not list."""
        entry = self.errors.get(error_type)
        if entry is None:
            return None
        said = entry.stated()
        for place in (action, key_step, f"{action}:{key_step}"):
            if place in entry.at:
                said |= entry.at[place].stated()
        if said["seen_in"] in ("breath", "nothing"):
            said["options"] = ()
        return Effect.model_validate(said)


class Choreography(_Data):
    """Poses and errors together."""

    poses: Poses
    errors: Errors


def load_choreography(poses: Path = POSES_FILE, errors: Path = ERRORS_FILE) -> Choreography:
    """Read both files.

    Raises:
        InputError: every unknown key, parameter and wrong value.
    """
    both = Choreography(poses=load_config(Poses, poses), errors=load_config(Errors, errors))
    known = {*both.poses.defaults, *COURSE}
    problems = [
        Problem(f"{errors}: {name}", f"no such parameter: {word}{nearest(word, known)}")
        for name, entry in both.errors.errors.items()
        for one in (entry, *entry.at.values())
        for option in one.stated().get("options", ())
        for word in sorted(set(option) - known)
    ]
    if problems:
        raise InputError(problems)
    return both


def _require_known(unknown: set[str], place: str) -> None:
    if unknown:
        raise ValueError(f"{place}: no such parameter: {', '.join(sorted(unknown))}")
