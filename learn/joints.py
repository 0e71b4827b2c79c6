"""A skeleton as the ST-GCN reads it: NTU RGB+D's 25 joints, and the graph that they form.

    pose = pose_input(load_skeleton(path))     # (T, 21, 3) → (T, 25, 3) float32
    adjacency("spatial")                       # (3, 25, 25)

The 21 → 25 mapping is that of `flex.skeleton.to_ntu`. Partition strategies are those of Yan, Xiong
and Lin, "Spatial Temporal Graph Convolutional Networks", AAAI 2018, section 3.3.
"""

import numpy as np
from numpy.typing import NDArray

from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.skeleton import INDEX, JOINTS, mirror, normalise, to_ntu
from learn.options import Spine, Strategy

NTU_JOINTS = 25
# Pairs of neighbours, and the joint that is nearest to the body's middle (spine shoulder).
CENTRE = 20
BONES = (
    *((0, 1), (1, 20), (2, 20), (3, 2)),  # spine, neck, head
    *((4, 20), (5, 4), (6, 5), (7, 6), (21, 22), (22, 7)),  # left arm, hand tip, thumb
    *((8, 20), (9, 8), (10, 9), (11, 10), (23, 24), (24, 11)),  # right
    *((12, 0), (13, 12), (14, 13), (15, 14)),  # left leg
    *((16, 0), (17, 16), (18, 17), (19, 18)),  # right leg
)


def pose_input(
    points: Floats, *, spine: Spine = "whole", place: str = "skeleton"
) -> NDArray[np.float32]:
    """Return a clip's skeleton, centred on the spine base and scaled, as NTU's joints.

    Args:
        points: (T, 21, 3) in any unit of length.
        spine: what counts as 1: from the spine base to the upper spine, or "lower", to the spine
            middle only, as the released code has it (values are then twice as large).
        place: the file, for messages.

    Returns:
        (T, 25, 3) float32.

    Raises:
        InputError: another shape, values that are not finite, or a spine without length.
    """
    if points.ndim != 3 or points.shape[1:] != (len(JOINTS), 3) or not len(points):
        message = f"expected (frames, {len(JOINTS)}, 3), found {points.shape}"
        raise InputError([Problem(place, message)])
    if not np.isfinite(points).all():
        frame, joint, _ = np.argwhere(~np.isfinite(points))[0]
        message = f"frame {frame}, {JOINTS[joint]}: the position is not finite"
        raise InputError([Problem(place, message)])
    try:
        normal = normalise(points)
    except ValueError as error:
        raise InputError([Problem(place, str(error))]) from error
    # The spine middle is half-way up by definition, so the lower spine is half the whole.
    scale = 2.0 if spine == "lower" else 1.0
    scaled: NDArray[np.float32] = (to_ntu(normal) * scale).astype(np.float32)
    return scaled


def mirrored_skeleton(points: Floats) -> Floats:
    """Reflect a skeleton along the axis that runs from its right hip to its left one.

    Args:
        points: (T, 21, 3) in any unit and any frame of reference whose axes fit the person.
    """
    hips = points[:, INDEX["left_hip"]] - points[:, INDEX["right_hip"]]
    return mirror(points, axis=int(np.abs(hips.mean(axis=0)).argmax()))


def hops(bones: tuple[tuple[int, int], ...] = BONES, joints: int = NTU_JOINTS) -> NDArray[np.int64]:
    """Return how many bones lie between any two joints: (V, V)."""
    near = np.eye(joints, dtype=bool)
    for one, other in bones:
        near[one, other] = near[other, one] = True
    distance = np.full((joints, joints), joints, dtype=np.int64)
    reached = np.eye(joints, dtype=bool)
    for step in range(joints):
        distance[reached & (distance == joints)] = step
        reached = (reached.astype(np.int64) @ near) > 0
    return distance


def adjacency(strategy: Strategy = "spatial") -> NDArray[np.float32]:
    """Return the neighbours of every joint, split into groups that get weights of their own.

    "spatial": the joint itself and neighbours as near to the centre as it is; neighbours nearer to
    the centre; neighbours farther from it. "uniform": all in one group. Each joint's neighbours
    weigh 1 together.

    Returns:
        (K, V, V) float32; [k, v, w] is what joint v gives to joint w in group k.
    """
    distance = hops()
    linked = distance <= 1
    weights: NDArray[np.float32] = (linked / linked.sum(axis=0)).astype(np.float32)
    if strategy == "uniform":
        return weights[None]
    from_centre = distance[CENTRE]
    nearer = from_centre[:, None] < from_centre[None, :]
    farther = from_centre[:, None] > from_centre[None, :]
    return np.stack([weights * ~(nearer | farther), weights * nearer, weights * farther])
