"""Rays and shapes: compiled kernels that find the nearest solid that each ray meets.

    cast(kind, centre, axes, shape, eye, frame, focal, False, depth, ident)    # fills the last two

A video of a study has millions of frames, so there is no scene graph: every solid is a simple shape
under an affine map, the outline of its box is filled row by row, and a ray meets the shape in
closed form.
"""

import numpy as np
from numba import njit

from sim.shapes import BALL, BOX, CONE, CYLINDER

NEAR_M = 0.05
_FAR = 1e9
jit = njit(cache=True, fastmath=True, nogil=True, error_model="numpy")


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
def _meet_cone(ox, oy, oz, dx, dy, dz, first, second, length):  # type: ignore[no-untyped-def]
    """Return where a ray meets two spheres and the cone that touches both (after I. Quilez)."""
    dd = dx * dx + dy * dy + dz * dz
    od = ox * dx + oy * dy + oz * dz
    oo = ox * ox + oy * oy + oz * oz
    thinning = first - second
    d2 = length * length - thinning * thinning
    m1, m2 = length * oz, length * dz
    if d2 > 0:
        k2 = d2 * dd - m2 * m2
        k1 = d2 * od - m1 * m2 + m2 * thinning * first
        k0 = d2 * oo - m1 * m1 + 2 * m1 * thinning * first - length * length * first * first
        square = k1 * k1 - k0 * k2
        if square < 0:
            return _FAR
        if abs(k2) > 1e-14:
            t = (-np.sqrt(square) - k1) / k2
            y = m1 - first * thinning + t * m2
            if 0 < y < d2:
                return t
    nearest = _FAR
    square = od * od - dd * (oo - first * first)
    if square > 0:
        nearest = (-od - np.sqrt(square)) / dd
    od2 = od - length * dz
    square = od2 * od2 - dd * (oo - 2 * m1 + length * length - second * second)
    if square > 0:
        nearest = min(nearest, (-od2 - np.sqrt(square)) / dd)
    return nearest


@jit
def _meet_cylinder(ox, oy, oz, dx, dy, dz):  # type: ignore[no-untyped-def]
    a, b, c = dx * dx + dy * dy, ox * dx + oy * dy, ox * ox + oy * oy - 1.0
    square = b * b - a * c
    if square < 0:
        return _FAR
    if a > 1e-12:
        t = (-b - np.sqrt(square)) / a
        if abs(oz + t * dz) <= 1.0:
            return t
    if abs(dz) < 1e-12:
        return _FAR
    t = (-1.0 - oz) / dz if dz > 0 else (1.0 - oz) / dz
    x, y = ox + t * dx, oy + t * dy
    return t if x * x + y * y <= 1.0 else _FAR


@jit
def _meet_box(ox, oy, oz, dx, dy, dz):  # type: ignore[no-untyped-def]
    near, far = -_FAR, _FAR
    for o, d in ((ox, dx), (oy, dy), (oz, dz)):
        step = d if abs(d) > 1e-12 else 1e-12
        one, two = (-1.0 - o) / step, (1.0 - o) / step
        near, far = max(near, min(one, two)), min(far, max(one, two))
    return near if near <= far else _FAR


@jit
def _meet_ball(ox, oy, oz, dx, dy, dz):  # type: ignore[no-untyped-def]
    dd = dx * dx + dy * dy + dz * dz
    od = ox * dx + oy * dy + oz * dz
    square = od * od - dd * (ox * ox + oy * oy + oz * oz - 1.0)
    return (-od - np.sqrt(square)) / dd if square > 0 else _FAR


