"""A trained model and its files: weights, exemplars, and what it was made from.

    save_model(run, model)
    model = load_model(run)                     # needs neither the training data nor the cache
    model.require(["View-1"], "A01/007")        # refuses clips of other modalities

RUN/model.safetensors       backbones and head; score ranges and leaves are among the buffers
RUN/exemplars.safetensors   features of the training clips that CoRe compares with
RUN/model.json              recipe, versions, seed, ranges, fingerprint of the data, the exemplars
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from aqa.build import build_core, build_encoder, build_graph_head
from aqa.core_votes import ExemplarRow
from aqa.encoders import ClipEncoder
from aqa.graph_head import GraphHead
from aqa.recipe import Recipe
from aqa.streams import Streams
from flex.files import atomic_path, write_text
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.problems import InputError, Problem, problems_of
from learn.checkpoints import load_weights
from learn.run_file import read_run_file

MODEL_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
_KEYS = {"name", "recipe", "graph", "threshold", "exemplars"}
EXEMPLARS_FILE = "exemplars.safetensors"


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        name: of the recipe, such as "mv_pose".
        recipe: what it was trained by.
        graph: the knowledge graph.
        encoder: the backbones.
        head: tree name → CoRe, or the graph head.
        exemplars: the training clips.
        features: of the training clips; CoRe only.
        threshold: graph head: at and above it an error is claimed.
        facts: what else `model.json` says.
    """

    name: str
    recipe: Recipe
    graph: Graph
    encoder: ClipEncoder
    head: nn.ModuleDict | GraphHead
    exemplars: tuple[ExemplarRow, ...]
    features: Streams | None = None
    threshold: float = 0.5
    facts: dict[str, Any] = field(default_factory=dict)

    def require(self, streams: Iterable[str], place: str) -> None:
        """Refuse a clip that lacks a stream which the model was trained on.

        Raises:
            InputError: what the model reads, and what the clip has.
        """
        wanted, have = list(self.recipe.layout.widths), list(streams)
        lacking = [name for name in wanted if name not in have]
        if lacking and (self.recipe.missing == "refuse" or len(lacking) == len(wanted)):
            message = (
                f"the checkpoint {self.name!r} reads {', '.join(wanted)}; the clip has "
                f"{', '.join(have) or 'none of them'}. Take a run for these modalities"
            )
            raise InputError([Problem(place, message)])


def save_model(run: Path, model: Model) -> None:
    """Write a model's files, the description last: a folder with it is complete."""
    weights = {f"head.{k}": v for k, v in model.head.state_dict().items()}
    weights |= {f"encoder.{k}": v for k, v in model.encoder.state_dict().items()}
    _save(run / WEIGHTS_FILE, weights)
    if model.features is not None:
        tables = {f"values.{k}": v for k, v in model.features.values.items()}
        tables |= {f"present.{k}": model.features.has(k) for k in model.features.values}
        _save(run / EXEMPLARS_FILE, tables)
    description = {
        "name": model.name,
        "recipe": model.recipe.model_dump(mode="json"),
        "graph": model.graph.version,
        "threshold": model.threshold,
        "exemplars": [row._asdict() for row in model.exemplars],
        **model.facts,
    }
    write_text(run / MODEL_FILE, json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def load_model(run: Path, *, expect: Recipe | None = None) -> Model:
    """Read a model.

    Args:
        run: the folder of a finished run.
        expect: refuse the model if it reads other streams than this recipe.

    Raises:
        InputError: no finished run, files that do not fit, another knowledge graph, or a
            checkpoint for other modalities than are expected.
    """
    path = run / MODEL_FILE
    facts = read_run_file(path, _KEYS, "python -m aqa train")
    try:
        recipe = Recipe.model_validate(facts.pop("recipe"))
    except ValidationError as error:
        found = problems_of(error, lambda _: f"{path}, recipe", sorted(Recipe.model_fields))
        raise InputError(found) from error
    if expect is not None and expect.layout != recipe.layout:
        has, wants = (", ".join(r.layout.widths) for r in (recipe, expect))
        message = f"is a checkpoint for {has}; {wants} is wanted. Train one, or name another run"
        raise InputError([Problem(str(run), message)])
    graph = load_graph()
    if facts.pop("graph") != graph.version:
        raise InputError([Problem(str(path), "was trained with another knowledge graph")])
    weights = _load(run / WEIGHTS_FILE)
    encoder = build_encoder(recipe)
    head: nn.ModuleDict | GraphHead
    if recipe.head == "graph":
        head = build_graph_head(recipe, graph)
    else:
        names = {key.split(".")[1] for key in weights if key.startswith("head.")}
        head = nn.ModuleDict({name: build_core(recipe) for name in sorted(names)})
    both = nn.ModuleDict({"head": head, "encoder": encoder})
    load_weights(both, run / WEIGHTS_FILE)
    both.eval()
    return Model(
        name=facts.pop("name"),
        recipe=recipe,
        graph=graph,
        encoder=encoder,
        head=head,
        exemplars=tuple(ExemplarRow(**row) for row in facts.pop("exemplars")),
        features=_features(run / EXEMPLARS_FILE) if recipe.head == "core" else None,
        threshold=facts.pop("threshold"),
        facts=facts,
    )


def _features(path: Path) -> Streams:
    tables = _load(path)
    names = [key.removeprefix("values.") for key in tables if key.startswith("values.")]
    return Streams(
        {name: tables[f"values.{name}"] for name in names},
        {name: tables[f"present.{name}"] for name in names},
    )


def _save(path: Path, tensors: dict[str, Tensor]) -> None:
    plain = {k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}
    with atomic_path(path) as name:
        save_file(plain, name)


def _load(path: Path) -> dict[str, torch.Tensor]:
    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except Exception as error:  # the reader raises kinds of its own
        raise InputError([Problem(str(path), f"cannot be read as weights: {error}")]) from error
    return tensors
