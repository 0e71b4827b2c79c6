"""Drawing a frame: compiled kernels that light what rays meet, and put it into the room.

    buffers, light = make_buffers(size, lens_blur), Lighting(…)
    draw_frame(kind, centre, axes, shape, colour, surface, view, light, stage, buffers, picture)

The same caster looks from the camera (2 × 2 rays a pixel), along the key light (for shadows) and up
through the floor (for contact shadows). A pixel is lit once for each solid in it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.rays import NEAR_M, cast, jit, normal_at
from sim.study import Floats

MAP_SIZE = 120  # texels along a shadow map's side
MAP_HALF_M = 1.9
_SAMPLES = 2  # rays along a pixel's side
_SHADOW_BIAS_M = 0.035
_OFF_SURFACE_M = 0.03
_CONTACT_M = 0.30  # higher above the floor, nothing darkens it from above
_CONTACT_DARK = 0.6
_TONES = 4096
Bytes = npt.NDArray[np.uint8]


class Buffers(NamedTuple):
    """What a frame needs to be drawn, made once for all frames of one size."""

    depth: npt.NDArray[np.float32]
    ident: npt.NDArray[np.int16]
    light_depth: npt.NDArray[np.float32]
    light_ident: npt.NDArray[np.int16]
    under_depth: npt.NDArray[np.float32]
    under_ident: npt.NDArray[np.int16]
    shadow: Floats
    contact: Floats
    image: npt.NDArray[np.float32]
    soft: npt.NDArray[np.float32]
    tones: Bytes
    lens_blur: float


class Lighting(NamedTuple):
    """The light of a room, in the form the kernels want.

    Attributes:
        axes: (3, 3) rows of the shadow map: right, down, and away from the key light.
        origin: (3,) the middle of the shadow map, on the side of the light.
        key: (3,) colour of the key light.
        sky: (3,) colour of what comes from above.
        ground: (3,) colour of what the floor throws back.
    """

    axes: Floats
    origin: Floats
    key: Floats
    sky: Floats
    ground: Floats


def make_buffers(size: int, lens_blur: float) -> Buffers:
    """Return buffers for pictures of `size` × `size` pixels."""
    fine, maps = (size * _SAMPLES,) * 2, (MAP_SIZE,) * 2
    shades = np.linspace(0, 1, _TONES)
    # Filmic enough: linear light to sRGB, with a soft shoulder instead of a clipped white.
    curve = np.clip(1.055 * shades ** (1 / 2.4) - 0.055, 0, 1)
    return Buffers(
        depth=np.empty(fine, np.float32),
        ident=np.empty(fine, np.int16),
        light_depth=np.empty(maps, np.float32),
        light_ident=np.empty(maps, np.int16),
        under_depth=np.empty(maps, np.float32),
        under_ident=np.empty(maps, np.int16),
        shadow=np.empty(maps),
        contact=np.empty(maps),
        image=np.empty((size, size, 3), np.float32),
        soft=np.empty((size, size, 3), np.float32),
        tones=(curve * 255 + 0.5).astype(np.uint8),
        lens_blur=lens_blur,
    )


@jit
def _blur(values, radius, passes):  # type: ignore[no-untyped-def]
    """Blur a square map in place with running means along rows, then columns."""
    size = values.shape[0]
    line = np.empty(size)
    for turn in range(2 * passes):
        flat = values if turn % 2 == 0 else values.T
        for row in range(size):
            total = 0.0
            for i in range(-radius, size):
                if i + radius < size:
                    total += flat[row, i + radius]
                if i - radius - 1 >= 0:
                    total -= flat[row, i - radius - 1]
                if i >= 0:
                    line[i] = total / (2 * radius + 1)
            for i in range(size):
                flat[row, i] = line[i]


@jit
def _lookup(values, u, v):  # type: ignore[no-untyped-def]
    """Return a map's value between texels; 0 outside."""
    column, row = int(np.floor(u - 0.5)), int(np.floor(v - 0.5))
    if column < 0 or row < 0 or column + 1 >= values.shape[1] or row + 1 >= values.shape[0]:
        return 0.0
    x, y = u - 0.5 - column, v - 0.5 - row
    upper = values[row, column] * (1 - x) + values[row, column + 1] * x
    lower = values[row + 1, column] * (1 - x) + values[row + 1, column + 1] * x
    return upper * (1 - y) + lower * y


