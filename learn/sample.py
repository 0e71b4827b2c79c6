"""One clip as a model of aqa/ or emg/ meets it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flex.dataset import Clip
from flex.sample import Annotation
from flex.splits import Part


@dataclass(frozen=True)
class Sample:
    """A clip with its record, its part of the split, and what a recipe reads of it.

    Attributes:
        record: what is known of the clip.
        part: of the split.
        clip: where its files lie.
        streams: the streams that it has → file or folder of each.
    """

    record: Annotation
    part: Part
    clip: Clip
    streams: Mapping[str, Path] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of the clip."""
        return self.record.clip
