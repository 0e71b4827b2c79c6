"""What people and rooms look like: skin, hair, clothes, curtains, floor and light.

    look = choose_look(study, subject, session=("P01", "A16"))
    room = paint_room(look.room, camera, size=224)       # the empty room, linear light

A person keeps skin, hair and shape of clothes; colours of clothes change by session, and so does
the room. With `plain=True` everybody and every room look the same, which shows whether a model
learns motion or backgrounds. Colours are linear RGB, 0 to 1.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.cameras import Camera, Session
from sim.study import Floats, Study
from sim.subjects import Subject

Colour = tuple[float, float, float]
Floor = Literal["plain", "mats", "tiles", "planks"]
WALL_M = 2.95  # from the middle of the room to its curtains
_CURTAIN_TOP_M = 2.55
_HairBall = tuple[tuple[float, float], tuple[float, float, float]]
# Style → ellipsoids: (forward, up) of the middle from the head's, half width, depth and height.
_HAIR: dict[str, tuple[_HairBall, ...]] = {
    "bald": (),
    "crop": (((-0.022, 0.036), (0.079, 0.090, 0.100)),),
    "full": (((-0.024, 0.042), (0.085, 0.096, 0.108)), ((0.035, 0.105), (0.060, 0.050, 0.030))),
    "tied": (((-0.022, 0.036), (0.081, 0.092, 0.102)), ((-0.125, 0.03), (0.034, 0.036, 0.040))),
    "beard": (
        ((-0.022, 0.036), (0.079, 0.090, 0.100)),
        ((0.045, -0.078), (0.050, 0.052, 0.046)),
    ),
}
_SKINS: tuple[Colour, ...] = (
    (0.60, 0.36, 0.26), (0.52, 0.29, 0.19), (0.42, 0.22, 0.13),
    (0.30, 0.145, 0.08), (0.16, 0.075, 0.042), (0.085, 0.042, 0.026),
)  # fmt: skip
_HAIR_COLOURS: tuple[Colour, ...] = (
    (0.012, 0.010, 0.010), (0.03, 0.018, 0.012), (0.08, 0.04, 0.02), (0.24, 0.14, 0.06),
    (0.22, 0.21, 0.20),
)  # fmt: skip
_TOPS: tuple[Colour, ...] = (
    (0.03, 0.03, 0.035), (0.35, 0.35, 0.36), (0.04, 0.09, 0.30), (0.34, 0.03, 0.04),
    (0.05, 0.22, 0.11), (0.42, 0.22, 0.03), (0.22, 0.05, 0.22), (0.03, 0.22, 0.28),
)  # fmt: skip
_BOTTOMS: tuple[Colour, ...] = (
    (0.02, 0.02, 0.022), (0.05, 0.055, 0.065), (0.02, 0.03, 0.09), (0.12, 0.11, 0.09),
    (0.15, 0.16, 0.17), (0.03, 0.06, 0.04),
)  # fmt: skip
_SHOES: tuple[Colour, ...] = (
    (0.02, 0.02, 0.02), (0.55, 0.55, 0.54), (0.40, 0.05, 0.04), (0.04, 0.12, 0.40),
    (0.30, 0.34, 0.05),
)  # fmt: skip
_CURTAINS: tuple[Colour, ...] = (
    (0.10, 0.13, 0.22), (0.26, 0.27, 0.29), (0.05, 0.06, 0.07), (0.10, 0.19, 0.15),
    (0.36, 0.33, 0.28), (0.22, 0.08, 0.08), (0.17, 0.20, 0.26),
)  # fmt: skip
_FLOORS: dict[Floor, tuple[Colour, ...]] = {
    "plain": ((0.22, 0.22, 0.22), (0.12, 0.14, 0.16), (0.30, 0.28, 0.25)),
    "mats": ((0.07, 0.07, 0.075), (0.05, 0.09, 0.15), (0.12, 0.12, 0.12)),
    "tiles": ((0.38, 0.37, 0.35), (0.26, 0.28, 0.30), (0.18, 0.15, 0.13)),
    "planks": ((0.36, 0.22, 0.11), (0.24, 0.13, 0.065), (0.44, 0.32, 0.19)),
}
# Floor → size of a piece along x and y in metres, how dark its joints are.
_PIECES: dict[Floor, tuple[float, float, float]] = {
    "plain": (50.0, 50.0, 0.0),
    "mats": (1.0, 1.0, 0.45),
    "tiles": (0.45, 0.45, 0.35),
    "planks": (1.4, 0.14, 0.40),
}


@dataclass(frozen=True)
class Outfit:
    """How a person looks; colours are linear."""

    skin: Colour
    hair: Colour
    hair_balls: tuple[_HairBall, ...]
    top: Colour
    sleeves: bool
    bottom: Colour
    trousers: bool
    shoes: Colour
    soles: Colour
    socks: Colour


@dataclass(frozen=True)
class Room:
    """A session's room, its light and its pictures.

    Attributes:
        curtain: colour of the curtains.
        fold_m: distance of a curtain's folds.
        fold_depth: how much light differs over a fold.
        floor: what the floor is laid with.
        floor_colour: its main colour.
        things: wall 0 to 3 (+x, +y, −x, −y), (left, right, bottom, top) in metres, and colour of
            what stands or hangs before the curtains.
        pad: colour of a bench's pads.
        frame: colour of its frame.
        hex_heads: dumbbells have six-sided heads.
        key_from: (3,) unit vector towards the key light.
        key: colour of the key light, times its strength.
        sky: colour of the light from above and around, times its strength.
        exposure: factor of all light.
        lens_blur: weight of each neighbouring pixel, 0 to 0.3.
        crf: constant rate factor of H.264; lower is better.
        seed: of grain and of what differs from piece to piece.
    """

    curtain: Colour
    fold_m: float
    fold_depth: float
    floor: Floor
    floor_colour: Colour
    things: tuple[tuple[int, tuple[float, float, float, float], Colour], ...]
    pad: Colour
    frame: Colour
    hex_heads: bool
    key_from: Colour
    key: Colour
    sky: Colour
    exposure: float
    lens_blur: float
    crf: int
    seed: int


@dataclass(frozen=True)
class Look:
    """What a clip looks like: the person and the room."""

    outfit: Outfit
    room: Room


_PLAIN = Look(
    Outfit(
        skin=_SKINS[2], hair=_HAIR_COLOURS[1], hair_balls=_HAIR["crop"], top=_TOPS[1],
        sleeves=False, bottom=_BOTTOMS[1], trousers=False, shoes=_SHOES[0], soles=_SHOES[1],
        socks=_SHOES[1],
    ),
    Room(
        curtain=(0.24, 0.25, 0.26), fold_m=0.3, fold_depth=0.0, floor="plain",
        floor_colour=(0.2, 0.2, 0.2), things=(), pad=(0.03, 0.03, 0.03), frame=(0.1, 0.1, 0.1),
        hex_heads=False, key_from=(0.35, 0.3, 0.888), key=(1.1, 1.1, 1.1), sky=(0.8, 0.8, 0.8),
        exposure=1.0, lens_blur=0.06, crf=23, seed=0,
    ),
)  # fmt: skip


def choose_look(study: Study, subject: Subject, session: Session, *, plain: bool = False) -> Look:
    """Return what the clips of a subject in a session look like.

    Args:
        study: the study.
        subject: who it is.
        session: what names the session; it should hold the subject's id.
        plain: give everybody the same colours, and every session the same bare room.
    """
    if plain:
        return _PLAIN
    return Look(_outfit(study, subject, session), _room(study, session))


def _outfit(study: Study, subject: Subject, session: Session) -> Outfit:
    own = study.draws("look", subject.id)
    skin = _shifted(own, _SKINS[own.integers(len(_SKINS))], 0.06)
    hair = _shifted(own, _HAIR_COLOURS[own.integers(len(_HAIR_COLOURS))], 0.1)
    style = list(_HAIR)[own.choice(len(_HAIR), p=(0.14, 0.36, 0.24, 0.10, 0.16))]
    sleeves, trousers = bool(own.random() < 0.55), bool(own.random() < 0.35)
    shoes = _shifted(own, _SHOES[own.integers(len(_SHOES))], 0.1)
    soles = _SHOES[1] if own.random() < 0.7 else _SHOES[0]
    today = study.draws("clothes", subject.id, *session)
    top = _shifted(today, _TOPS[today.integers(len(_TOPS))], 0.2)
    bottom = _shifted(today, _BOTTOMS[today.integers(len(_BOTTOMS))], 0.2)
    socks = _SHOES[1] if today.random() < 0.6 else _SHOES[0]
    return Outfit(
        skin, hair, _HAIR[style], top, sleeves, bottom, trousers, shoes, soles, socks
    )  # fmt: skip


def _room(study: Study, session: Session) -> Room:
    draws = study.draws("room", *session)
    floor: Floor = tuple(_FLOORS)[draws.integers(len(_FLOORS))]
    colours = _FLOORS[floor]
    turn, height = draws.uniform(-np.pi, np.pi), draws.uniform(0.9, 1.3)
    key_from = (np.cos(turn) * np.cos(height), np.sin(turn) * np.cos(height), np.sin(height))
    warmth, strength = draws.uniform(-0.12, 0.14), draws.uniform(0.95, 1.35)
    fill = draws.uniform(0.6, 0.85)
    return Room(
        curtain=_shifted(draws, _CURTAINS[draws.integers(len(_CURTAINS))], 0.15),
        fold_m=float(draws.uniform(0.12, 0.34)),
        fold_depth=float(draws.uniform(0.15, 0.45)),
        floor=floor,
        floor_colour=_shifted(draws, colours[draws.integers(len(colours))], 0.12),
        things=tuple(_thing(draws) for _ in range(draws.integers(1, 5))),
        pad=_shifted(draws, _BOTTOMS[draws.integers(3)], 0.2),
        frame=_shifted(draws, ((0.1, 0.1, 0.1), (0.4, 0.4, 0.4))[draws.integers(2)], 0.1),
        hex_heads=bool(draws.random() < 0.5),
        key_from=(float(key_from[0]), float(key_from[1]), float(key_from[2])),
        key=(strength * (1 + warmth), strength, strength * (1 - warmth)),
        sky=(fill * (1 - 0.4 * warmth), fill, fill * (1 + 0.4 * warmth)),
        exposure=float(draws.lognormal(0.0, 0.12)),
        lens_blur=float(draws.uniform(0.02, 0.14)),
        crf=int(draws.integers(20, 29)),
        seed=int(draws.integers(2**31)),
    )


def _thing(draws: np.random.Generator) -> tuple[int, tuple[float, float, float, float], Colour]:
    left, wide = draws.uniform(-2.6, 1.9), draws.uniform(0.25, 0.9)
    stands = bool(draws.random() < 0.5)
    bottom = 0.0 if stands else draws.uniform(1.1, 1.7)
    top = bottom + (draws.uniform(0.4, 1.9) if stands else draws.uniform(0.25, 0.7))
    place = (float(left), float(left + wide), float(bottom), float(min(top, _CURTAIN_TOP_M)))
    palette = (*_TOPS, *_CURTAINS)
    return (
        int(draws.integers(4)),
        place,
        _shifted(draws, palette[draws.integers(len(palette))], 0.2),
    )


def _shifted(draws: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Return the colour a little brighter or darker, and a little off in hue."""
    factor = draws.lognormal(0.0, spread) * draws.lognormal(0.0, spread / 4, size=3)
    red, green, blue = np.minimum(np.array(colour) * factor, 0.8).tolist()
    return red, green, blue