@jit
def _lit(light, x, y, z, light_depth):  # type: ignore[no-untyped-def]
    """Return the share of the key light that reaches a point, 0 to 1."""
    scale, to = MAP_SIZE / 2 / MAP_HALF_M, light.axes
    x, y, z = x - light.origin[0], y - light.origin[1], z - light.origin[2]
    u = MAP_SIZE / 2 + scale * (x * to[0, 0] + y * to[0, 1] + z * to[0, 2]) - 0.5
    v = MAP_SIZE / 2 + scale * (x * to[1, 0] + y * to[1, 1] + z * to[1, 2]) - 0.5
    away = x * to[2, 0] + y * to[2, 1] + z * to[2, 2] - _SHADOW_BIAS_M
    column, row = int(np.floor(u)), int(np.floor(v))
    if column < 1 or row < 1 or column + 2 >= MAP_SIZE or row + 2 >= MAP_SIZE:
        return 1.0
    u, v, share = u - column, v - row, 0.0
    for i in range(-1, 3):
        weight = (1 - v) if i == -1 else (v if i == 2 else 1.0)
        line = 0.0
        line += (1 - u) if light_depth[row + i, column - 1] > away else 0.0
        line += 1.0 if light_depth[row + i, column] > away else 0.0
        line += 1.0 if light_depth[row + i, column + 1] > away else 0.0
        line += u if light_depth[row + i, column + 2] > away else 0.0
        share += weight * line
    return share / 9


@jit
def _shade(n, kind, centre, axes, shape, colour, surface, ray, point, light, light_depth):  # type: ignore[no-untyped-def]
    """Return the linear colour of a point of solid `n` that is seen along the unit `ray`."""
    x, y, z = point
    local, normal = normal_at(n, kind, centre, axes, shape, x, y, z)
    lx, ly, lz = local
    nx, ny, nz = normal
    key_x, key_y, key_z = -light.axes[2, 0], -light.axes[2, 1], -light.axes[2, 2]
    facing = nx * key_x + ny * key_y + nz * key_z
    key = 0.0
    if facing > 0:
        # A step off the surface keeps it from shading itself.
        off = _OFF_SURFACE_M
        key = _lit(light, x + off * nx, y + off * ny, z + off * nz, light_depth)
    cave = (0.62 + 0.38 * min(max(z, 0.0) / 0.5, 1.0)) * (0.78 + 0.22 * key)
    shine = 0.0
    if surface[n, 0] > 0 and key > 0:
        hx, hy, hz = key_x - ray[0], key_y - ray[1], key_z - ray[2]
        half = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9)
        shine = surface[n, 0] * max(half, 0.0) ** 24 * key
    towards = -(nx * ray[0] + ny * ray[1] + nz * ray[2])
    rim = 0.22 * (1 - max(towards, 0.0)) ** 3 * (0.6 + 0.4 * nz)
    sky, cloth = 0.5 + 0.5 * nz, 1.0
    if surface[n, 1] > 0:
        cloth += surface[n, 1] * np.sin(7 * lz + 5 * lx) * np.sin(9 * ly - 4 * lz)
    key *= max(facing, 0.0) * cloth
    up, down = cave * cloth * (sky + rim), cave * cloth * (1 - sky)
    return (
        colour[n, 0] * (light.key[0] * key + light.sky[0] * up + light.ground[0] * down) + shine,
        colour[n, 1] * (light.key[1] * key + light.sky[1] * up + light.ground[1] * down) + shine,
        colour[n, 2] * (light.key[2] * key + light.sky[2] * up + light.ground[2] * down) + shine,
    )


