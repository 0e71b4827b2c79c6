"""Rays and solids: compiled kernels that find what each ray meets, and light it.

    cast(kind, centre, axes, shape, eye, frame, focal, False, depth, ident)    # fills the last two
    shade(kind[n], centre[n], …, ray, point, light, light_depth, colour)       # fills the last one


A video of a study has millions of frames, so this is ray casting without a scene graph: every solid
is a simple shape under an affine map, its box is filled row by row, and a ray meets the shape in
closed form. The same caster looks from the camera (2 × 2 rays a pixel), along the key light (for
shadows) and up through the floor (for contact shadows). A pixel is lit once for each solid in it.
"""

import numpy as np
from numba import njit

BALL, BOX, CYLINDER, CONE = 0, 1, 2, 3
MAP_SIZE = 144  # texels along a shadow map's side
MAP_HALF_M = 1.9
SAMPLES = 2  # rays along a pixel's side
NEAR_M = 0.05
_FAR = 1e9
_SHADOW_BIAS_M = 0.035
jit = njit(cache=True, fastmath=True, nogil=True)


@jit
def _corner(index, kind, shape, out):  # type: ignore[no-untyped-def]
    """Set `out` to a corner of a solid's box in its own coordinates."""
    low, high, wide = -1.0, 1.0, 1.0
    if kind == CONE:
        wide = max(shape[0], shape[1])
        low, high = min(-shape[0], shape[2] - shape[1]), max(shape[0], shape[2] + shape[1])
    out[0] = wide if index & 1 else -wide
    out[1] = wide if index & 2 else -wide
    out[2] = high if index & 4 else low


@jit
def _meet_cone(o, d, first, second, length):  # type: ignore[no-untyped-def]
    """Return where a ray meets two spheres and the cone that touches both (after I. Quilez)."""
    along, dd = d[2], d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    od = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    oo = o[0] * o[0] + o[1] * o[1] + o[2] * o[2]
    thinning = first - second
    d2 = length * length - thinning * thinning
    m1, m2 = length * o[2], length * along
    if d2 > 0:
        k2 = d2 * dd - m2 * m2
        k1 = d2 * od - m1 * m2 + m2 * thinning * first
        k0 = d2 * oo - m1 * m1 + 2 * m1 * thinning * first - length * length * first * first
        square = k1 * k1 - k0 * k2
        if square < 0:
            return _FAR
        t = (-np.sqrt(square) - k1) / k2
        y = m1 - first * thinning + t * m2
        if 0 < y < d2:
            return t
    nearest = _FAR
    square = od * od - dd * (oo - first * first)
    if square > 0:
        nearest = (-od - np.sqrt(square)) / dd
    od2 = od - length * along
    square = od2 * od2 - dd * (oo - 2 * m1 + length * length - second * second)
    if square > 0:
        nearest = min(nearest, (-od2 - np.sqrt(square)) / dd)
    return nearest


@jit
def _meet_cylinder(o, d):  # type: ignore[no-untyped-def]
    a = d[0] * d[0] + d[1] * d[1]
    b = o[0] * d[0] + o[1] * d[1]
    c = o[0] * o[0] + o[1] * o[1] - 1.0
    square = b * b - a * c
    if square < 0:
        return _FAR
    if a > 1e-12:
        t = (-b - np.sqrt(square)) / a
        if abs(o[2] + t * d[2]) <= 1.0:
            return t
    if abs(d[2]) < 1e-12:
        return _FAR
    t = (-1.0 - o[2]) / d[2] if d[2] > 0 else (1.0 - o[2]) / d[2]
    x, y = o[0] + t * d[0], o[1] + t * d[1]
    return t if x * x + y * y <= 1.0 else _FAR


@jit
def _meet_box(o, d):  # type: ignore[no-untyped-def]
    near, far = -_FAR, _FAR
    for axis in range(3):
        step = d[axis] if abs(d[axis]) > 1e-12 else 1e-12
        one, two = (-1.0 - o[axis]) / step, (1.0 - o[axis]) / step
        near, far = max(near, min(one, two)), min(far, max(one, two))
    return near if near <= far else _FAR


@jit
def _meet(kind, o, d, shape):  # type: ignore[no-untyped-def]
    if kind == CONE:
        return _meet_cone(o, d, shape[0], shape[1], shape[2])
    if kind == CYLINDER:
        return _meet_cylinder(o, d)
    if kind == BOX:
        return _meet_box(o, d)
    dd = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    od = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    square = od * od - dd * (o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0)
    return (-od - np.sqrt(square)) / dd if square > 0 else _FAR


