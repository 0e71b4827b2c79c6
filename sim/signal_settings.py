"""The numbers of the simulated signals: what `sim/signals.yaml` may say, and its reader.

settings = load_signals()                    # ours, read once
settings = load_signals(Path("mine.yaml"))   # the same keys, other numbers
"""

import functools
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from flex.config import load_config
from flex.problems import InputError, Problem, nearest
from flex.sample import Skill

SIGNALS_FILE = Path(__file__).with_name("signals.yaml")
Positive = Annotated[float, Field(gt=0)]
Spread = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Segment = Literal["upper_arm", "forearm", "hand", "trunk", "head", "thigh"]
Action = Literal[
    "shoulder flexion",
    "shoulder extension",
    "shoulder abduction",
    "shoulder adduction",
    "shoulder elevation",
    "horizontal abduction",
    "horizontal adduction",
    "elbow flexion",
    "elbow extension",
    "hip extension",
    "knee extension",
    "knee flexion",
]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mass(_Settings):
    """Share of the body's mass, and where its centre lies from the segment's near end."""

    share: Share
    centre: Share


class Load(_Settings):
    """Where the load acts.

    Attributes:
        on_the_back: actions whose bar rests on the upper back.
        lever: equipment → share of the load that the hands bear.
        inertia: how much of the accelerations counts, 0 for a static calculation.
        demand: action → factor on the torques that its muscles have to give.
    """

    on_the_back: tuple[str, ...]
    lever: dict[str, Share]
    inertia: Share
    demand: dict[str, Positive]


class Muscle(_Settings):
    """One muscle of one side.

    Attributes:
        pull: what it does at its joints, as shares of its strength.
        maximal_nm: torque at which an amateur's muscle is wholly active.
        steady: torque that it adds for each newton metre of weight held, to steady the joint.
        amplitude_mv: root mean square of the sEMG at full activation.
        median_hz: median frequency of a rested muscle.
    """

    pull: Annotated[dict[Action, float], Field(min_length=1)]
    maximal_nm: Positive
    steady: Spread
    amplitude_mv: Positive
    median_hz: Positive


class Activation(_Settings):
    """How torque becomes muscle activation; see the comments in the file."""

    tonic: Share
    co_contraction: Share
    shortening: Share
    lengthening: Share
    speed_rad_s: Positive
    saturation: Positive
    lead_s: Spread
    dominance_sd: Spread
    unsteadiness: Spread
    unsteady_hz: Positive
    smooth_hz: Positive


class Crosstalk(_Settings):
    """What a sensor picks up of the other one on its side, as a share of its amplitude."""

    neighbour: Share
    same_muscle: Share


class Hum(_Settings):
    """Mains hum: amplitude of the first harmonic, and of others as shares of it."""

    hz: Positive
    amplitude_mv: Spread
    sd: Spread
    harmonics: dict[int, Share]


class Artefact(_Settings):
    """Movement of cable and skin: a slow signal that grows with the limb's speed."""

    low_hz: Positive
    high_hz: Positive
    mv_per_m_s: Spread


class Surface(_Settings):
    """How activation becomes the voltage between two electrodes on the skin."""

    amplitude_exponent: Positive
    gain_sd: Spread
    low_share: Share
    median_sd: Spread
    pulses_per_s: Positive
    crosstalk: Crosstalk
    crosstalk_cut_hz: Positive
    hum: Hum
    artefact: Artefact
    noise_mv: Spread


class Fatigue(_Settings):
    """What the set does to sEMG: `amplitude` more and `median` less by its end."""

    exponent: Positive
    amplitude: Spread
    median: Share
    person_sd: Spread


class Rests(_Settings):
    """Time before the first repetition and between repetitions."""

    lead_in_s: Positive
    rest_s: Positive
    rest_growth: Spread
    rest_sd: Spread


class Breathing(_Settings):
    """Chest volume, 0 (empty) to 1 (full), and breathing rate; see the comments in the file."""

    reversing_errors: tuple[str, ...]
    full: Share
    empty: Share
    middle: Share
    level_sd: Spread
    shape_sd: Spread
    hold_share: Share
    ripple: Spread
    ripple_hz: tuple[Positive, Positive]
    resting_per_min: Positive
    resting_sd: Spread
    action_sd: Spread
    breath_in_rest_s: Positive
    faster: Share
    lag_s: Positive


class Heart(_Settings):
    """Heart rate; `effort` is the share of the reserve that a long set would lead to."""

    resting_bpm: dict[Skill, Positive]
    resting_sd: Spread
    ready_bpm: Spread
    maximal_bpm: Positive
    effort: dict[str, Share]
    effort_sd: Spread
    in_rests: Share
    rise_s: Positive
    variability_bpm: Spread

    def effort_of(self, action: str) -> float:
        """Return the effort of an action; "usual" for one that is not listed."""
        return self.effort.get(action, self.effort["usual"])


class Signals(_Settings):
    """All of `signals.yaml`."""

    masses: dict[Segment, Mass]
    load: Load
    muscles: dict[str, Muscle]
    activation: Activation
    semg: Surface
    fatigue: Fatigue
    recording: Rests
    breathing: Breathing
    heart: Heart

    def muscle_of(self, channel: str) -> tuple[str, Muscle]:
        """Return side and muscle of a channel such as "left pectoralis major 2".

        Raises:
            InputError: a channel of a side or muscle that the file does not describe.
        """
        side, _, name = channel.rstrip("0123456789 ").partition(" ")
        if side not in ("right", "left") or name not in self.muscles:
            message = f"no such muscle in {SIGNALS_FILE.name}{nearest(name, self.muscles)}"
            raise InputError([Problem(channel, message)])
        return side, self.muscles[name]


@functools.lru_cache(maxsize=8)
def load_signals(path: Path = SIGNALS_FILE) -> Signals:
    """Read the numbers; a file is read once.

    Raises:
        InputError: every unknown key and wrong value, with its line.
    """
    return load_config(Signals, path)
