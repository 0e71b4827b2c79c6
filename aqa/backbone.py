"""Backbones that learn from scratch, once for all actions and variants, on the training split.

    encoder = prepared_encoder(recipe, samples, store, ranks, device)

What each is trained on: which errors of its action a clip shows and, for views where skeletons are
there, the pose at eight moments. So a few hundred clips suffice to see something, and variants that
share streams share the backbone: its file is named by everything that it was made from, and a card
lies beside it. Public weights (`weights`, `pose_weights`) take its place.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from aqa.backbone_task import BackboneTask
from aqa.build import build_encoder
from aqa.clip_store import ClipStore
from aqa.encoders import ClipEncoder
from aqa.layout import POSE, SEMG
from aqa.recipe import Recipe
from flex.files import atomic_path, hash_text, write_text
from flex.problems import InputError, Problem
from learn.checkpoints import load_weights
from learn.fit import FitReport, Plan, fit
from learn.ranks import Ranks
from learn.sample import Sample

WEIGHTS_FILE = "backbone.safetensors"
CARD_FILE = "card.json"
HEAD_FILE = "head.safetensors"
_TRAINING = (
    *("backbone", "starts", "pixels", "pose_backbone", "pose_groups", "pose_target"),
    *("backbone_epochs", "backbone_batch", "backbone_lr", "seed"),
)


def prepared_encoder(
    recipe: Recipe,
    samples: list[Sample],
    store: ClipStore,
    ranks: Ranks,
    device: torch.device,
) -> ClipEncoder:
    """Return a recipe's backbones with weights that mean something.

    Raises:
        InputError: weights that do not fit, or none at all where none can be trained.
    """
    torch.manual_seed(recipe.seed)
    # Gradients need all windows at once; without them a few at a time save memory.
    encoder = build_encoder(recipe, segments_at_once=None if recipe.end_to_end else 8)
    for kind, given in (("view", recipe.weights), (POSE, recipe.pose_weights), (SEMG, None)):
        backbone = _of(encoder, kind)
        if backbone is None:
            continue
        if given is not None:
            load_weights(backbone, given)
        elif (practised := practised_weights(recipe, kind)) is not None:
            load_weights(backbone, practised)
        elif kind == "view" and recipe.backbone == "i3d":
            message = (
                "I3D starts from its Kinetics weights: set weights=FILE; or backbone=small_cnn"
            )
            raise InputError([Problem("weights", message)])
        elif recipe.backbone_epochs:
            backbone.load_state_dict(_trained(kind, recipe, samples, store, ranks, device))
        elif not recipe.end_to_end:
            message = f"the {kind} backbone would be random: set backbone_epochs, or end_to_end"
            raise InputError([Problem("backbone_epochs", message)])
    return encoder


def practised_weights(recipe: Recipe, kind: str) -> Path | None:
    """Return the file with a kind's practised backbone; `None` if `start` has none.

    Raises:
        InputError: `start` is no folder of practised weights.
    """
    if recipe.start is None:
        return None
    if not (recipe.start / HEAD_FILE).is_file():
        message = f"holds no {HEAD_FILE}; `python -m aqa practise` writes such a folder"
        raise InputError([Problem(str(recipe.start), message)])
    path = recipe.start / f"{kind}.safetensors"
    return path if path.is_file() else None


def _trained(
    kind: str,
    recipe: Recipe,
    samples: list[Sample],
    store: ClipStore,
    ranks: Ranks,
    device: torch.device,
) -> dict[str, torch.Tensor]:
    """Return the weights of a kind's backbone, from its file or trained now."""
    train = [s for s in samples if s.part == "train" and _has(s, kind, recipe)]
    identity = _identity(kind, recipe, train, store)
    folder = recipe.cache / "backbones" / f"{kind}-{identity}"
    if not (folder / WEIGHTS_FILE).is_file():
        task = BackboneTask(kind, recipe, train, store, device)
        plan = Plan.of(
            recipe, f"{kind} backbone", device, identity, bf16=recipe.precision == "bf16"
        ).for_backbone(recipe.backbone_epochs)
        report = fit(task, plan, folder, ranks)
        if ranks.main:
            _keep(folder, task.backbone, _card(kind, recipe, train, report))
        ranks.wait()
    weights: dict[str, torch.Tensor] = load_file(folder / WEIGHTS_FILE)
    return weights


def _identity(kind: str, recipe: Recipe, train: list[Sample], store: ClipStore) -> str:
    """Return a hash of clips, labels, streams and settings."""
    streams = [s for s in recipe.layout.widths if recipe.layout.kind(s) == kind]
    chosen = recipe.model_dump(mode="json", include=set(_TRAINING))
    rows = [
        hash_text(
            *(store.key(sample, stream) for stream in streams if stream in sample.streams),
            json.dumps([str(o) for o in sample.record.occurrences]),
            sample.id,
        )
        for sample in train
    ]
    settings = json.dumps([kind, streams, chosen, recipe.flip], sort_keys=True)
    return hash_text(settings, store.graph.version, *rows)


def _card(kind: str, recipe: Recipe, train: list[Sample], report: FitReport) -> dict[str, object]:
    return {
        "kind": kind,
        "streams": [s for s in recipe.layout.widths if recipe.layout.kind(s) == kind],
        "trained_on": len(train),
        "clips": [sample.id for sample in train],
        "sources": sorted({sample.record.source for sample in train}),
        "settings": recipe.model_dump(mode="json", include=set(_TRAINING)),
        "targets": "errors of each clip's action"
        + (", pose at 8 moments" if kind == "view" else ""),
        "loss": report.loss,
        "seconds": round(report.seconds, 1),
        "torch": torch.__version__,
    }


def _keep(folder: Path, backbone: nn.Module, card: dict[str, object]) -> None:
    write_text(folder / CARD_FILE, json.dumps(card, indent=1) + "\n")
    weights = {k: v.detach().cpu().contiguous() for k, v in backbone.state_dict().items()}
    with atomic_path(folder / WEIGHTS_FILE) as name:
        save_file(weights, name)


def _of(encoder: ClipEncoder, kind: str) -> nn.Module | None:
    return {"view": encoder.video, POSE: encoder.pose, SEMG: encoder.semg}[kind]


def _has(sample: Sample, kind: str, recipe: Recipe) -> bool:
    return any(recipe.layout.kind(stream) == kind for stream in sample.streams)