@jit
def cast(kind, centre, axes, shape, eye, frame, focal, orthographic, depth, ident):  # type: ignore[no-untyped-def]
    """Fill `depth` (along the view's axis) and `ident` with the nearest solid of every ray."""
    height, width = depth.shape
    depth[:] = _FAR
    ident[:] = -1
    us, vs, corner = np.empty(8), np.empty(8), np.empty(3)
    inverse, fixed, o, d = np.empty((3, 3)), np.empty(3), np.empty(3), np.empty(3)
    across, downward = np.empty(3), np.empty(3)
    for n in range(kind.size):
        top, bottom = 1e9, -1e9
        for i in range(8):
            _corner(i, kind[n], shape[n], corner)
            seen_x, seen_y, seen_z = 0.0, 0.0, 0.0
            for k in range(3):
                point = centre[n, k] - eye[k]
                for j in range(3):
                    point += corner[j] * axes[n, j, k]
                seen_x += frame[0, k] * point
                seen_y += frame[1, k] * point
                seen_z += frame[2, k] * point
            scale = focal if orthographic else focal / max(seen_z, NEAR_M)
            us[i], vs[i] = width / 2 + scale * seen_x, height / 2 + scale * seen_y
            top, bottom = min(top, vs[i]), max(bottom, vs[i])
        # The ray of column u and row v in the solid's own coordinates is linear in u and v.
        for j in range(3):
            norm = axes[n, j, 0] ** 2 + axes[n, j, 1] ** 2 + axes[n, j, 2] ** 2
            fixed[j], across[j], downward[j] = 0.0, 0.0, 0.0
            forward = 0.0
            for k in range(3):
                inverse[j, k] = axes[n, j, k] / norm
                fixed[j] += inverse[j, k] * (eye[k] - centre[n, k])
                across[j] += inverse[j, k] * frame[0, k] / focal
                downward[j] += inverse[j, k] * frame[1, k] / focal
                forward += inverse[j, k] * frame[2, k]
            o[j], d[j] = fixed[j], forward
            corner[j] = forward
        for row in range(max(0, int(top - 0.5)), min(height, int(bottom + 1.5))):
            v = row + 0.5
            left, right = 1e9, -1e9
            for i in range(8):
                for bit in (1, 2, 4):
                    if i & bit:
                        continue
                    v1, v2 = vs[i], vs[i | bit]
                    if min(v1, v2) <= v <= max(v1, v2):
                        share = (v - v1) / (v2 - v1) if v2 != v1 else 0.0
                        u = us[i] + share * (us[i | bit] - us[i])
                        left, right = min(left, u), max(right, u)
            b = v - height / 2
            for column in range(max(0, int(left - 0.5)), min(width, int(right + 1.5))):
                a = column + 0.5 - width / 2
                for j in range(3):
                    if orthographic:
                        o[j] = fixed[j] + a * across[j] + b * downward[j]
                    else:
                        d[j] = corner[j] + a * across[j] + b * downward[j]
                t = _meet(kind[n], o, d, shape[n])
                if NEAR_M < t < depth[row, column]:
                    depth[row, column] = t
                    ident[row, column] = n


@jit
def blur(values, radius, passes):  # type: ignore[no-untyped-def]
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
def lookup(values, u, v):  # type: ignore[no-untyped-def]
    """Return a map's value between texels; 0 outside."""
    column, row = int(np.floor(u - 0.5)), int(np.floor(v - 0.5))
    if column < 0 or row < 0 or column + 1 >= values.shape[1] or row + 1 >= values.shape[0]:
        return 0.0
    x, y = u - 0.5 - column, v - 0.5 - row
    upper = values[row, column] * (1 - x) + values[row, column + 1] * x
    lower = values[row + 1, column] * (1 - x) + values[row + 1, column + 1] * x
    return upper * (1 - y) + lower * y


