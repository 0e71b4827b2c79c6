"""Scores the clips of a data folder's split with a trained model."""

from collections.abc import Sequence
from pathlib import Path

from aqa.clip_store import ClipStore
from aqa.model import Model
from aqa.predict import predict_clips
from aqa.predictions import Prediction
from aqa.samples import load_samples
from flex.problems import InputError, Problem
from flex.splits import Part
from learn.device import device_of
from learn.sample import Sample

_SHOWN = 5


def predict_folder(model: Model, data: Path, part: Part = "test") -> list[Prediction]:
    """Return what a model says of a part of a data folder.

    Raises:
        InputError: the folder cannot be used, the part is empty, or clips of another part than
            "train" that the model was trained on.
    """
    samples = [s for s in load_samples(data, model.recipe, model.graph) if s.part == part]
    if not samples:
        raise InputError([Problem(str(data), f"the part {part!r} has no clips")])
    seen = _trained_on(model, samples)
    if part != "train" and seen:
        first = ", ".join(seen[:_SHOWN]) + (", …" if len(seen) > _SHOWN else "")
        message = f"{len(seen)} clips of the part {part!r} were trained on ({first})"
        raise InputError([Problem(str(data), f"{message}: the data or its split have changed")])
    store = ClipStore(model.recipe, model.graph)
    return predict_clips(model, samples, store, device_of(model.recipe.device))


def _trained_on(model: Model, samples: Sequence[Sample]) -> list[str]:
    """Return the clips that the model was trained on.

    Other data may number its clips alike, but then their scores differ.
    """
    learnt = {row.clip: row.score for row in model.exemplars}
    shared = [s for s in samples if s.id in learnt]
    same = [s.id for s in shared if s.record.score == learnt[s.id]]
    return same if 2 * len(same) > len(shared) else []
