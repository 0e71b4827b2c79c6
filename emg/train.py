"""One training, from recipe to model: python -m emg train --config configs/emg/small.yaml.

The folder of a run holds recipe.yaml, metrics.jsonl, tensorboard/, resume.pt and the model. The
same command goes on where a run was stopped.
"""

import platform
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from emg.backbone import ResNet50, SmallCnn2d, build_backbone
from emg.backbone_task import trained_backbone
from emg.clips import ReadyClip, fit_scales, read_trials, ready_clips
from emg.features import Features
from emg.model import Model, save_model
from emg.normalise import Scales
from emg.recipe import Recipe
from emg.samples import load_samples
from emg.store import ClipStore
from emg.task import EmgTask
from flex.files import hash_text
from flex.graph_file import load_graph
from flex.plain import without_nan
from flex.recipes import check_recipe, keep_recipe
from flex.semg_columns import MUSCLE_NAMES
from flex.splits import PARTS
from learn.device import device_of
from learn.fit import FitReport, Plan, fit
from learn.recipe import FREE
from learn.sample import Sample


def train(recipe: Recipe, name: str, data: Path, run: Path) -> Model:
    """Train a model, or go on where the run was.

    Raises:
        InputError: the data, the recipe or the machine do not suit.
    """
    check_recipe(recipe, run, FREE)
    device, graph = device_of(recipe.device), load_graph()
    started = time.perf_counter()
    samples = load_samples(data, recipe, graph)
    store = ClipStore(recipe, graph)
    trials = read_trials(samples, store)
    scales = fit_scales(trials, recipe)
    fingerprint = data_fingerprint(samples, store)
    keep_recipe(recipe, run)
    parts = {part: [s for s in samples if s.part == part] for part in PARTS}
    torch.manual_seed(recipe.seed)
    backbone = prepared_backbone(recipe, parts["train"], store, scales, device)
    features = Features(store, backbone, device)
    train_clips = ready_clips(parts["train"], store, features, scales, mirror=recipe.mirror)
    # What set the scales is as little judged here as in the test part.
    used = {*scales.fitted_on, *scales.calibrated_on}
    judged = [sample for sample in parts["validation"] if sample.id not in used]
    validation = ready_clips(judged, store, features, scales)
    torch.manual_seed(recipe.seed)
    task = EmgTask(recipe, train_clips, validation, device)
    report = fit(task, Plan.of(recipe, name, device, fingerprint), run)
    model = Model(
        name=name,
        recipe=recipe,
        network=task.module,
        backbone=backbone,
        scales=scales,
        people=task.people,
        taught=_taught(train_clips),
        facts=_facts(parts["train"], data, fingerprint, report),
    )
    model.facts["seconds"] = round(time.perf_counter() - started, 1)
    save_model(run, model)
    return model


def data_fingerprint(samples: Sequence[Sample], store: ClipStore) -> str:
    """Return a hash of clips, parts, people and the bytes of everything that is read."""
    rows = [
        hash_text(
            sample.id,
            sample.part,
            str(sample.record.subject),
            store.semg_key(sample),
            *(store.key(sample, stream) for stream in sample.streams),
        )
        for sample in samples
    ]
    return hash_text(*rows)


def prepared_backbone(
    recipe: Recipe,
    train: Sequence[Sample],
    store: ClipStore,
    scales: Scales,
    device: torch.device,
) -> ResNet50 | SmallCnn2d | None:
    """Return the backbone of a recipe's views with weights that mean something; `None` without.

    Raises:
        InputError: files or weights that cannot be used.
    """
    backbone = build_backbone(recipe)
    if isinstance(backbone, ResNet50):
        backbone.load(recipe.weights)
    elif backbone is not None:
        backbone.load_state_dict(trained_backbone(recipe, train, store, scales, device))
    return backbone


def _taught(clips: Sequence[ReadyClip]) -> tuple[str, ...]:
    there = np.any([np.isfinite(clip.y).any(axis=0) for clip in clips], axis=0)
    return tuple(name for name, taught in zip(MUSCLE_NAMES, there, strict=True) if taught)


def _facts(
    train: Sequence[Sample], data: Path, fingerprint: str, report: FitReport
) -> dict[str, object]:
    quality = report.quality
    return {
        "data": str(data),
        "fingerprint": fingerprint,
        "sources": sorted({sample.record.source for sample in train}),
        "clips": len(train),
        "epoch": report.epoch,
        "validation": None
        if quality is None
        else without_nan({"r": quality.correlation, "mae": quality.error}),
        "loss": report.loss,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
    }
