"""Takes clips in for the page, and counts how often one was decoded.

intake = Intake(Limits(), Sampler(), folder)
lift = intake.take(path, name="squat.mp4")
intake.decoded                    # 1, however many questions are asked
"""

import threading
from collections.abc import Sequence
from pathlib import Path

from coach.chat import Lift
from coach.framing import framing
from coach.limits import Limits
from coach.uploads import accept
from coach.visibility import View
from flex.sample import PhaseSpan
from flex.video import Frames, Sampler
from vlm.cache import FRAMES, FrameCache


class _Counted(FrameCache):
    """A frame cache that counts what it had to decode."""

    def __init__(self, folder: Path, behind: Path) -> None:
        super().__init__(folder, behind=behind)
        self.decoded = 0
        self._counting = threading.Lock()

    def get(self, path: Path, sampler: Sampler, phases: Sequence[PhaseSpan] = ()) -> Frames:
        known = any(map(Path.exists, self.places(path, sampler, phases)))
        frames = super().get(path, sampler, phases)
        with self._counting:
            self.decoded += not known
        return frames


class Intake:
    """Where clips come in.

    Attributes:
        limits: what is taken.
        sampler: how the model sees clips.
        folder: the page's own, where frames are kept.
    """

    def __init__(
        self, limits: Limits, sampler: Sampler, folder: Path, shared: Path = FRAMES
    ) -> None:
        """Take clips in.

        Args:
            limits: what is taken.
            sampler: how the model sees clips.
            folder: the page's own.
            shared: the frames that training and evaluation have decoded; examples are found there.
                Nothing of what people upload is written to it.
        """
        self.limits, self.sampler, self.folder = limits, sampler, folder
        self._cache = _Counted(folder / "frames", shared)

    @property
    def decoded(self) -> int:
        """How many clips were decoded so far."""
        return self._cache.decoded

    def take(self, path: Path, *, name: str | None = None, view: View | None = None) -> Lift:
        """Return a clip, decoded, with what can be said about the camera.

        Raises:
            UploadError: it is refused, in one sentence for the user.
        """
        upload = accept(path, self.limits, self._cache, self.sampler, name=name)
        return Lift(upload, framing(upload.frames), view)
