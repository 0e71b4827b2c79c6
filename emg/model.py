"""A trained model and its files: weights, scales, and what it was made from.

    save_model(run, model)
    model = load_model(run)                    # needs neither the training data nor the cache

RUN/model.safetensors      the network, and the backbone if there is one
RUN/model.json             recipe, scales, people, versions, seed, fingerprint of the data
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

from emg.backbone import ResNet50, SmallCnn2d, build_backbone
from emg.network import Network
from emg.normalise import Scales
from emg.recipe import Recipe
from emg.task import build_network
from flex.files import atomic_path, write_text
from flex.problems import InputError, Problem, problems_of
from learn.checkpoints import load_weights

MODEL_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        name: of the recipe, such as "small".
        recipe: what it was trained by.
        network: in evaluation mode.
        backbone: of the views, or `None` for a model that reads the pose alone.
        scales: what 1 stands for, per subject and muscle.
        people: training subjects in the order of the embedding's rows; empty without one.
        taught: muscles (their names) that had a training trial.
        facts: what else `model.json` says.
    """

    name: str
    recipe: Recipe
    network: Network
    backbone: ResNet50 | SmallCnn2d | None
    scales: Scales
    people: tuple[str, ...]
    taught: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)


def save_model(run: Path, model: Model) -> None:
    """Write a model's files, the description last: a folder with it is complete."""
    state = _parts(model.network, model.backbone).state_dict()
    weights = {key: value.detach().cpu().clone().contiguous() for key, value in state.items()}
    with atomic_path(run / WEIGHTS_FILE) as name:
        save_file(weights, name)
    description = {
        "name": model.name,
        "recipe": model.recipe.model_dump(mode="json"),
        "inputs": model.network.inputs,
        "people": model.people,
        "taught": model.taught,
        "scales": model.scales.model_dump(mode="json"),
        **model.facts,
    }
    write_text(run / MODEL_FILE, json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def load_model(run: Path) -> Model:
    """Read a model.

    Raises:
        InputError: no finished run, or files that do not fit.
    """
    path = run / MODEL_FILE
    facts = _description(path)
    try:
        recipe = Recipe.model_validate(facts.pop("recipe"))
        scales = Scales.model_validate(facts.pop("scales"))
    except ValidationError as error:
        keys = sorted({*Recipe.model_fields, *Scales.model_fields})
        raise InputError(problems_of(error, lambda _: str(path), keys)) from error
    people = tuple(facts.pop("people"))
    network = build_network(recipe, int(facts.pop("inputs")), len(people))
    backbone = build_backbone(recipe)
    if isinstance(backbone, ResNet50):
        backbone.drop_classifier()
    both = _parts(network, backbone)
    load_weights(both, run / WEIGHTS_FILE)
    both.eval()
    return Model(
        name=facts.pop("name"),
        recipe=recipe,
        network=network,
        backbone=backbone,
        scales=scales,
        people=people,
        taught=tuple(facts.pop("taught")),
        facts=facts,
    )


def device_of(recipe: Recipe) -> torch.device:
    """Return where a recipe computes.

    Raises:
        InputError: it wants a GPU and there is none.
    """
    available = torch.cuda.is_available()
    if recipe.device == "cuda" and not available:
        raise InputError([Problem("device", "there is no GPU that PyTorch can use; device=cpu")])
    if available and recipe.device != "cpu":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def _parts(network: Network, backbone: nn.Module | None) -> nn.ModuleDict:
    parts = {"network": network}
    return nn.ModuleDict(parts if backbone is None else {**parts, "backbone": backbone})


def _description(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = "is missing: this is no finished run of `python -m emg train`"
        raise InputError([Problem(str(path), message)]) from error
    except json.JSONDecodeError as error:
        raise InputError([Problem(str(path), f"not valid JSON: {error.msg}")]) from error
    needed = {"name", "recipe", "inputs", "people", "taught", "scales"}
    if lacking := sorted(needed - set(found)):
        raise InputError([Problem(str(path), f"lacks {', '.join(lacking)}")])
    return found
