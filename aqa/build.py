"""Makes modules of a `Variant`: the backbones, and the head that reads their features.

encoder, head = build_encoder(variant), build_core(variant)
scores = head.predict(encoder(clips), encoder(exemplars), exemplar_scores)
"""

from torch import nn

from aqa.core import CoRe
from aqa.encoders import ClipEncoder
from aqa.error_columns import ErrorColumns
from aqa.graph_head import GraphHead, HeadSettings
from aqa.semg_encoder import EnvelopeEncoder
from aqa.variant import ENVELOPE_WIDTH, POSE_WIDTH, VIEW_WIDTHS, Variant
from flex.graph import Graph
from learn.i3d import I3D
from learn.pose_course import PoseCourse
from learn.small_cnn import SmallCnn
from learn.stgcn import STGCN


def build_encoder(variant: Variant, *, segments_at_once: int | None = None) -> ClipEncoder:
    """Return the backbones of a variant, with random weights.

    Args:
        variant: the model.
        segments_at_once: windows in one pass, to bound memory where no gradient is kept.
    """
    frozen = variant.frozen_statistics
    return ClipEncoder(
        variant.layout,
        video=_video(variant) if variant.views else None,
        pose=_pose(variant) if variant.pose else None,
        semg=EnvelopeEncoder(features=ENVELOPE_WIDTH) if variant.semg == "envelope" else None,
        starts=variant.starts,
        pixels=variant.pixels,
        frozen_statistics=variant.backbone == "i3d" if frozen is None else frozen,
        segments_at_once=segments_at_once,
    )


def build_core(variant: Variant) -> CoRe:
    """Return CoRe's tree for the features of a variant."""
    return CoRe(
        variant.layout,
        hidden=variant.hidden,
        depth=variant.depth,
        leaf_loss=variant.leaf_loss,
        decode=variant.decode,
    )


def build_graph_head(variant: Variant, graph: Graph) -> GraphHead:
    """Return the graph head for the features of a variant."""
    settings = HeadSettings(hidden=variant.hidden, dropout=variant.dropout)
    return GraphHead(variant.layout, ErrorColumns(graph), settings)


def _video(variant: Variant) -> nn.Module:
    if variant.backbone == "i3d":
        return I3D()
    return SmallCnn(features=VIEW_WIDTHS["small_cnn"])


def _pose(variant: Variant) -> nn.Module:
    if variant.pose_backbone == "stgcn":
        return STGCN(strategy=variant.pose_groups)
    return PoseCourse(features=POSE_WIDTH)
