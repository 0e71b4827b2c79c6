"""A body from the front and from the back, whose 18 muscles light up with activation.

    drawn = BodyMap(height=640)
    picture = drawn(activation, mask)           # (18,), (18,) bool → PIL image, RGB
    body_map(activation, mask)                  # for one picture

Muscles that were not recorded are hatched grey; what no sensor of Table 3 stands for is drawn
plainly. Shapes are laid out once, so that a film costs some milliseconds a picture.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emg.activation_colours import shade
from emg.body_legend import LEGEND_HEIGHT, explain, hatching
from emg.body_shapes import LEFT_FIRST, Polygon, load_body
from emg.figure_words import words
from emg.layers import Layer, Picture
from emg.lettering import PAPER, SOFT, write
from flex.problems import InputError, Problem
from flex.semg_columns import MUSCLE_NAMES

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Colour = tuple[int, int, int]
# Of the drawing, in the pixels of body.yaml: where the midlines and the top of the heads are.
_WIDTH, _HEIGHT = 820.0, 890.0
_MIDLINES = {"front": 205.0, "back": 615.0}
_TOP, _TITLE_AT = 56.0, 24.0
_SIDE_AT = (120.0, 78.0)  # where the letters of the sides stand, from the midline and head
_LETTERS = 24.0
_ROUND, _SHRINK = 2.2, 1.4
_BODY_ROUND, _EDGE_WIDTH, _LINE_WIDTH = 4.0, 1.7, 1.0
_SKIN: Colour = (238, 234, 227)
_ANATOMY: Colour = (225, 220, 211)
_EDGE: Colour = (150, 144, 134)


def body_map(
    activation: Floats,
    mask: Bools,
    muscles: Sequence[str] = MUSCLE_NAMES,
    *,
    height: int = 640,
    legend: bool = True,
) -> "Image":
    """Return a body whose muscles light up: a PIL image, RGB.

    Args:
        activation: (M,) normalised; drawn from 0 to 1, what is above as 1.
        mask: (M,) true for the muscles that were recorded.
        muscles: their M names; those of Table 3 in our order, if not given.
        height: of the picture in pixels.
        legend: whether the colours are explained below the body.

    Raises:
        InputError: a muscle that the body does not have.
        ValueError: shapes that do not fit, or a shown value that is not finite.
    """
    return BodyMap(muscles, height=height, legend=legend)(activation, mask)


class BodyMap:
    """Draws bodies of one size; call it with activation (M,) and mask (M,).

    Attributes:
        size: (width, height) of its pictures in pixels, both even.
    """

    def __init__(
        self, muscles: Sequence[str] = MUSCLE_NAMES, *, height: int = 640, legend: bool = True
    ) -> None:
        if unknown := sorted(set(muscles) - load_body().muscles):
            known = ", ".join(sorted(load_body().muscles))
            message = f"not on the body: {', '.join(unknown)}; it has {known}"
            raise InputError([Problem("muscles", message)])
        self._muscles = tuple(muscles)
        self._scale = height / (_HEIGHT + LEGEND_HEIGHT * legend)
        self.size = 2 * round(self._scale * _WIDTH / 2), 2 * round(height / 2)
        self._areas: dict[str, list[Layer]] = {name: [] for name in load_body().muscles}
        for view, shapes in load_body().views.items():
            for name, polygon in shapes.muscles.items():
                self._areas[name].append(self._layer([polygon], view))
        self._plain = self._draw_plain(legend)

    def __call__(self, activation: Floats, mask: Bools) -> "Image":
        """Return the picture of one moment, PIL, RGB; see `body_map`."""
        from PIL import Image

        return Image.fromarray(self.pixels(activation, mask))

    def pixels(self, activation: Floats, mask: Bools) -> NDArray[np.uint8]:
        """Return the picture of one moment, (H, W, 3) uint8; see `body_map`."""
        shape = (len(self._muscles),)
        if activation.shape != shape or mask.shape != shape:
            found = f"{activation.shape} and {mask.shape}"
            raise ValueError(f"expected activation and mask of shape {shape}, found {found}")
        if not np.isfinite(activation[mask]).all():
            raise ValueError("the activation of a recorded muscle is not finite")
        picture = self._plain.copy()
        for index in np.flatnonzero(mask):
            for area in self._areas[self._muscles[index]]:
                area.paint(picture, shade(activation[index]))
        return np.rint(picture).astype(np.uint8)

    def _layer(
        self,
        polygons: Sequence[Polygon],
        view: str,
        rounding: float = _ROUND,
        shrink: float = _SHRINK,
    ) -> Layer:
        middle = np.array((_MIDLINES[view], _TOP))
        placed = [self._scale * (polygon + middle) for polygon in polygons]
        return Layer.of(placed, rounding=self._scale * rounding, shrink=self._scale * shrink)

    def _draw_plain(self, legend: bool) -> Picture:
        """Draw all that does not change: skin, other muscles, hatching, letters."""
        picture: Picture = np.empty((self.size[1], self.size[0], 3), dtype=np.float32)
        picture[:] = PAPER
        silhouette, hatched = load_body().silhouette, hatching(self.size, self._scale)
        for name, view in load_body().views.items():
            self._layer(silhouette, name, _BODY_ROUND, 0).paint(picture, _EDGE)
            self._layer(silhouette, name, _BODY_ROUND, _EDGE_WIDTH).paint(picture, _SKIN)
            for polygon in view.anatomy:
                self._layer([polygon], name).paint(picture, _ANATOMY)
            for polygon in view.muscles.values():
                self._layer([polygon], name, _ROUND, _SHRINK - _LINE_WIDTH).paint(picture, _EDGE)
        for area in (area for areas in self._areas.values() for area in areas):
            area.paint(picture, hatched[area.box])
        return self._letter(picture, legend)

    def _letter(self, picture: Picture, legend: bool) -> Picture:
        from PIL import Image

        image, said = Image.fromarray(np.rint(picture).astype(np.uint8)), words()
        letters = self._scale * _LETTERS
        for view, middle in _MIDLINES.items():
            at = self._scale * middle, self._scale * _TITLE_AT
            write(image, at, said[view], letters, anchor="mm")
            for side, shift in zip(LEFT_FIRST[view], (-_SIDE_AT[0], _SIDE_AT[0]), strict=True):
                at = self._scale * (middle + shift), self._scale * (_TOP + _SIDE_AT[1])
                write(image, at, said[side], letters, colour=SOFT, anchor="mm")
        if legend:
            explain(image, self._scale * _HEIGHT, self._scale)
        return np.asarray(image, dtype=np.float32)
