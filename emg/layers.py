"""Soft-edged shapes for fast painting: how much of each pixel a shape covers, within its own box.

layer = Layer.of([polygon], rounding=2, shrink=1)
layer.paint(picture, np.array([221.0, 74.0, 44.0]))     # in place

A picture is (H, W, 3) float32, 0 to 255.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Picture = NDArray[np.float32]
# Shapes are drawn so many times finer, and averaged.
_FINER = 3
_MARGIN = 3  # of the rounding, around the polygons


@dataclass(frozen=True, eq=False)
class Layer:
    """A shape in a picture.

    Attributes:
        top: first row of its box.
        left: first column of its box.
        cover: (h, w, 1) float32, how much of each pixel is covered, 0 to 1.
    """

    top: int
    left: int
    cover: Picture

    @classmethod
    def of(cls, polygons: Sequence[Floats], *, rounding: float, shrink: float = 0) -> Self:
        """Return the union of polygons; what lies beyond the picture's edges is not painted.

        The union is blurred and cut off again, which rounds corners, those between two polygons as
        well; cutting nearer to the middle makes it smaller.

        Args:
            polygons: (N, 2) x, y each, in pixels of the picture.
            rounding: standard deviation of the blur in pixels, above 0.
            shrink: what is taken off along straight edges, in pixels.
        """
        from PIL import Image, ImageDraw, ImageFilter

        points = np.concatenate(polygons)
        margin = _MARGIN * rounding + 1
        left, top = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int)
        width, height = (np.ceil(points.max(axis=0) + margin) - (left, top)).astype(int)
        fine = Image.new("L", (int(width) * _FINER, int(height) * _FINER))
        pen = ImageDraw.Draw(fine)
        for polygon in polygons:
            pen.polygon([tuple(point) for point in (polygon - (left, top)) * _FINER], fill=255)
        blurred = fine.filter(ImageFilter.GaussianBlur(rounding * _FINER))
        least = 255 * NormalDist().cdf(shrink / rounding)
        sharp = blurred.point([255 * (value > least) for value in range(256)])
        cover: Picture = np.asarray(sharp.reduce(_FINER), dtype=np.float32) / np.float32(255)
        return cls(int(top), int(left), cover[..., None])

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that the shape lies in."""
        height, width, _ = self.cover.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def paint(self, picture: Picture, colour: Any) -> None:
        """Paint the shape in place with one colour (3,), or with a part of another picture."""
        below = picture[self.box]
        height, width, _ = below.shape
        cover = self.cover[:height, :width]
        below += cover * (np.asarray(colour, dtype=np.float32) - below)
