"""Which frames a model sees that has no card of its own.

    find_sampler("Qwen/Qwen2.5-VL-3B-Instruct", None)   # those of configs/sft/best.yaml
    find_sampler("models/tiny-coach-base", None)        # 16 of 112²

A released model sees what the recipe for it would show it, so that before and after tuning differ
in the tuning alone. A tiny coach has learnt from 112².
"""

import functools
import json
from pathlib import Path

from flex.problems import InputError, Problem
from flex.video import Sampler
from flex.yaml_places import read_yaml
from vlm.card import read_card
from vlm.weights import check_adapter, find_model

RECIPE = Path(__file__).resolve().parent.parent / "configs" / "sft" / "best.yaml"
# The smallest Qwen2.5-VL that was released has 2048; what is as narrow as this is a tiny coach.
TINY_WIDTH = 512


def find_sampler(model: str | None, adapter: Path | None) -> Sampler:
    """Return how clips are sampled for a model, without loading it.

    Args:
        model: folder or hub id; `None` if it is served elsewhere, so that a card is enough.
        adapter: its folder.

    Raises:
        InputError: no such model or adapter, or a card that is none.
    """
    folders = [] if model is None else [find_model(model)]
    if adapter is not None:
        if model is not None:
            check_adapter(adapter)
        folders.insert(0, adapter)
    for folder in folders:
        card = read_card(folder)
        if card is not None:
            return card.sampler
    return default_sampler(folders[-1]) if folders else recipe_sampler()


def default_sampler(folder: Path) -> Sampler:
    """Return the sampler for a model's folder without a card.

    Raises:
        InputError: a configuration that is not JSON.
    """
    return Sampler() if is_tiny_folder(folder) else recipe_sampler()


@functools.cache
def recipe_sampler() -> Sampler:
    """Return the frames of the recipe for released models."""
    recipe = read_yaml(RECIPE).data
    given = {"kind": recipe.get("sampling")}
    given |= {name: recipe.get(name) for name in ("frames", "pixels")}
    return Sampler(**{name: value for name, value in given.items() if value is not None})


def is_tiny(model: str) -> bool:
    """Say whether a model is a tiny coach, which has learnt from simulated clips only.

    Raises:
        InputError: no such model, or a configuration that is not JSON.
    """
    return is_tiny_folder(find_model(model))


def is_tiny_folder(folder: Path) -> bool:
    """Say the same of a model's folder.

    Raises:
        InputError: a configuration that is not JSON.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError([Problem(str(path), "is not JSON")]) from error
    width = config.get("text_config", config).get("hidden_size", TINY_WIDTH + 1)
    return bool(width <= TINY_WIDTH)
