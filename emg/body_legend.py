"""How to read a body map: the colour scale, and hatching where no sensor was.

picture = hatching((640, 480), scale=0.7)             # (480, 640, 3), slanted stripes
explain(image, top=620, scale=0.7)                    # draws into the image, below `top`
"""

from typing import TYPE_CHECKING

import numpy as np

from emg.activation_colours import activation_colours
from emg.figure_words import words
from emg.layers import Picture
from emg.lettering import LINE, PAPER, SOFT, Anchor, write

if TYPE_CHECKING:
    from PIL.Image import Image

LEGEND_WIDTH, LEGEND_HEIGHT = 780.0, 96.0
_BAR = (300.0, 18.0)
_BOX = 30.0
_LETTERS = 21.0
_ROWS = (16.0, 44.0, 72.0)  # of the title, the scale and its ends
_EVERY, _STRIPE = 10.0, 2.6
_PALE, _DARK = (216, 218, 219), (150, 157, 160)


def hatching(size: tuple[int, int], scale: float) -> Picture:
    """Return slanted stripes: (H, W, 3).

    Args:
        size: (width, height) in pixels.
        scale: pixels for one pixel of the body's drawing.
    """
    rows, columns = np.indices((size[1], size[0]), dtype=np.float32)
    every, width = scale * _EVERY, scale * _STRIPE
    # How far a pixel is from the middle of the nearest stripe, across the stripes.
    away = np.abs((rows + columns) / np.sqrt(2) % every - every / 2)
    share = np.clip(width / 2 + 0.5 - away, 0, 1)[..., None]
    striped: Picture = (share * _DARK + (1 - share) * _PALE).astype(np.float32)
    return striped


def legend_picture(scale: float) -> "Image":
    """Return the legend alone, RGB."""
    from PIL import Image

    size = round(scale * LEGEND_WIDTH), round(scale * LEGEND_HEIGHT)
    picture = Image.new("RGB", size, PAPER)
    explain(picture, 0, scale)
    return picture


def explain(image: "Image", top: float, scale: float) -> None:
    """Draw the legend into an image, from `top` down and centred."""
    from PIL import Image, ImageDraw

    said, size, pen = words(), scale * _LETTERS, ImageDraw.Draw(image)
    width, height = round(scale * _BAR[0]), round(scale * _BAR[1])
    left = image.width / 2 - scale * LEGEND_WIDTH / 2
    title, bar, ends = (top + scale * row for row in _ROWS)
    colours = np.broadcast_to(activation_colours(), (height, len(activation_colours()), 3))
    strip = Image.fromarray(np.ascontiguousarray(colours)).resize((width, height))
    at = round(left), round(bar - height / 2)
    image.paste(strip, at)
    pen.rectangle((*at, at[0] + width, at[1] + height), outline=LINE)
    write(image, (left, title), said["scale"], size)
    marks: tuple[tuple[str, float, Anchor], ...]
    marks = ("0", 0, "lm"), ("0.5", 0.5, "mm"), ("1", 1, "rm")
    for text, share, anchor in marks:
        write(image, (left + share * width, ends), text, size, colour=SOFT, anchor=anchor)
    box = round(scale * _BOX)
    at = round(left + scale * 400), round(bar - box / 2)
    image.paste(Image.fromarray(hatching((box, box), scale).astype(np.uint8)), at)
    pen.rectangle((*at, at[0] + box, at[1] + box), outline=LINE)
    write(image, (at[0] + 1.4 * box, bar), said["unrecorded"], size)