@jit
def cast(kind, centre, axes, shape, eye, frame, focal, orthographic, depth, ident):  # type: ignore[no-untyped-def]
    """Fill `depth` (along the view's axis) and `ident` with the nearest solid of every ray."""
    height, width = depth.shape
    depth[:] = _FAR
    ident[:] = -1
    us, vs, corner = np.empty(8), np.empty(8), np.empty(3)
    fixed, forward = np.empty(3), np.empty(3)
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
            fixed[j], across[j], downward[j], forward[j] = 0.0, 0.0, 0.0, 0.0
            for k in range(3):
                inverse = axes[n, j, k] / norm
                fixed[j] += inverse * (eye[k] - centre[n, k])
                across[j] += inverse * frame[0, k] / focal
                downward[j] += inverse * frame[1, k] / focal
                forward[j] += inverse * frame[2, k]
        first, second, length = shape[n, 0], shape[n, 1], shape[n, 2]
        ox, oy, oz = fixed[0], fixed[1], fixed[2]
        dx, dy, dz = forward[0], forward[1], forward[2]
        ax, ay, az = across[0], across[1], across[2]
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
            bx, by, bz = b * downward[0], b * downward[1], b * downward[2]
            for column in range(max(0, int(left - 0.5)), min(width, int(right + 1.5))):
                a = column + 0.5 - width / 2
                if orthographic:
                    ox, oy, oz = (
                        fixed[0] + a * ax + bx,
                        fixed[1] + a * ay + by,
                        fixed[2] + a * az + bz,
                    )
                else:
                    dx, dy, dz = (
                        forward[0] + a * ax + bx,
                        forward[1] + a * ay + by,
                        forward[2] + a * az + bz,
                    )
                if kind[n] == CONE:
                    t = _meet_cone(ox, oy, oz, dx, dy, dz, first, second, length)
                elif kind[n] == BALL:
                    t = _meet_ball(ox, oy, oz, dx, dy, dz)
                elif kind[n] == CYLINDER:
                    t = _meet_cylinder(ox, oy, oz, dx, dy, dz)
                else:
                    t = _meet_box(ox, oy, oz, dx, dy, dz)
                if NEAR_M < t < depth[row, column]:
                    depth[row, column] = t
                    ident[row, column] = n


@jit
def normal_at(n, kind, centre, axes, shape, x, y, z):  # type: ignore[no-untyped-def]
    """Return a point of solid `n` in its own axes, and the outward unit normal in the world."""
    x, y, z = x - centre[n, 0], y - centre[n, 1], z - centre[n, 2]
    ax, ay, az = axes[n, 0, 0], axes[n, 0, 1], axes[n, 0, 2]
    bx, by, bz = axes[n, 1, 0], axes[n, 1, 1], axes[n, 1, 2]
    cx, cy, cz = axes[n, 2, 0], axes[n, 2, 1], axes[n, 2, 2]
    aa, bb = 1 / (ax * ax + ay * ay + az * az), 1 / (bx * bx + by * by + bz * bz)
    cc = 1 / (cx * cx + cy * cy + cz * cz)
    n0, n1 = (ax * x + ay * y + az * z) * aa, (bx * x + by * y + bz * z) * bb
    n2 = (cx * x + cy * y + cz * z) * cc
    local = (n0, n1, n2)
    if kind[n] == CONE:
        first, length = shape[n, 0], shape[n, 2]
        thinning = first - shape[n, 1]
        d2 = length * length - thinning * thinning
        if d2 > 0:
            on_axis = min(max(length * n2 - first * thinning, 0.0), d2)
            n0, n1, n2 = d2 * n0, d2 * n1, d2 * n2 - length * on_axis
    elif kind[n] == CYLINDER:
        if abs(n2) > 0.9999:
            n0, n1 = 0.0, 0.0
        else:
            n2 = 0.0
    elif kind[n] == BOX:
        size0, size1, size2 = abs(n0), abs(n1), abs(n2)
        if size0 >= size1 and size0 >= size2:
            n1, n2 = 0.0, 0.0
        elif size1 >= size2:
            n0, n2 = 0.0, 0.0
        else:
            n0, n1 = 0.0, 0.0
    n0, n1, n2 = n0 * aa, n1 * bb, n2 * cc
    nx = n0 * ax + n1 * bx + n2 * cx
    ny = n0 * ay + n1 * by + n2 * cy
    nz = n0 * az + n1 * bz + n2 * cz
    scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz)
    return local, (nx * scale, ny * scale, nz * scale)
