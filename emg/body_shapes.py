"""The body that muscles are drawn on: outlines as polygons, ours, from `body.yaml`.

    body = load_body()
    body.views["front"].muscles["left biceps brachii"]     # (N, 2) x, y; the midline is x = 0

Points are joined by Catmull-Rom splines. Seen from the front, the person's left is to the right.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
BODY_FILE = Path(__file__).with_name("body.yaml")
_STEPS = 12
# The person's sides as they stand in the picture, from left to right.
LEFT_FIRST = {"front": ("right", "left"), "back": ("left", "right")}


@dataclass(frozen=True)
class BodyView:
    """A body from one direction.

    Attributes:
        muscles: "left biceps brachii" → its polygon, (N, 2).
        anatomy: other muscles, which carry no value.
    """

    muscles: Mapping[str, Polygon]
    anatomy: tuple[Polygon, ...]


@dataclass(frozen=True)
class Body:
    """A body from all directions.

    Attributes:
        silhouette: overlapping polygons, the same from the front and from the back.
        views: "front" and "back".
    """

    silhouette: tuple[Polygon, ...]
    views: Mapping[str, BodyView]

    @property
    def muscles(self) -> frozenset[str]:
        """The names of all muscles that can light up."""
        return frozenset(name for view in self.views.values() for name in view.muscles)


@functools.cache
def load_body() -> Body:
    """Return the body."""
    content: dict[str, Any] = yaml.safe_load(BODY_FILE.read_text(encoding="utf-8"))
    views = {name: _view(name, view) for name, view in content["views"].items()}
    return Body(_shapes(content["silhouette"]), views)


def spline(points: Sequence[Sequence[float]]) -> Polygon:
    """Return a closed Catmull-Rom curve through points: (N, 2) → (12 N, 2)."""
    here = np.asarray(points, dtype=np.float64)
    before, after, then = (np.roll(here, -shift, axis=0) for shift in (-1, 1, 2))
    t = np.linspace(0, 1, _STEPS, endpoint=False)[:, None, None]
    curve: Polygon = 0.5 * (
        2 * here
        + (after - before) * t
        + (2 * before - 5 * here + 4 * after - then) * t**2
        + (3 * here - before - 3 * after + then) * t**3
    )
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def _view(name: str, content: dict[str, Any]) -> BodyView:
    left, right = LEFT_FIRST[name]
    muscles = {}
    for muscle, points in content["muscles"].items():
        muscles[f"{right} {muscle}"] = spline(points)
        muscles[f"{left} {muscle}"] = _mirrored(spline(points))
    return BodyView(muscles, _shapes(content["anatomy"]))


def _shapes(content: dict[str, Any]) -> tuple[Polygon, ...]:
    whole = [spline([*half, *_back(half)]) for half in content["symmetric"]]
    halves = [spline(points) for points in content["pair"]]
    return (*whole, *halves, *map(_mirrored, halves))


def _back(half: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return the mirror image of a half, upwards, without the points on the midline."""
    return [(-x, y) for x, y in reversed(half) if x]


def _mirrored(polygon: Polygon) -> Polygon:
    flipped: Polygon = polygon * (-1, 1)
    return flipped
