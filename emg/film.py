"""A film of a clip beside a body whose muscles light up: H.264 that browsers play.

    film(prediction, clip, Path("A16-001.mp4"))

Below runs a strip: the mean of the recorded muscles over time, coloured up to the moment shown.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emg.body_map import BodyMap
from emg.clip_frames import Filmed
from emg.figure_words import simulated_note, title_of, words
from emg.film_strip import Strip
from emg.lettering import PAPER, SOFT, write
from emg.moments import require_content
from emg.prediction import Prediction
from flex.dataset import Clip
from flex.files import atomic_path

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
FASTEST_FPS = 30.0
_MARGIN, _HEAD = 24, 48
_VIDEO_BOX = (600, 520)
_BODY_HEIGHT = 520
_STRIP_HEIGHT = 64
_TITLE, _SMALL = 20.0, 15.0
_QUALITY = "21"


def film(prediction: Prediction, clip: Clip, out: Path, *, view: str | None = None) -> None:
    """Write the film, whole or not at all, at the clip's frame rate, of at most 30 a second.

    Args:
        prediction: of the clip.
        clip: its view is the left half; its record has the phases.
        out: the file, .mp4.
        view: which view; the first if not given.

    Raises:
        InputError: the clip has no such view or cannot be decoded, or there is nothing to show.
    """
    require_content(prediction)
    filmed = Filmed.of(clip, view)
    rate = Fraction(min(FASTEST_FPS, filmed.fps)).limit_denominator(1001)
    pictures = _pictures(prediction, clip, filmed, float(rate))
    with atomic_path(out) as name:
        _encode(str(name), pictures, rate)


def _pictures(prediction: Prediction, clip: Clip, filmed: Filmed, fps: float) -> Iterator[Bytes]:
    times = np.arange(prediction.times_s[0], prediction.times_s[-1] + 0.5 / fps, 1 / fps)
    activation = _at(prediction, times)
    size = filmed.size_within(*_VIDEO_BOX)
    body = BodyMap(prediction.muscles, height=_BODY_HEIGHT)
    across = 2 * _MARGIN + size[0] + body.size[0]
    phases = clip.annotation.phases if clip.annotation else ()
    strip = Strip(
        times,
        activation[:, prediction.mask].mean(axis=1),
        phases,
        size=(across - 2 * _MARGIN, _STRIP_HEIGHT),
    )
    canvas = _canvas(prediction, clip, across, strip.height)
    left, top = _MARGIN, _HEAD + (_BODY_HEIGHT - size[1]) // 2
    below = _HEAD + _BODY_HEIGHT + _MARGIN // 2
    for number, frame in enumerate(filmed.at(times.tolist(), size)):
        canvas[top : top + size[1], left : left + size[0]] = frame
        drawn = body.pixels(activation[number], prediction.mask)
        canvas[_HEAD : _HEAD + _BODY_HEIGHT, left + size[0] : left + size[0] + body.size[0]] = drawn
        canvas[below : below + strip.height, _MARGIN : across - _MARGIN] = strip.pixels(number)
        yield canvas


def _at(prediction: Prediction, times: Floats) -> Floats:
    """Return the predicted activation at other times: (N, M)."""
    columns = [np.interp(times, prediction.times_s, column) for column in prediction.predicted.T]
    return np.stack(columns, axis=1)


def _canvas(prediction: Prediction, clip: Clip, across: int, strip_height: int) -> Bytes:
    """Return the picture with all that stands still: (H, W, 3)."""
    from PIL import Image

    down = _HEAD + _BODY_HEIGHT + _MARGIN + strip_height
    image = Image.new("RGB", (across, down + down % 2), PAPER)
    write(image, (_MARGIN, _HEAD / 2), title_of(prediction), _TITLE)
    note = " · ".join(filter(None, (words()["film_head"], simulated_note(clip))))
    write(image, (across - _MARGIN, _HEAD / 2), note, _SMALL, colour=SOFT, anchor="rm")
    return np.array(image)


def _encode(name: str, pictures: Iterator[Bytes], rate: Fraction) -> None:
    import av

    with av.open(name, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        options = {"preset": "veryfast", "crf": _QUALITY}
        stream: Any = container.add_stream("libx264", rate=rate, options=options)
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if not number:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
