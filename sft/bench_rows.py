"""The rows of a benchmark: a recipe's optimisations, switched on or off in turn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sft import machine
from sft.bench_input import Shape
from sft.recipe import Recipe

_TINY = {
    "device": "cpu",
    "dtype": "float32",
    "frames": 4,
    "pixels": 56 * 56,
    "workers": 0,
    "batch": 2,
    "accumulate": 1,
}


@dataclass(frozen=True)
class Switches:
    """Which optimisations are on; `name` is the one that was switched last.

    `fit` leaves checkpointing and batch to the memory of the GPU.
    """

    name: str = "none"
    attention: str = "eager"
    checkpointing: bool = False
    frames: bool = False
    joined: bool = False
    features: bool = False
    liger: bool = False
    fit: bool = False


def in_turn(recipe: Recipe) -> Iterator[Switches]:
    """Yield a recipe's switches, each on top of those before; what it does not use is left out."""
    now = Switches()
    yield now
    for name, changes in _used(recipe):
        now = replace(now, name=name, **changes)
        yield now


def off_in_turn(recipe: Recipe) -> Iterator[Switches]:
    """Yield a recipe's switches: all on, fitted to the GPU, then each of them off, the others on.

    Checkpointing is forced on in one row and off in another: it saves memory and costs time.
    """
    used = [(name, changes) for name, changes in _used(recipe) if name != "checkpointing"]
    on = Switches("all", fit=True)
    for _, changes in used:
        on = replace(on, **changes)
    yield on
    plain = Switches()
    for name, changes in used:
        off = {field: getattr(plain, field) for field in changes}
        if "frames" in off:  # without frames on disk there are no features either
            off["features"] = False
        yield replace(on, name=f"without {name}", **off)
    for checkpointing in (False, True):
        name = f"{'with' if checkpointing else 'without'} checkpointing"
        yield replace(on, name=name, fit=False, checkpointing=checkpointing)


def _used(recipe: Recipe) -> Iterator[tuple[str, dict[str, Any]]]:
    attention = machine.attention_of(recipe)
    steps: list[tuple[str, bool, dict[str, Any]]] = [
        ("checkpointing", recipe.checkpointing or recipe.fit == "auto", {"checkpointing": True}),
        (attention, attention != "eager", {"attention": attention}),
        ("frame cache", True, {"frames": True}),
        ("joined chunks", attention == "sdpa", {"joined": True}),
        (
            "feature cache",
            recipe.scope == "llm" and recipe.feature_cache is not None,
            {"features": True},
        ),
        ("liger", machine.liger_of(recipe), {"liger": True}),
    ]
    for name, used, changes in steps:
        if used:
            yield name, changes


ORDERS: dict[str, Callable[[Recipe], Iterator[Switches]]] = {"on": in_turn, "off": off_in_turn}


def settings_of(recipe: Recipe, switches: Switches, shape: Shape, steps: int) -> Recipe:
    """Return the recipe with only these optimisations on, for twice `steps` steps."""
    changes = {
        "checkpointing": switches.checkpointing,
        "attention": switches.attention,
        "liger": switches.liger,
        "steps": 2 * steps,
        "log_every": steps,
        "fit": "auto" if switches.fit else "fixed",
        "rehearsal": "never",
        "save_every": 2 * steps,
        "four_bit": machine.four_bit_of(recipe),
        **(_TINY if shape == "tiny" else {"device": "cuda"}),
    }
    if not switches.features:
        changes["feature_cache"] = None
    return recipe.model_copy(update=changes)
