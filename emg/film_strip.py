"""The strip below the film: activation over the whole clip, coloured up to the moment shown.

strip = Strip(times_s, mean, phases, size=(960, 64))
strip.pixels(12)                     # (H, 960, 3) uint8, frame 12 is the one shown
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emg.activation_colours import shade
from emg.figure_words import PHASE_TINTS, words
from emg.lettering import INK, PAPER, SOFT, write
from flex.sample import PhaseSpan

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_WORDS = 22  # of the line below
_LETTERS = 13.0
_AHEAD = (196, 199, 199)


class Strip:
    """Draws strips of one clip.

    Attributes:
        height: of its pictures in pixels, with the line of words below.
    """

    def __init__(
        self,
        times_s: Floats,
        mean: Floats,
        phases: Sequence[PhaseSpan],
        *,
        size: tuple[int, int],
    ) -> None:
        self._times, self._width, self._curve_height = times_s, *size
        self.height = size[1] + _WORDS
        at = np.linspace(times_s[0], times_s[-1], self._width)
        level = np.interp(at, times_s, mean)
        ground = self._ground(at, phases)
        # How far each pixel lies below the curve: a soft edge one pixel wide.
        rows = np.arange(self._curve_height)[:, None]
        cover = np.clip(rows - self._curve_height * (1 - level.clip(0, 1)) + 0.5, 0, 1)[..., None]
        self._ahead = _named(_mixed(ground, np.asarray(_AHEAD), cover))
        self._passed = _named(_mixed(ground, shade(level), cover))
        self._line = self._words(phases)

    def pixels(self, frame: int) -> Bytes:
        """Return the strip while a frame is shown: (height, width, 3) uint8."""
        from PIL import Image

        x = self._x(self._times[frame])
        curve = np.concatenate([self._passed[:, :x], self._ahead[:, x:]], axis=1)
        curve[:, max(0, x - 1) : x + 1] = INK
        line = Image.fromarray(self._line)
        said = words()["seconds"].format(seconds=self._times[frame])
        write(line, (self._width, _WORDS / 2), said, _LETTERS, colour=INK, anchor="rm")
        return np.concatenate([curve, np.asarray(line)])

    def _x(self, time_s: float) -> int:
        first, last = self._times[0], self._times[-1]
        share = (time_s - first) / (last - first) if last > first else 1.0
        return round(float(np.clip(share, 0, 1)) * (self._width - 1))

    def _ground(self, at: Floats, phases: Sequence[PhaseSpan]) -> Bytes:
        ground = np.empty((self._curve_height, self._width, 3), dtype=np.uint8)
        ground[:] = PAPER if phases else PHASE_TINTS["preparation"]
        for span in phases:
            ground[:, (at >= span.start_s) & (at <= span.end_s)] = PHASE_TINTS[span.phase]
        return ground

    def _words(self, phases: Sequence[PhaseSpan]) -> Bytes:
        from PIL import Image

        line = Image.new("RGB", (self._width, _WORDS), PAPER)
        for span in phases:
            name = words()["phases"][span.phase]
            write(line, (self._x(span.start_s), _WORDS / 2), name, _LETTERS, colour=SOFT)
        return np.asarray(line)


def _mixed(below: Bytes, above: Bytes, cover: Floats) -> Bytes:
    mixed: Bytes = np.rint(cover * above + (1 - cover) * below).astype(np.uint8)
    return mixed


def _named(curve: Bytes) -> Bytes:
    """Write what the curve is into its upper left corner."""
    from PIL import Image

    image = Image.fromarray(curve)
    write(image, (6, _LETTERS * 0.75), words()["mean"], _LETTERS * 0.9, colour=SOFT)
    return np.asarray(image)
