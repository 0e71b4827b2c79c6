"""Simple shapes over time, and the equipment that is made of them.

    pile = Pile(times=len(motion.times_s))
    pile.cone(shoulder, elbow, (0.06, 0.04), skin)        # shoulder, elbow: (T, 3) metres
    add_equipment(pile, motion, look)
    solids = pile.solids()                                # arrays over T times and N solids

Every shape is a unit shape under an affine map, which is all that the ray caster has to know. The
bar, its plates by weight and colour, dumbbells, T-bar and benches have the usual sizes in gyms.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flex.skeleton import INDEX
from sim.looks import Colour, Look
from sim.motion import SIDES, Bench, Motion
from sim.study import Floats
from sim.vectors import unit

# Numbers of the shapes, as `sim.raster` knows them.
BALL, BOX, CYLINDER, CONE = 0, 1, 2, 3
_STEEL, _IRON, _RUBBER = (0.42, 0.43, 0.45), (0.06, 0.06, 0.065), (0.035, 0.035, 0.038)
_BAR_KG, _BAR_HALF_M, _SLEEVE_FROM_M = 20.0, 1.1, 0.655
# Weight of a plate in kg → its radius, its thickness in metres and its colour.
_PLATES: tuple[tuple[float, float, float, Colour], ...] = (
    (25.0, 0.225, 0.056, (0.50, 0.03, 0.03)),
    (20.0, 0.225, 0.048, (0.03, 0.08, 0.45)),
    (15.0, 0.225, 0.040, (0.62, 0.45, 0.03)),
    (10.0, 0.225, 0.034, (0.04, 0.28, 0.08)),
    (5.0, 0.135, 0.028, (0.62, 0.62, 0.60)),
    (2.5, 0.105, 0.024, (0.05, 0.05, 0.05)),
    (1.25, 0.080, 0.020, (0.40, 0.41, 0.43)),
)
_RUBBER_KG_M3 = 5200.0
_UP = np.array((0.0, 0.0, 1.0))
MAT, SKIN, CLOTH, METAL = (0.0, 0.0), (0.10, 0.0), (0.0, 0.10), (0.55, 0.0)
Surface = tuple[float, float]


@dataclass(frozen=True)
class Solids:
    """N solids over T times; each is a simple shape in its own axes.

    Attributes:
        kind: (N,) int, number of the shape.
        centre: (T, N, 3) metres; of a cone, the middle of its first sphere.
        axes: (T, N, 3, 3) rows: the solid's own unit axes in the world, metres.
        shape: (T, N, 3) of a cone in its own axes: first and second radius, and length along z.
        colour: (N, 3) linear.
        surface: (N, 2) gloss, and how strongly cloth varies.
    """

    kind: npt.NDArray[np.int64]
    centre: Floats
    axes: Floats
    shape: Floats
    colour: Floats
    surface: Floats


def across(axis: Floats, hint: Floats) -> Floats:
    """Return the unit vectors perpendicular to `axis` that lie nearest to `hint`."""
    return unit(hint - (hint * axis).sum(-1, keepdims=True) * axis)


class Pile:
    """Collects solids; every point is (T, 3) or (3,)."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._rows: list[tuple[int, Floats, Floats, Floats, Colour, Surface]] = []

    def _add(
        self,
        kind: int,
        centre: Floats,
        rows: tuple[Floats, Floats, Floats],
        shape: Floats,
        colour: Colour,
        surface: Surface,
    ) -> None:
        steady = (self._times, 3)
        axes = np.stack([np.broadcast_to(row, steady) for row in rows], axis=1)
        place = np.broadcast_to(centre, steady)
        self._rows.append((kind, place, axes, np.broadcast_to(shape, steady), colour, surface))

    def block(
        self,
        kind: int,
        centre: Floats,
        along: Floats,
        hint: Floats,
        half_m: tuple[float, float, float],
        colour: Colour,
        surface: Surface = MAT,
    ) -> None:
        """Add a ball, box or cylinder; `half_m` is along the side near `hint`, across, `along`."""
        z = unit(along)
        x = across(z, hint)
        rows = (x * half_m[0], np.cross(z, x) * half_m[1], z * half_m[2])
        self._add(kind, centre, rows, np.zeros(3), colour, surface)

    def cone(
        self,
        start: Floats,
        end: Floats,
        radii_m: tuple[float, float],
        colour: Colour,
        surface: Surface = MAT,
        hint: Floats = _UP,
        flat: Floats | float = 1.0,
        cap: float = 1.0,
    ) -> None:
        """Add a rounded cone, `flat` times as deep as it is wide along `hint`.

        `cap` is how far its ends bulge, as a share of their radius.
        """
        length = np.linalg.norm(end - start, axis=-1)
        z = unit(end - start)
        # A hint along the cone gives no side; any other will do, for the cone is then round.
        x = across(z, hint + np.array((1e-3, 2e-3, 0.0)))
        depth = np.broadcast_to(flat, (self._times,))[:, None]
        shape = np.empty((self._times, 3))
        shape[:, :2], shape[:, 2] = radii_m, length / cap
        self._add(CONE, start, (x, np.cross(z, x) * depth, z * cap), shape, colour, surface)

    def solids(self) -> Solids:
        """Return all that was added."""
        kinds, places, axes, shapes, colours, surfaces = zip(*self._rows, strict=True)
        return Solids(
            np.array(kinds, np.int64),
            np.stack(places, axis=1),
            np.stack(axes, axis=1),
            np.stack(shapes, axis=1),
            np.array(colours, np.float64),
            np.array(surfaces, np.float64),
        )


