"""Eyes and words learn together: clips are seen anew in every step, and spoken of at once.

What the language model wants to know reaches the eyes, and it goes along with them as they change.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flex.graph import Graph
from flex.sample import Annotation
from pretrain.eyes import Viewer, Views, see, view_losses
from pretrain.films import GROUPS
from pretrain.patches import PLACES
from pretrain.speech import Make, Speaker, shown, speech_losses
from pretrain.talk import brief, talk

_CLIPS, _SORTED = 24, 8  # clips of a step; steps whose talks are sorted by length together
_CENTIMETRES = 2.0  # eyes that see already are told more exactly


@dataclass
class Lesson:
    """Clips, and a talk about each.

    Attributes:
        views: the clips.
        talks: a batch of `Speaker.written`.
        places: of a step of time, that the talks are about: 16, or 1 for the gist.
    """

    views: Views
    talks: dict[str, Any]
    places: int


class Teacher:
    """Draws clips and talks about them."""

    def __init__(
        self, graph: Graph, viewer: Viewer, speaker: Speaker, records: list[Annotation], seed: int
    ) -> None:
        self._graph, self._viewer, self._speaker = graph, viewer, speaker
        self._records, self._draws = records, random.Random(seed)

    def lessons(self, share: float) -> Iterator[Lesson]:
        """Yield lessons, a `share` of them about the gist of clips."""
        short, whole = self._lessons(brief, 1), self._lessons(talk, PLACES)
        while True:
            yield next(short if self._draws.random() < share else whole)

    def _lessons(self, make: Make, places: int) -> Iterator[Lesson]:
        """Yield lessons; talks of like length share one, so that little of it is padding."""
        while True:
            drawn = [self._draws.randrange(len(self._records)) for _ in range(_SORTED * _CLIPS)]
            talks = [make(self._graph, self._records[n], self._draws) for n in drawn]
            rows = [(n, self._speaker.encode(t, places)) for n, t in zip(drawn, talks, strict=True)]
            rows.sort(key=lambda row: len(row[1][0]))
            steps = [rows[at : at + _CLIPS] for at in range(0, len(rows), _CLIPS)]
            self._draws.shuffle(steps)
            for step in steps:
                clips, encoded = [n for n, _ in step], [row for _, row in step]
                written = self._speaker.written(clips, encoded)
                yield Lesson(self._viewer.clips_of(clips), written, places)


def lesson_losses(model: Any, helpers: Any, readers: Any, lesson: Lesson) -> dict[str, Any]:
    """Return the losses of the words, and of all helpers that read eyes and language model."""
    seen = see(model, lesson.views.pixels, GROUPS)
    features = shown(seen.flatten(1, 2), lesson.places)
    return {
        **view_losses(helpers, seen, lesson.views, _CENTIMETRES),
        **speech_losses(model, readers, lesson.talks | {"features": features}),
    }
