"""FLEX's 21-joint skeleton: names, limbs, sides, the authors' normalisation and NTU mapping.

    points = load_skeleton(path)       # (T, 21, 3), `flex.dataset`
    flipped = mirror(points)           # left and right change places
    ntu = to_ntu(normalise(points))    # (T, 25, 3), what an ST-GCN trained on NTU RGB+D reads

The numbering and the mapping to NTU RGB+D are inferred from the authors' released loader. It does
not say which of a foot's two joints is the heel; we take the first.
"""

import numpy as np

from flex.number_table import Floats

JOINTS = (
    "head",
    "neck",
    "upper_spine",
    *("right_shoulder", "right_elbow", "right_wrist", "right_hand"),
    *("left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    *("right_hip", "right_knee", "right_ankle", "right_heel", "right_toe"),
    *("left_hip", "left_knee", "left_ankle", "left_heel", "left_toe"),
)
INDEX = {name: index for index, name in enumerate(JOINTS)}
# Rigid limbs: their lengths do not change while a person moves.
LIMBS = tuple(
    (INDEX[f"{side}_{start}"], INDEX[f"{side}_{end}"])
    for side in ("right", "left")
    for start, end in (
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("wrist", "hand"),
        ("hip", "knee"),
        ("knee", "ankle"),
        ("ankle", "heel"),
        ("ankle", "toe"),
    )
)
# What to draw: the limbs, and what joins them.
BONES = (
    (INDEX["head"], INDEX["neck"]),
    (INDEX["neck"], INDEX["upper_spine"]),
    (INDEX["upper_spine"], INDEX["right_shoulder"]),
    (INDEX["upper_spine"], INDEX["left_shoulder"]),
    (INDEX["upper_spine"], INDEX["right_hip"]),
    (INDEX["upper_spine"], INDEX["left_hip"]),
    (INDEX["right_hip"], INDEX["left_hip"]),
    *LIMBS,
)
_SWAP = {"left": "right", "right": "left"}


def _other_side(name: str) -> str:
    side, _, rest = name.partition("_")
    return f"{_SWAP[side]}_{rest}" if side in _SWAP else name


MIRRORED = tuple(INDEX[_other_side(name)] for name in JOINTS)

# The 25 joints of NTU RGB+D, in its order, as the FLEX joints whose mean they are.
_SPINE_BASE = ("right_hip", "left_hip")
_NTU: tuple[tuple[str, ...], ...] = (
    _SPINE_BASE,
    (),  # spine middle, half-way from the spine base to the upper spine
    ("neck",),
    ("head",),
    *(("left_shoulder",), ("left_elbow",), ("left_wrist",), ("left_hand",)),
    *(("right_shoulder",), ("right_elbow",), ("right_wrist",), ("right_hand",)),
    *(("left_hip",), ("left_knee",), ("left_ankle",), ("left_heel", "left_toe")),
    *(("right_hip",), ("right_knee",), ("right_ankle",), ("right_heel", "right_toe")),
    ("upper_spine",),
    *(("left_hand",), ("left_hand",)),  # hand tip, thumb
    *(("right_hand",), ("right_hand",)),
)


def _ntu_weights() -> Floats:
    weights = np.zeros((len(_NTU), len(JOINTS)))
    for row, names in enumerate(_NTU):
        for name in names:
            weights[row, INDEX[name]] += 1 / len(names)
    weights[1] = weights[0] / 2
    weights[1, INDEX["upper_spine"]] += 0.5
    return weights


_NTU_WEIGHTS = _ntu_weights()


def spine_base(points: Floats) -> Floats:
    """Return the midpoint of the hips: (..., 21, 3) → (..., 3)."""
    base: Floats = points[..., [INDEX[name] for name in _SPINE_BASE], :].mean(axis=-2)
    return base


def spine_length(points: Floats) -> Floats:
    """Return the distance from the spine base to the upper spine: (..., 21, 3) → (...)."""
    length: Floats = np.linalg.norm(
        points[..., INDEX["upper_spine"], :] - spine_base(points), axis=-1
    )
    return length


def normalise(points: Floats) -> Floats:
    """Centre every frame on its spine base and divide by its spine length.

    Args:
        points: (..., 21, 3) in any unit of length.

    Returns:
        (..., 21, 3) in spine lengths; the spine runs from the spine base to the upper spine.

    Raises:
        ValueError: a frame whose spine has no length, by its index.
    """
    length = spine_length(points)
    if np.any(length == 0):
        first = tuple(int(i) for i in np.argwhere(length == 0)[0])
        raise ValueError(f"the spine has no length in frame {first}")
    normal: Floats = (points - spine_base(points)[..., None, :]) / length[..., None, None]
    return normal


def mirror(points: Floats, axis: int = 0) -> Floats:
    """Reflect a skeleton: left and right joints change places, the coordinate `axis` its sign.

    Args:
        points: (..., 21, 3), centred on the plane of reflection along `axis`.
        axis: the coordinate that runs from the person's one side to the other.
    """
    flipped: Floats = points[..., list(MIRRORED), :].copy()
    flipped[..., axis] *= -1
    return flipped


def limb_lengths(points: Floats) -> Floats:
    """Return the length of every limb of `LIMBS`: (..., 21, 3) → (..., 14), in the same unit."""
    start, end = np.array(LIMBS).T
    lengths: Floats = np.linalg.norm(points[..., end, :] - points[..., start, :], axis=-1)
    return lengths


def to_ntu(points: Floats) -> Floats:
    """Map to the 25 joints of NTU RGB+D, in its order: (..., 21, 3) → (..., 25, 3)."""
    mapped: Floats = np.einsum("nj,...jc->...nc", _NTU_WEIGHTS, points)
    return mapped
