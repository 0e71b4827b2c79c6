"""What the small network sees of a skeleton: joints, bones, the angles between bones, unevenness.

    features(joints)    # (N, 103, 21, 3) → (N, 103, F)

Bones and angles beside joints are usual in skeleton networks (2s-AGCN, arXiv 1805.07694): a wrist
that bends back hardly moves a joint, but turns a bone.
"""

import numpy as np
import numpy.typing as npt

from flex.skeleton import BONES, INDEX, MIRRORED, mirror, normalise
from sim.study import Floats

Singles = npt.NDArray[np.float32]
_START, _END = np.array(BONES).T
_PAIRS = np.array([(i, j) for i, j in enumerate(_START) if j in _END], dtype=int)
_SIDES = ("right", "left")


def features(joints: Floats | Singles) -> Singles:
    """Return the features of skeletons (..., 21, 3) in any unit: (..., F), without a unit."""
    normal = normalise(np.asarray(joints, dtype=np.float64))
    spans = normal[..., _END, :] - normal[..., _START, :]
    lengths = np.linalg.norm(spans, axis=-1, keepdims=True)
    bones = spans / np.maximum(lengths, 1e-9)
    parents = [int(np.flatnonzero(start == _END)[0]) for start in _START[_PAIRS[:, 0]]]
    cosines = (bones[..., _PAIRS[:, 0], :] * bones[..., parents, :]).sum(axis=-1)
    uneven = np.abs(normal - mirror(normal, axis=1))[..., _right(), :]
    return np.concatenate(
        [_flat(normal), _flat(bones), cosines, _flat(uneven), _gaps(normal)], axis=-1
    ).astype(np.float32)


def _flat(vectors: Floats) -> Floats:
    return vectors.reshape(*vectors.shape[:-2], -1)


def _right() -> list[int]:
    """Return the joints of the right side."""
    return [joint for joint, other in enumerate(MIRRORED) if joint < other]


def _gaps(normal: Floats) -> Floats:
    """Return the distances between the sides: shoulders, elbows, hands, knees, ankles."""
    names = ("shoulder", "elbow", "hand", "knee", "ankle")
    right, left = ([INDEX[f"{side}_{name}"] for name in names] for side in _SIDES)
    gaps: Floats = np.linalg.norm(normal[..., right, :] - normal[..., left, :], axis=-1)
    return gaps
