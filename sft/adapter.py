"""What a run leaves: a normal PEFT folder, its card, and flex_coach.json with all that it saw.

`vlm.model.load_coach` refuses other frames than the adapter's, and another base than its own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flex.files import write_text
from flex.problems import InputError, Problem
from flex.templates import render
from sft.recipe import Recipe
from vlm.card import CoachCard
from vlm.serving import LEAST_VLLM, READ_VLLM, serve_command, version_text

ORIGIN_FILE = "run.json"
_PACKAGES: Sequence[str] = ("torch", "transformers", "peft", "accelerate")


@dataclass(frozen=True)
class Provenance:
    """Where an adapter comes from: what it saw, with data and base, and the run in numbers.

    `start` names the adapter that the run began with, if it did not begin with a fresh one.
    """

    card: CoachCard
    examples: int
    simulated: bool
    steps: int
    ranks: int
    loss: float
    modules: str
    start: str = ""


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide what is learnt."""
    return {name: version(name) for name in _PACKAGES}


def save_adapter(
    model: Any, folder: Path, recipe: Recipe, origin: Provenance, weights: Any = None
) -> None:
    """Write adapter weights (safetensors), their configuration, flex_coach.json and the card.

    Args:
        model: a PEFT model.
        folder: where to write.
        recipe: what it was tuned by.
        origin: what it was tuned on.
        weights: the state dict of a model that is sharded over ranks, gathered.
    """
    model.peft_config["default"].base_model_name_or_path = recipe.model
    model.save_pretrained(folder, state_dict=weights, safe_serialization=True)
    origin.card.write(folder)
    write_text(folder / "README.md", model_card(folder, recipe, origin))


def keep_origin(run: Path, data: str, base: str, ranks: int, start: str = "") -> None:
    """Write what a run learns from into run.json, or check that a resumed one learns from the same.

    Raises:
        InputError: the clips, the dialogues, the base, the adapter to begin with or the number of
            ranks have changed.
    """
    path = run / ORIGIN_FILE
    now = {"data": data, "base": base, "ranks": ranks, "from": start or None}
    if path.is_file():
        before = json.loads(path.read_text("utf-8"))
        differing = [
            Problem(str(path), f"{name} was {before.get(name)!r} when the run began, now {value!r}")
            for name, value in now.items()
            if before.get(name) != value
        ]
        if differing:
            hint = "a run goes on only with what it began with; name another folder"
            raise InputError([*differing, Problem("--out", hint)])
    write_text(path, json.dumps({**now, "versions": versions()}, indent=2) + "\n")


def model_card(folder: Path, recipe: Recipe, origin: Provenance) -> str:
    """Return the model card as Markdown with the hub's metadata."""
    return render(
        "sft/card.md.j2",
        name=folder.name,
        folder=folder,
        base=recipe.model,
        recipe=recipe,
        fingerprint=origin.card.base,
        data=origin.card.data,
        seen=origin.card,
        least_vllm=version_text(LEAST_VLLM),
        read_vllm=version_text(READ_VLLM),
        serve=serve_command(origin.card, folder, recipe.model),
        versions=", ".join(f"{name} {number}" for name, number in versions().items()),
        **{k: v for k, v in vars(origin).items() if k != "card"},
    )