@jit
def _shadow_maps(kind, centre, axes, shape, light, buffers):  # type: ignore[no-untyped-def]
    """Fill what the key light and what the floor see, and how dark both make the floor."""
    scale = MAP_SIZE / 2 / MAP_HALF_M
    depth, ident = buffers.light_depth, buffers.light_ident
    cast(kind, centre, axes, shape, light.origin, light.axes, scale, True, depth, ident)
    upward = np.array(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    below = np.array((0.0, 0.0, -2 * NEAR_M))
    under, ident_under = buffers.under_depth, buffers.under_ident
    cast(kind, centre, axes, shape, below, upward, scale, True, under, ident_under)
    for row in range(MAP_SIZE):
        for column in range(MAP_SIZE):
            buffers.shadow[row, column] = 1.0 if ident[row, column] >= 0 else 0.0
            near = 1.0 - (under[row, column] - 2 * NEAR_M) / _CONTACT_M
            buffers.contact[row, column] = min(max(near, 0.0), 1.0) ** 2
    _blur(buffers.shadow, 1, 2)
    _blur(buffers.contact, 2, 2)


@jit
def _darkened(place, key_share, buffers):  # type: ignore[no-untyped-def]
    """Return how much light shadows leave of the room's, 0 to 1."""
    if place[0] < 0:
        return 1.0
    dark = 1.0 - key_share * _lookup(buffers.shadow, place[0], place[1])
    return dark * (1.0 - _CONTACT_DARK * _lookup(buffers.contact, place[2], place[3]))


@jit
def draw_frame(kind, centre, axes, shape, colour, surface, view, light, stage, buffers, picture):  # type: ignore[no-untyped-def]
    """Draw one picture.

    Args:
        kind: (N,) int, which shape each solid is.
        centre: (N, 3) metres.
        axes: (N, 3, 3) rows: where a solid's own unit axes point in the world, in metres.
        shape: (N, 3) first radius, second radius and length of a cone, in its own coordinates.
        colour: (N, 3) linear.
        surface: (N, 2) gloss, and how strongly cloth varies.
        view: eye (3,), axes (3, 3) of the camera and its focal length in pixels.
        light: `Lighting`.
        stage: the empty room as linear (H, W, 3), where the key light's shadow map and the contact
            map are looked up for each pixel as (H, W, 4), or −1, and the key light's share there.
        buffers: `Buffers`.
        picture: (H, W, 3) uint8, is overwritten.
    """
    eye, frame, focal = view
    room, floor, key_share = stage
    _shadow_maps(kind, centre, axes, shape, light, buffers)
    depth, ident = buffers.depth, buffers.ident
    cast(kind, centre, axes, shape, eye, frame, focal * _SAMPLES, False, depth, ident)
    size, image = picture.shape[0], buffers.image
    middle, steps = size * _SAMPLES / 2, focal * _SAMPLES
    for row in range(size):
        for column in range(size):
            free = 0
            red, green, blue = np.float64(0), np.float64(0), np.float64(0)
            last, seen = -1, (0.0, 0.0, 0.0)
            for sample in range(_SAMPLES * _SAMPLES):
                y, x = row * _SAMPLES + sample // _SAMPLES, column * _SAMPLES + sample % _SAMPLES
                n = ident[y, x]
                if n < 0:
                    free += 1
                    continue
                if n != last:
                    a, b = (x + 0.5 - middle) / steps, (y + 0.5 - middle) / steps
                    dx = frame[2, 0] + a * frame[0, 0] + b * frame[1, 0]
                    dy = frame[2, 1] + a * frame[0, 1] + b * frame[1, 1]
                    dz = frame[2, 2] + a * frame[0, 2] + b * frame[1, 2]
                    t, norm = depth[y, x], np.sqrt(1 + a * a + b * b)
                    ray = (dx / norm, dy / norm, dz / norm)
                    point = (eye[0] + t * dx, eye[1] + t * dy, eye[2] + t * dz)
                    seen = _shade(
                        n, kind, centre, axes, shape, colour, surface, ray, point,
                        light, buffers.light_depth,
                    )  # fmt: skip
                    last = n
                red, green, blue = red + seen[0], green + seen[1], blue + seen[2]
            if free:
                dark = _darkened(floor[row, column], key_share, buffers)
                red += free * dark * room[row, column, 0]
                green += free * dark * room[row, column, 1]
                blue += free * dark * room[row, column, 2]
            image[row, column, 0] = red / _SAMPLES**2
            image[row, column, 1] = green / _SAMPLES**2
            image[row, column, 2] = blue / _SAMPLES**2
    develop(image, buffers.soft, buffers.lens_blur, buffers.tones, picture)


@jit
def develop(image, soft, side, tones, picture):  # type: ignore[no-untyped-def]
    """Blur a linear image as a lens does and turn it into bytes.

    Args:
        image: (H, W, 3) linear, 1 is white.
        soft: (H, W, 3) room for the half-blurred image.
        side: weight of each neighbour along a row or a column, 0 to 1/3.
        tones: (M,) uint8, the byte for linear light from 0 to 1.
        picture: (H, W, 3) uint8, is overwritten.
    """
    height, width = image.shape[:2]
    most = tones.size - 1
    for row in range(height):
        above, below = max(row - 1, 0), min(row + 1, height - 1)
        for column in range(width):
            for k in range(3):
                sides = image[above, column, k] + image[below, column, k]
                soft[row, column, k] = (1 - 2 * side) * image[row, column, k] + side * sides
    for row in range(height):
        for column in range(width):
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            for k in range(3):
                sides = soft[row, left, k] + soft[row, right, k]
                value = (1 - 2 * side) * soft[row, column, k] + side * sides
                picture[row, column, k] = tones[int(min(max(value, 0.0), 1.0) * most)]
