"""One training, from recipe to predictions: python -m aqa train --config configs/aqa/mv.yaml.

The folder of a run holds recipe.yaml, metrics.jsonl, tensorboard/, resume.pt, the model and
predictions.jsonl for validation and test clips. The same command goes on where a run was stopped.
"""

import platform
import time
from pathlib import Path

import torch

from aqa.backbone import prepared_encoder
from aqa.clip_store import ClipStore
from aqa.core_task import CoreTask
from aqa.core_votes import ExemplarRow
from aqa.feature_store import mirrored_streams
from aqa.graph_task import GraphTask
from aqa.model import Model, save_model
from aqa.predict import predict
from aqa.predictions import PREDICTIONS_FILE, Prediction, write_predictions
from aqa.quality import score_of, training_ranges
from aqa.recipe import Recipe
from aqa.samples import load_samples
from aqa.sources import Live, Source, cached_source
from flex.files import hash_text
from flex.graph_file import load_graph
from flex.plain import without_nan
from flex.problems import InputError, Problem
from flex.recipes import check_recipe, keep_recipe
from flex.splits import PARTS
from learn.device import device_of
from learn.fit import FitReport, Plan, fit
from learn.ranks import Ranks
from learn.recipe import FREE
from learn.sample import Sample


def train(recipe: Recipe, name: str, data: Path, run: Path) -> list[Prediction]:
    """Train a model, or go on where the run was; return what it says of the test clips.

    Raises:
        InputError: the data, the recipe or the machine do not suit.
    """
    check_recipe(recipe, run, FREE)
    ranks, device, graph = Ranks(), device_of(recipe.device), load_graph()
    started = time.perf_counter()
    samples = load_samples(data, recipe, graph)
    parts = {part: [s for s in samples if s.part == part] for part in PARTS}
    _check(recipe, samples)
    store = ClipStore(recipe, graph)
    fingerprint = data_fingerprint(samples, store)
    if ranks.main:
        keep_recipe(recipe, run)
    encoder = prepared_encoder(recipe, samples, store, ranks, device)
    source: Source
    if recipe.end_to_end:
        source = Live(parts, store, encoder.to(device), device)
    else:
        source = cached_source(parts, store, encoder, ranks, device)
    learning = encoder if recipe.end_to_end else None
    flipped = mirrored_streams(store)
    torch.manual_seed(recipe.seed)
    task: CoreTask | GraphTask
    if recipe.head == "graph":
        task = GraphTask(recipe, parts, source, learning, flipped, graph)
    else:
        task = CoreTask(recipe, parts, source, learning, flipped)
    bf16 = recipe.precision == "bf16"
    report = fit(task, Plan.of(recipe, name, device, fingerprint, bf16=bf16), run, ranks)
    threshold = 0.5
    if isinstance(task, GraphTask):
        threshold = task.calibrate()
    elif recipe.shrink:
        task.calibrate()
    if not ranks.main:
        ranks.wait()
        return []
    exemplars = tuple(ExemplarRow(s.id, s.record.action, score_of(s)) for s in parts["train"])
    model = Model(
        name=name,
        recipe=recipe,
        graph=graph,
        encoder=encoder,
        head=task.head if isinstance(task, GraphTask) else task.trees,
        exemplars=exemplars,
        features=source.whole("train") if recipe.head == "core" else None,
        threshold=threshold,
        facts=_facts(parts["train"], data, fingerprint, report),
    )
    predictions = [
        row
        for part in PARTS[1:]
        if parts[part]
        for row in predict(model, parts[part], source.whole(part))
    ]
    write_predictions(run / PREDICTIONS_FILE, predictions)
    model.facts["seconds"] = round(time.perf_counter() - started, 1)
    save_model(run, model)
    ranks.wait()
    return [row for row in predictions if row.part == "test"]


def data_fingerprint(samples: list[Sample], store: ClipStore) -> str:
    """Return a hash of clips, parts, labels and the bytes of every stream."""
    rows = [
        hash_text(
            sample.id,
            sample.part,
            str(sample.record.score),
            *sorted(map(str, sample.record.occurrences)),
            *(store.key(sample, stream) for stream in sample.streams),
        )
        for sample in samples
    ]
    return hash_text(*rows)


def _check(recipe: Recipe, samples: list[Sample]) -> None:
    actions = sorted({sample.record.action for sample in samples})
    separate = recipe.head == "core" and recipe.models == "per_action"
    if recipe.end_to_end and separate and len(actions) > 1:
        message = (
            f"end to end with backbones for each action is a run for each of {len(actions)} "
            f"actions: add actions=[{actions[0]}], or take models=one"
        )
        raise InputError([Problem("models", message)])


def _facts(
    train: list[Sample], data: Path, fingerprint: str, report: FitReport
) -> dict[str, object]:
    quality = report.quality
    return {
        "data": str(data),
        "fingerprint": fingerprint,
        "sources": sorted({sample.record.source for sample in train}),
        "epoch": report.epoch,
        "validation": None
        if quality is None
        else without_nan({"rho": quality.correlation, "r_l2": quality.error}),
        "loss": report.loss,
        "ranges": training_ranges(train),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
