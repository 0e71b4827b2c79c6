"""What a model says of one clip, and as a CSV file.

    prediction = predict_clip(model, "A16/007", Path("data/flex-sim"))
    write_csv(prediction, Path("A16-007.csv"))

Who lifts counts as unknown, also if the model was trained with that person.
"""

import csv
import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from emg.features import Features
from emg.model import Model
from emg.prediction import Prediction
from emg.samples import one_sample, streams_of
from emg.store import ClipStore
from emg.task import predict
from flex.dataset import Clip
from flex.files import write_text
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.sample import Annotation
from flex.semg_columns import MUSCLE_NAMES, muscle_of
from learn.sample import Sample

UNIT = "95th percentile of a repetition, in the exercise that asks most of the muscle"


def predict_clip(model: Model, clip: str | Clip, data: Path | None = None) -> Prediction:
    """Return the activation of every muscle over one clip, beside what was measured.

    Args:
        model: a trained model.
        clip: an id in the data folder, or a clip: its views and skeleton are what is read.
        data: the data folder, for an id.

    Raises:
        InputError: there is no such clip, it lacks something that the model reads, or a file
            cannot be used.
    """
    graph = load_graph()
    if isinstance(clip, str):
        if data is None:
            raise InputError([Problem(clip, "is an id: name its data folder")])
        sample = one_sample(clip, data, model.recipe, graph)
    else:
        sample = _given(clip, model)
    # One clip's pictures are not worth keeping; its features are.
    store = ClipStore(model.recipe.model_copy(update={"keep_streams": False}), graph)
    features = Features(store, model.backbone, torch.device("cpu"))
    times_s = store.times(sample)
    x = features.of(sample)
    true = _measured(model, store, sample)
    said = predict(model.network.to("cpu"), [x], torch.device("cpu"))[0]
    return Prediction(
        clip=sample.id,
        action=sample.record.action,
        times_s=times_s,
        muscles=MUSCLE_NAMES,
        predicted=said,
        true=true,
        mask=_meant(model, sample, graph),
        unit=UNIT,
    )


def write_csv(prediction: Prediction, path: Path) -> None:
    """Write times, predicted and measured activation of the meant muscles, one row a frame.

    Columns: `time_s`, then `MUSCLE` and, where it was measured, `MUSCLE measured`.
    """
    columns = [("time_s", prediction.times_s)]
    for number in np.flatnonzero(prediction.mask):
        name = prediction.muscles[number]
        columns.append((name, prediction.predicted[:, number]))
        if prediction.true is not None and np.isfinite(prediction.true[:, number]).all():
            columns.append((f"{name} measured", prediction.true[:, number]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in columns])
    for row in zip(*(values for _, values in columns), strict=True):
        writer.writerow([f"{value:.5g}" for value in row])
    write_text(path, text.getvalue())


def _given(clip: Clip, model: Model) -> Sample:
    streams, problems = streams_of(clip, model.recipe)
    if problems:
        raise InputError(problems)
    record = clip.annotation or Annotation(clip=clip.clip, action=clip.action)
    return Sample(record, "test", clip, streams)


def _measured(model: Model, store: ClipStore, sample: Sample) -> Floats | None:
    """Return what the sEMG says, normalised: (T, 18) with NaN; `None` for a clip without sEMG."""
    if sample.clip.semg is None:
        return None
    trial = store.trial(sample)
    target = model.scales.apply(trial.values, trial.subject)
    return np.where(trial.recorded, target, np.nan)


def _meant(model: Model, sample: Sample, graph: Graph) -> NDArray[np.bool_]:
    """Return which muscles the model was taught that are recorded in this lift: (18,) bool."""
    recorded = {muscle_of(name) for name in graph.action(sample.record.action).recorded_muscles}
    return np.array(
        [number in recorded and name in model.taught for number, name in enumerate(MUSCLE_NAMES)]
    )
