"""The raw folder: what was recorded of each set, as its recording.yaml says.

    recordings = read_recordings(raw, load_graph())
    recordings[0].path("skeleton")

docs/prepare.md describes the folder. Times run on the clock of the set, which starts with the first
row of the skeleton; `offset_s` says when another device's first sample was taken on it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flex.dataset import subfolders
from flex.graph import Graph
from flex.problems import InputError, Problem, nearest, problems_of
from flex.sample import Positive, Semg, Skill
from flex.yaml_places import read_yaml

CARD = "recording.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SkeletonPart(_Part):
    """A header row, then 63 columns: 21 joints × xyz."""

    file: str
    rate_hz: Positive


class ViewPart(_Part):
    """A video; `offset_s` is estimated where it is not stated."""

    file: str
    offset_s: float | None = None


class SemgPart(_Part):
    """No header, one column for each channel."""

    file: str
    rate_hz: Positive
    channels: Annotated[tuple[str, ...], Field(min_length=1)]
    offset_s: float = 0.0

    @property
    def semg(self) -> Semg:
        """As a record of the data folder says it."""
        return Semg(sample_rate_hz=self.rate_hz, channels=self.channels)


class VitalsPart(_Part):
    """Heart and breath, with the columns of `flex.physiology`."""

    file: str
    offset_s: float = 0.0


class Card(_Part):
    """What recording.yaml says.

    Attributes:
        cameras: calibration of the views (`flex.cameras`), which `--blur-faces` needs.
    """

    action: str
    subject: str | None = None
    skill: Skill | None = None
    load_kg: Annotated[float, Field(ge=0)] | None = None
    source: str = "FLEX"
    skeleton: SkeletonPart
    views: dict[Annotated[str, Field(pattern=r"^[\w-]+$")], ViewPart] = {}
    semg: SemgPart | None = None
    vitals: VitalsPart | None = None
    cameras: str | None = None


_KEYS = sorted(
    {
        name
        for part in (Card, SkeletonPart, ViewPart, SemgPart, VitalsPart)
        for name in part.model_fields
    }
)


@dataclass(frozen=True)
class Recording:
    """One set of one subject.

    Attributes:
        name: of its folder.
        folder: where its files lie.
        card: what is said of it.
    """

    name: str
    folder: Path
    card: Card

    @property
    def skeleton(self) -> Path:
        """The skeleton's file."""
        return self.folder / self.card.skeleton.file

    @property
    def views(self) -> dict[str, Path]:
        """View → video file."""
        return {name: self.folder / view.file for name, view in self.card.views.items()}

    @property
    def cameras(self) -> Path | None:
        """The calibration's file, if the card names one."""
        return self.folder / self.card.cameras if self.card.cameras else None

    @property
    def files(self) -> list[Path]:
        """All files that the card names."""
        card = self.card
        named = [card.skeleton.file, *(view.file for view in card.views.values())]
        named += [part.file for part in (card.semg, card.vitals) if part]
        return [*(self.folder / name for name in named), *([self.cameras] if self.cameras else [])]


def read_recordings(raw: Path, graph: Graph) -> list[Recording]:
    """Return the recordings of a raw folder, by name.

    Raises:
        InputError: no recording, and everything that is wrong with the cards.
    """
    problems: list[Problem] = []
    found = []
    for folder in subfolders(raw):
        if not (folder / CARD).exists():
            continue
        try:
            found.append(Recording(folder.name, folder, _read_card(folder / CARD, graph)))
        except InputError as error:
            problems += error.problems
    if not found and not problems:
        problems.append(Problem(str(raw), f"holds no folder with a {CARD}, such as N03-A16"))
    if problems:
        raise InputError(problems)
    return found


def _read_card(path: Path, graph: Graph) -> Card:
    placed = read_yaml(path)
    try:
        card = Card.model_validate(placed.data)
    except ValidationError as error:
        raise InputError(problems_of(error, placed.place, _KEYS)) from error
    if card.action not in graph.actions:
        message = f"action: expected an id such as A16, found {card.action!r}"
        hint = nearest(card.action, graph.actions)
        raise InputError([Problem(placed.place(("action",)), message + hint)])
    return card
