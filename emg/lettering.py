"""Letters on the body map and the film, in the typeface that comes with Pillow."""

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

PAPER, INK, SOFT, LINE = (255, 255, 255), (28, 35, 38), (93, 106, 110), (226, 224, 216)
Anchor = Literal["lm", "mm", "rm"]
_SMALLEST = 9.0


def write(
    image: "Image",
    at: tuple[float, float],
    text: str,
    size: float,
    *,
    colour: tuple[int, int, int] = INK,
    anchor: Anchor = "lm",
) -> float:
    """Write a line of text into an image; return its width in pixels.

    Args:
        image: RGB, changed in place.
        at: x, y of the anchor.
        text: one line.
        size: of the letters in pixels; not below 9.
        colour: of the letters.
        anchor: left, middle or right of the line's middle.
    """
    from PIL import ImageDraw, ImageFont

    font: Any = ImageFont.load_default(max(size, _SMALLEST))
    ImageDraw.Draw(image).text(at, text, fill=colour, font=font, anchor=anchor)
    return float(font.getlength(text))
