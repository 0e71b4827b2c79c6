"""What a trained model says of clips: `Prediction`s, from features or from files.

predictions = predict(model, samples, features)
predictions = predict_clips(model, samples, ClipStore(model.recipe, model.graph))
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from aqa.clip_store import ClipStore
from aqa.core_votes import core_votes
from aqa.error_columns import ErrorColumns
from aqa.feature_store import cached_features
from aqa.graph_head import GraphHead
from aqa.layout import POSE
from aqa.model import Model
from aqa.predictions import Prediction
from aqa.streams import Streams
from aqa.verdicts import Verdict, verdicts
from flex.graph import Evidence
from learn.sample import Sample


def predict_clips(
    model: Model, samples: Sequence[Sample], store: ClipStore, device: torch.device | None = None
) -> list[Prediction]:
    """Return what a model says of clips that lie on disk; features come from the cache.

    Raises:
        InputError: a clip without a stream that the model reads, or a file that cannot be used.
    """
    for sample in samples:
        model.require(sample.streams, sample.id)
    return predict(model, samples, cached_features(samples, store, model.encoder, device=device))


def predict(model: Model, samples: Sequence[Sample], features: Streams) -> list[Prediction]:
    """Return what a model says of clips, from their features.

    Args:
        model: the model, in evaluation mode.
        samples: B clips.
        features: of the B clips.
    """
    if not samples:
        return []
    head = model.head.to(features.device).eval()
    with torch.no_grad():
        if isinstance(head, GraphHead):
            return _graph(model, samples, features)
        return _core(model, head, samples, features)


def verdicts_of(model: Model, samples: Sequence[Sample], features: Streams) -> list[Verdict]:
    """Return the graph head's verdicts: errors, probabilities, what cannot be seen."""
    head = model.head.eval()
    assert isinstance(head, GraphHead)
    columns = ErrorColumns(model.graph)
    names = [sample.record.action for sample in samples]
    actions = torch.from_numpy(columns.rows(names)).to(features.device)
    with torch.no_grad():
        out = head(features, actions)
        probabilities = head.calibration(out.fused).double().cpu().numpy()
    unseen = np.stack([columns.unseen(_evidence(model, sample)) for sample in samples])
    return verdicts(
        columns,
        names,
        probabilities,
        threshold=model.threshold,
        unseen=unseen,
        base_rate=head.base_rate.double().cpu().numpy(),
    )


def _core(
    model: Model, trees: nn.ModuleDict, samples: Sequence[Sample], features: Streams
) -> list[Prediction]:
    assert model.features is not None
    exemplars = model.features.to(features.device)
    votes = core_votes(trees, samples, features, model.exemplars, exemplars, model.recipe)
    return [
        _prediction(model, sample, float(np.mean(each.scores))).model_copy(
            update={"votes": each.scores, "voters": each.voters}
        )
        for sample, each in zip(samples, votes, strict=True)
    ]


def _graph(model: Model, samples: Sequence[Sample], features: Streams) -> list[Prediction]:
    found = []
    for sample, verdict in zip(samples, verdicts_of(model, samples, features), strict=True):
        claimed = model.recipe.graph_score == "claimed" and verdict.score is not None
        score = verdict.score if claimed else verdict.expected_score
        assert score is not None
        row = _prediction(model, sample, score)
        update = {
            "probabilities": {str(o): round(p, 6) for o, p in verdict.probabilities.items()},
            "errors": tuple(map(str, verdict.errors)),
            "abstained": tuple(map(str, verdict.abstained)),
            "claimed_score": verdict.score,
        }
        found.append(row.model_copy(update=update))
    return found


def _prediction(model: Model, sample: Sample, score: float) -> Prediction:
    record = sample.record
    labelled = record.labelled is None or bool(record.labelled)
    return Prediction(
        clip=record.clip,
        action=record.action,
        subject=record.subject,
        repetition=record.repetition,
        skill=record.skill,
        part=sample.part,
        variant=model.name,
        head=model.recipe.head,
        seed=model.recipe.seed,
        views=model.recipe.views,
        score=score,
        truth=record.score,
        true_errors=tuple(map(str, record.occurrences)) if labelled else None,
        labelled=record.labelled,
    )


def _evidence(model: Model, sample: Sample) -> list[Evidence]:
    """Return what a clip can be judged by, of the kinds that the graph knows."""
    found: list[Evidence] = []
    if any(model.recipe.layout.kind(stream) == "view" for stream in sample.streams):
        found.append("video")
    if POSE in sample.streams:
        found.append("pose")
    return found