@jit
def _lit(light, point, light_depth):  # type: ignore[no-untyped-def]
    """Return the share of the key light that reaches a point, 0 to 1."""
    u, v, away, scale = MAP_SIZE / 2, MAP_SIZE / 2, 0.0, MAP_SIZE / 2 / MAP_HALF_M
    for k in range(3):
        offset = point[k] - light.origin[k]
        u += scale * offset * light.axes[0, k]
        v += scale * offset * light.axes[1, k]
        away += offset * light.axes[2, k]
    column, row = int(np.floor(u - 0.5)), int(np.floor(v - 0.5))
    if column < 1 or row < 1 or column + 2 >= MAP_SIZE or row + 2 >= MAP_SIZE:
        return 1.0
    x, y, open_share = u - 0.5 - column, v - 0.5 - row, 0.0
    for i in range(-1, 3):
        weight_y = 1 - y if i == -1 else (y if i == 2 else 1.0)
        for j in range(-1, 3):
            weight = weight_y * (1 - x if j == -1 else (x if j == 2 else 1.0))
            if light_depth[row + i, column + j] > away - _SHADOW_BIAS_M:
                open_share += weight
    return open_share / 9


@jit
def _normal(kind, local, shape, axes, out):  # type: ignore[no-untyped-def]
    """Set `out` to the outward unit normal at a point of a solid's surface."""
    n0, n1, n2 = local[0], local[1], local[2]
    if kind == CONE:
        thinning = shape[0] - shape[1]
        d2 = shape[2] * shape[2] - thinning * thinning
        if d2 > 0:
            y = min(max(shape[2] * n2 - shape[0] * thinning, 0.0), d2)
            n0, n1, n2 = d2 * n0, d2 * n1, d2 * n2 - shape[2] * y
    elif kind == CYLINDER:
        if abs(n2) > 0.9999:
            n0, n1 = 0.0, 0.0
        else:
            n2 = 0.0
    elif kind == BOX:
        size0, size1, size2 = abs(n0), abs(n1), abs(n2)
        n0 = n0 if size0 >= size1 and size0 >= size2 else 0.0
        n1 = n1 if n0 == 0.0 and size1 >= size2 else 0.0
        n2 = n2 if n0 == 0.0 and n1 == 0.0 else 0.0
    length = 0.0
    weights = (n0, n1, n2)
    for k in range(3):
        out[k] = 0.0
    for j in range(3):
        norm = axes[j, 0] ** 2 + axes[j, 1] ** 2 + axes[j, 2] ** 2
        for k in range(3):
            out[k] += weights[j] * axes[j, k] / norm
    for k in range(3):
        length += out[k] * out[k]
    length = np.sqrt(length)
    for k in range(3):
        out[k] /= length


@jit
def shade(kind, centre, axes, shape, colour, surface, ray, point, light, light_depth, out):  # type: ignore[no-untyped-def]
    """Set `out` to the linear colour of a point of a solid that is seen along `ray`."""
    local, normal = np.empty(3), np.empty(3)
    for j in range(3):
        norm, dot = 0.0, 0.0
        for k in range(3):
            norm += axes[j, k] * axes[j, k]
            dot += axes[j, k] * (point[k] - centre[k])
        local[j] = dot / norm
    _normal(kind, local, shape, axes, normal)
    facing, towards, half2, shine, length = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        length += ray[k] * ray[k]
    length = np.sqrt(length)
    for k in range(3):
        facing -= normal[k] * light.axes[2, k]
        towards -= normal[k] * ray[k] / length
        half = -light.axes[2, k] - ray[k] / length
        half2 += half * half
        shine += normal[k] * half
    share = _lit(light, point, light_depth) if facing > 0 else 0.0
    key = max(facing, 0.0) * share
    shine = max(shine, 0.0) / np.sqrt(half2 + 1e-9)
    shine = surface[0] * shine**24 * share
    rim = 0.22 * (1 - max(towards, 0.0)) ** 3 * (0.6 + 0.4 * normal[2])
    sky = 0.5 + 0.5 * normal[2]
    # Near the floor and under the body, less of the room is seen.
    cave = 0.62 + 0.38 * min(max(point[2], 0.0) / 0.5, 1.0)
    cave *= 0.78 + 0.22 * share
    folds = np.sin(7.0 * local[2] + 5.0 * local[0]) * np.sin(9.0 * local[1] - 4.0 * local[2])
    cloth = 1.0 + surface[1] * folds
    for k in range(3):
        soft = cave * (light.sky[k] * (sky + rim) + light.ground[k] * (1 - sky))
        out[k] = colour[k] * cloth * (light.key[k] * key + soft) + light.key[k] * shine