def joint(motion: Motion, name: str) -> Floats:
    """Return where a joint is over time: (T, 3) metres."""
    place: Floats = motion.joints[:, INDEX[name]]
    return place


def add_equipment(pile: Pile, motion: Motion, look: Look) -> None:
    """Add what the person holds, and what the person lies or sits on."""
    if motion.bench is not None:
        _add_bench(pile, motion.bench, look)
    right, left = (joint(motion, f"{side}_hand") for side in SIDES)
    if motion.equipment == "dumbbell":
        for hand, grip in enumerate((right, left)):
            _add_dumbbell(pile, grip, motion.handles[:, hand], motion.load_kg, look)
        return
    middle = (right + left) / 2
    if motion.equipment == "T-bar":
        _add_t_bar(pile, motion, middle, np.linalg.norm(left - right, axis=-1))
    else:
        _add_barbell(pile, middle, unit(motion.handles[:, 0]), motion.load_kg)


def _plates(load_kg: float) -> list[tuple[float, float, Colour]]:
    """Return radius, thickness and colour of the plates that weigh a load, heaviest first."""
    found, rest_kg = [], load_kg
    for weight_kg, radius_m, thick_m, colour in _PLATES:
        count = int((rest_kg + 1e-6) // weight_kg)
        rest_kg -= count * weight_kg
        found += [(radius_m, thick_m, colour)] * count
    return found


def _add_barbell(pile: Pile, middle: Floats, axis: Floats, load_kg: float) -> None:
    def bar(from_m: float, to_m: float, radius_m: float, colour: Colour, gloss: Surface) -> None:
        half = (radius_m, radius_m, (to_m - from_m) / 2)
        centre = middle + axis * ((from_m + to_m) / 2)
        pile.block(CYLINDER, centre, axis, _UP, half, colour, gloss)

    bar(-_SLEEVE_FROM_M, _SLEEVE_FROM_M, 0.0145, _STEEL, METAL)
    for sign in (-1, 1):
        bar(sign * _SLEEVE_FROM_M, sign * _BAR_HALF_M, 0.025, _STEEL, METAL)
        bar(sign * _SLEEVE_FROM_M, sign * (_SLEEVE_FROM_M + 0.03), 0.038, _STEEL, METAL)
        at_m = _SLEEVE_FROM_M + 0.032
        for radius_m, thick_m, colour in _plates((load_kg - _BAR_KG) / 2):
            bar(sign * at_m, sign * (at_m + thick_m), radius_m, colour, SKIN)
            hub_m = at_m - 0.003, at_m + thick_m + 0.004
            bar(sign * hub_m[0], sign * hub_m[1], min(0.055, radius_m * 0.5), _STEEL, METAL)
            at_m += thick_m + 0.003
        bar(sign * (at_m + 0.005), sign * (at_m + 0.03), 0.036, _IRON, SKIN)


def _add_dumbbell(pile: Pile, grip: Floats, axis: Floats, load_kg: float, look: Look) -> None:
    # Two heads that are as long as 1.25 radii.
    radius_m = (load_kg / 2 / _RUBBER_KG_M3 / (1.25 * np.pi)) ** (1 / 3)
    half_m = 0.625 * radius_m
    pile.block(CYLINDER, grip, axis, _UP, (0.016, 0.016, 0.075 + half_m), _STEEL, METAL)
    side = across(unit(axis), _UP + np.array((1e-3, 2e-3, 0.0)))
    other = np.cross(unit(axis), side)
    for sign in (-1, 1):
        head = grip + unit(axis) * sign * (0.068 + half_m)
        if not look.room.hex_heads:
            half = (radius_m, radius_m, half_m)
            pile.block(CYLINDER, head, axis, side, half, _RUBBER, SKIN)
            continue
        for turn in range(3):  # three boxes at 60° are a hexagonal prism
            hint = np.cos(turn * np.pi / 3) * side + np.sin(turn * np.pi / 3) * other
            half = (radius_m * 0.95, radius_m * 0.95 / 3**0.5, half_m)
            pile.block(BOX, head, axis, hint, half, _RUBBER, SKIN)


def _add_t_bar(pile: Pile, motion: Motion, middle: Floats, width_m: Floats) -> None:
    pivot = np.zeros(3) if motion.pivot is None else motion.pivot
    axis = unit(middle - pivot)
    end = middle + axis * 0.50
    pile.cone(pivot, middle, (0.016, 0.016), _STEEL, METAL)
    pile.cone(middle + axis * 0.06, end, (0.025, 0.025), _STEEL, METAL)
    pile.block(BOX, pivot + _UP * 0.03, _UP, np.array((1.0, 0.0, 0.0)), (0.10, 0.08, 0.03), _IRON)
    half = (width_m / 2 + 0.06)[:, None] * motion.handles[:, 0]
    pile.cone(middle - half, middle + half, (0.015, 0.015), _IRON, SKIN)
    at_m = 0.16
    for radius_m, thick_m, colour in _plates(motion.load_kg - _BAR_KG):
        centre = middle + axis * (at_m + thick_m / 2)
        # Large plates would not leave the bar room to start from the floor.
        half_m = (radius_m * 0.8, radius_m * 0.8, thick_m / 2)
        pile.block(CYLINDER, centre, axis, _UP, half_m, colour, SKIN)
        at_m += thick_m + 0.003


def _add_bench(pile: Pile, bench: Bench, look: Look) -> None:
    """Add pads whose upper side meets the seat, their frame and the feet."""
    rise = np.radians(bench.back_deg)
    along = np.array((-np.cos(rise), 0.0, np.sin(rise)))
    normal = np.array((np.sin(rise), 0.0, np.cos(rise)))
    forward, left = np.array((1.0, 0.0, 0.0)), np.array((0.0, 1.0, 0.0))
    pad, frame = look.room.pad, look.room.frame
    start = bench.seat + 0.02 * along - 0.035 * normal
    half = (0.14, bench.back_m / 2, 0.035)
    pile.block(BOX, start + along * bench.back_m / 2, normal, left, half, pad, SKIN)
    seat = bench.seat + np.array((0.10, 0.0, -0.035))
    pile.block(BOX, seat, _UP, left, (0.14, 0.17, 0.035), pad, SKIN)
    under = bench.seat[2] - 0.10
    front = np.array((bench.seat[0] + 0.20, 0.0, under))
    back = bench.seat + along * bench.back_m * 0.75 - 0.08 * normal
    rear = np.array((min(back[0], bench.seat[0] - 0.35), 0.0, 0.05))
    middle, half_m = (front[0] + rear[0]) / 2, (front[0] - rear[0]) / 2
    beam = np.array((middle, 0.0, under))
    pile.block(BOX, beam, _UP, forward, (half_m, 0.03, 0.03), frame, SKIN)
    for foot in (front, rear):
        base = np.array((foot[0], 0.0, 0.03))
        top = np.array((foot[0], 0.0, under))
        pile.cone(base, top, (0.028, 0.028), frame, SKIN)
        pile.block(BOX, base, _UP, left, (0.25, 0.03, 0.025), frame, SKIN)
    pile.cone(np.array((rear[0], 0.0, under)), back, (0.022, 0.022), frame, SKIN)