def paint_room(room: Room, camera: Camera, size: int) -> tuple[Floats, Floats]:
    """Paint the empty room as a camera sees it.

    Returns:
        (size, size, 3) linear light, and (size, size, 2) the x and y in metres of the floor in the
        middle of each pixel, NaN where there is no floor.
    """
    wall, ground = _seen(camera, size * 2)
    on_floor = np.isfinite(ground[0])
    light = np.empty((*on_floor.shape, 3))
    light[on_floor] = _floor_light(room, ground[:, on_floor])
    light[~on_floor] = _wall_light(room, wall[:, ~on_floor])
    quarters = light[::2, ::2] + light[1::2, ::2] + light[::2, 1::2] + light[1::2, 1::2]
    grain = np.random.default_rng(room.seed).normal(1.0, 0.012, size=(size, size, 1))
    middles = (ground[:, ::2, ::2] + ground[:, 1::2, 1::2]) / 2
    return quarters * grain * (room.exposure / 4), np.moveaxis(middles, 0, -1)


def _seen(camera: Camera, size: int) -> tuple[Floats, Floats]:
    """Return for each pixel wall, place along it and height as (3, …), and the floor's (2, …)."""
    steps = (np.arange(size) + 0.5 - size / 2) / camera.focal(size)
    right, down, forward = camera.axes
    rays = [forward[k] + steps * right[k] + steps[:, None] * down[k] for k in range(3)]
    x, y, z = rays
    with np.errstate(divide="ignore"):
        to_x = (np.copysign(WALL_M, x) - camera.eye[0]) / x
        to_y = (np.copysign(WALL_M, y) - camera.eye[1]) / y
    on_x = to_x < to_y
    reach = np.where(on_x, to_x, to_y)
    height = camera.eye[2] + reach * z
    along = np.where(on_x, camera.eye[1] + reach * y, camera.eye[0] + reach * x)
    wall = np.where(on_x, np.where(x < 0, 2, 0), np.where(y < 0, 3, 1))
    fall = np.full_like(z, np.nan)
    np.divide(-camera.eye[2], z, out=fall, where=height < 0)
    ground = np.stack([camera.eye[0] + fall * x, camera.eye[1] + fall * y])
    return np.stack([wall, along, height]), ground


