"""Eyes and words learn together: clips are seen anew in every step, and spoken of at once.

What the language model wants to know reaches the eyes, and it goes along with them as they change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pretrain.eyes import Viewer, Views, see, view_losses
from pretrain.films import GROUPS
from pretrain.patches import PLACES
from pretrain.practice import mixed
from pretrain.speech import Speaker, Written, shown, speech_losses

_CLIPS = 24
_CENTIMETRES = 2.0  # eyes that see already are told more exactly


@dataclass
class Lesson:
    """Clips, and a talk about each.

    Attributes:
        views: the clips.
        talks: a batch of `pretrain.speech.Speaker`, without features.
        places: of a step of time, that the talks are about: 16, or 1 for the gist.
    """

    views: Views
    talks: dict[str, Any]
    places: int


def lessons(viewer: Viewer, speaker: Speaker, brief: float, seed: int) -> Iterator[Lesson]:
    """Yield lessons, a share `brief` of them about the gist of clips."""

    def shown_with(written: Iterator[Written], places: int) -> Iterator[Lesson]:
        return (Lesson(viewer.clips_of(clips), talks, places) for clips, talks in written)

    short = shown_with(speaker.written_brief_talks(_CLIPS), 1)
    return mixed(short, shown_with(speaker.written_talks(_CLIPS), PLACES), brief, seed)


def lesson_losses(model: Any, helpers: Any, readers: Any, lesson: Lesson) -> dict[str, Any]:
    """Return the losses of the words, and of all helpers that read eyes and language model."""
    seen = see(model, lesson.views.pixels, GROUPS)
    features = shown(seen.flatten(1, 2), lesson.places)
    return {
        **view_losses(helpers, seen, lesson.views, _CENTIMETRES),
        **speech_losses(model, readers, lesson.talks | {"features": features}),
    }
