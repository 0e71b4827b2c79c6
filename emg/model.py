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

from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

from emg.backbone import ResNet50, SmallCnn2d, build_backbone
from emg.network import Network
from emg.normalise import Scales
from emg.recipe import Recipe
from emg.task import build_network
from flex.files import atomic_path, write_text
from flex.problems import InputError, problems_of
from learn.checkpoints import load_weights
from learn.run_file import read_run_file

MODEL_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
_KEYS = {"name", "recipe", "inputs", "people", "taught", "scales"}


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
    facts = read_run_file(path, _KEYS, "python -m emg train")
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


def _parts(network: Network, backbone: nn.Module | None) -> nn.ModuleDict:
    parts = {"network": network}
    return nn.ModuleDict(parts if backbone is None else {**parts, "backbone": backbone})
