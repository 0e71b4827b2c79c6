"""Scores the clips of a data folder's split with a trained model."""

from pathlib import Path

from aqa.clip_store import ClipStore
from aqa.model import Model
from aqa.predict import predict_clips
from aqa.predictions import Prediction
from aqa.samples import load_samples
from aqa.train import device_of
from flex.problems import InputError, Problem
from flex.splits import Part

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
    learnt = {row.clip for row in model.exemplars}
    seen = [s.id for s in samples if s.id in learnt]
    if part != "train" and seen:
        first = ", ".join(seen[:_SHOWN]) + (", …" if len(seen) > _SHOWN else "")
        message = f"{len(seen)} clips of the part {part!r} were trained on ({first})"
        raise InputError([Problem(str(data), f"{message}: the data or its split have changed")])
    store = ClipStore(model.recipe, model.graph)
    return predict_clips(model, samples, store, device_of(model.recipe))
