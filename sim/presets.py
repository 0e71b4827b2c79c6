"""Selections with a name: what most runs want."""

from dataclasses import dataclass
from typing import Literal

PresetName = Literal["tiny", "default", "study"]


@dataclass(frozen=True)
class Preset:
    """A selection; see `sim.selection.Selection`."""

    subjects: int
    repetitions: int
    actions: tuple[str, ...] | None = None
    views: tuple[int, ...] = (1, 2)


PRESETS: dict[PresetName, Preset] = {
    # Seconds, for tests: standing, lying and bent over.
    "tiny": Preset(subjects=3, repetitions=1, actions=("A05", "A08", "A17")),
    # What every pipeline of this project is tried on.
    "default": Preset(subjects=20, repetitions=1),
    # As large as FLEX: 7,512 clips.
    "study": Preset(subjects=38, repetitions=10),
}