def _wall_light(room: Room, seen: Floats) -> Floats:
    """Return the light of walls: (3, P) wall, place along it and height → (P, 3)."""
    wall, along, height = seen[0].astype(int), seen[1], seen[2]
    turn = 2 * np.pi * along / room.fold_m + 1.3 * wall
    wave = np.sin(turn + 0.9 * np.sin(0.37 * turn + room.seed % 7))
    tone = 1 + room.fold_depth * wave * (0.85 + 0.15 * np.sin(2.1 * along))
    light = np.array(room.curtain) * tone[..., None]
    light[height > _CURTAIN_TOP_M] = 0.35 * np.array(room.curtain) + 0.02
    for on_wall, (left, right, bottom, top), colour in room.things:
        inside = (along > left) & (along < right) & (height > bottom) & (height < top)
        edge = np.minimum(np.minimum(along - left, right - along), top - height) < 0.025
        light[inside & (wall == on_wall)] = colour
        light[inside & edge & (wall == on_wall)] = 0.55 * np.array(colour)
    normals = -np.array(((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)))
    facing = np.maximum(normals @ np.array(room.key_from[:2]), 0.0)
    strength = 0.68 * np.array(room.sky) + 0.9 * facing[:, None] * np.array(room.key)  # (4, 3)
    near_floor = 1 - 0.38 * np.exp(-height / 0.35)
    return np.asarray(light * strength[wall] * near_floor[:, None])


def _floor_light(room: Room, ground: Floats) -> Floats:
    """Return the light of the floor: (2, P) x and y → (P, 3)."""
    x, y = ground
    long_m, wide_m, dark = _PIECES[room.floor]
    row = np.floor(y / wide_m)
    column = x / long_m + (0.37 * row if room.floor == "planks" else 0.0)
    piece = np.sin(12.9898 * np.floor(column) + 78.233 * row + room.seed % 1000) * 43758.5453
    tone = 1 + (piece - np.floor(piece) - 0.5) * (0.22 if dark else 0.0)
    gap_m = np.minimum(
        np.abs(column - np.rint(column)) * long_m,
        np.abs(y / wide_m - np.rint(y / wide_m)) * wide_m,
    )
    tone = tone * (1 - dark * np.exp(-((gap_m / 0.012) ** 2)))
    reach = np.maximum(np.abs(x), np.abs(y))
    tone = tone * (1 - 0.4 * np.exp(-(WALL_M - reach) / 0.3))
    strength = np.array(room.sky) * 0.85 + np.array(room.key) * room.key_from[2] * 0.75
    return np.asarray(np.array(room.floor_colour) * strength * tone[:, None])
