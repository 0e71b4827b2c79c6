"""What each optimisation of a recipe brings: python -m sft bench (on a GPU; --shape tiny: a CPU).

Each recipe starts with none of them: eager attention, activations kept, every clip decoded for
every batch. They are then switched on in turn, each on top of those before. The first half of the
steps warms up, the second is measured by the meter that every training run has.
"""

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.table import Table

from flex.files import write_text
from sft import machine
from sft.bench_input import Decoding, Shape, random_coach, write_clips
from sft.build import make_trainer
from sft.data import Dialogues, Prepared, prepare
from sft.flops import peak_flops
from sft.lora import add_lora
from sft.recipe import Recipe
from vlm.vision_attention import join_equal_chunks

_TINY = {
    "device": "cpu",
    "dtype": "float32",
    "frames": 4,
    "pixels": 56 * 56,
    "workers": 0,
    "batch": 2,
    "accumulate": 1,
}
TOKENS: dict[Shape, int] = {"3b": 1024, "tiny": 192}
NAMES = ("samples_per_s", "tokens_per_s", "mfu_percent", "memory_gib", "data_wait_percent")


@dataclass(frozen=True)
class Switches:
    """Which optimisations are on; `name` is the last one switched on."""

    name: str = "none"
    attention: str = "eager"
    checkpointing: bool = False
    frames: bool = False
    joined: bool = False
    features: bool = False
    liger: bool = False


@dataclass(frozen=True)
class Measured:
    """One row: readings of the meter by name, or why there are none."""

    recipe: str
    switches: Switches
    tokens: int = 0
    readings: dict[str, float] | None = None
    failed: str = ""


def in_turn(recipe: Recipe) -> Iterator[Switches]:
    """Yield a recipe's switches, each on top of those before; what it does not use is left out.

    Liger is last: its kernels replace those of transformers for the rest of the process.
    """
    now = Switches()
    yield now
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
            now = replace(now, name=name, **changes)
            yield now


def count(recipe: Recipe) -> int:
    """Return how many rows a recipe has."""
    return len(list(in_turn(recipe)))


def notes(recipes: dict[str, Recipe], shape: Shape) -> list[str]:
    """Return what must be known to read the table, such as what could not be switched on."""
    found = []
    for name, recipe in recipes.items():
        if recipe.liger and not machine.liger_of(recipe):
            found.append(f"{name} wants liger's kernels; liger-kernel is not installed")
        if recipe.attention == "auto" and machine.attention_of(recipe) == "sdpa":
            found.append(f"{name} takes SDPA, for flash-attention is not installed")
    if shape == "tiny":
        found.append("GiB is the most that the whole process has held so far")
    return found


def settings_of(recipe: Recipe, switches: Switches, shape: Shape, steps: int) -> Recipe:
    """Return the recipe with only these optimisations on, for twice `steps` steps."""
    changes = {
        "checkpointing": switches.checkpointing,
        "attention": switches.attention,
        "liger": switches.liger,
        "steps": 2 * steps,
        "log_every": steps,
        "fit": "fixed",
        "rehearsal": "never",
        "save_every": 2 * steps,
        **(_TINY if shape == "tiny" else {"device": "cuda"}),
    }
    if not switches.features:
        changes["feature_cache"] = None
    return recipe.model_copy(update=changes)


def bench(
    recipes: dict[str, Recipe],
    shape: Shape,
    steps: int,
    folder: Path,
    say: Callable[[Measured], object] = lambda _: None,
) -> list[Measured]:
    """Measure every recipe with its optimisations switched on in turn.

    Args:
        recipes: name → recipe.
        shape: which model; its weights are random.
        steps: how many optimizer steps are measured, after as many to warm up.
        folder: for clips, caches and what runs leave.
        say: told each row as soon as it is there.

    Raises:
        InputError: the shape needs a GPU and there is none.
    """
    machine.check_shape(shape)
    rows = [(name, recipe, one) for name, recipe in recipes.items() for one in in_turn(recipe)]
    peak = 0.0
    found = []
    for name, recipe, switches in sorted(rows, key=lambda row: row[2].liger):
        own = settings_of(recipe, switches, shape, steps)
        peak = peak or peak_flops(own.device)
        measured = _measure(name, own, switches, shape, folder, peak)
        found.append(measured)
        say(measured)
    return found


def _measure(
    name: str, recipe: Recipe, switches: Switches, shape: Shape, folder: Path, peak: float
) -> Measured:
    try:
        tokens, readings = _train(recipe, switches, shape, folder, peak)
    except (RuntimeError, MemoryError) as error:
        if machine.memory_problem(error, recipe) is None:
            raise
        return Measured(name, switches, failed="out of memory")
    finally:
        _clear()
    return Measured(name, switches, tokens, readings)


def _train(
    recipe: Recipe, switches: Switches, shape: Shape, folder: Path, peak: float
) -> tuple[int, dict[str, float]]:
    """Train for a few steps; return the tokens of a dialogue and the last readings."""
    coach = random_coach(shape, recipe, recipe.device, switches.attention)
    recipe = recipe.model_copy(
        update={
            "frame_cache": folder / "frames",
            "feature_cache": recipe.feature_cache and folder / "features",
        }
    )
    if switches.joined:
        join_equal_chunks(coach.model)
    count = 4 * recipe.batch * recipe.accumulate
    clips = write_clips(folder / "clips", count, TOKENS[shape], recipe, coach.processor)
    prepared = prepare(recipe, coach, clips)
    model = add_lora(coach.model, recipe)
    assert recipe.steps
    trainer = make_trainer(recipe, coach, model, prepared, folder, recipe.steps, peak=peak)
    trainer.train_dataset = _dataset(recipe, switches, coach, prepared)
    trainer.args.set_save(strategy="no")
    trainer.train()
    last = [row for row in trainer.state.log_history if "samples_per_s" in row][-1]
    return prepared.examples[0].length, {name: last[name] for name in NAMES if name in last}


def _dataset(recipe: Recipe, switches: Switches, coach: Any, prepared: Prepared) -> Any:
    """Return the examples: decoded each time, or from the caches on disk each time."""
    clips = prepared.dataset.clips
    if not switches.frames:
        return Decoding(clips, recipe, coach.processor)
    if not switches.features:
        return Dialogues(clips, recipe, coach, kept_bytes=0)
    return prepared.dataset


def _clear() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def table(rows: Sequence[Measured]) -> Table:
    """Return the rows as a table, with the gain of each switch over the row before."""
    shown = Table(
        "recipe", "switched on", "samples/s", "gain", "tokens/s", "MFU %", "GiB", "waits %"
    )
    before: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: row.recipe):
        if row.readings is None:
            shown.add_row(row.recipe, row.switches.name, row.failed)
            continue
        values = {name: row.readings.get(name, float("nan")) for name in NAMES}
        speed = values["samples_per_s"]
        gain = f"× {speed / before[row.recipe]:.2f}" if row.recipe in before else ""
        before[row.recipe] = speed
        shown.add_row(
            row.recipe,
            row.switches.name,
            f"{speed:.2f}",
            gain,
            f"{values['tokens_per_s']:.0f}",
            f"{values['mfu_percent']:.1f}",
            f"{values['memory_gib']:.1f}",
            f"{values['data_wait_percent']:.1f}",
        )
    return shown


def write(rows: Sequence[Measured], shape: Shape, path: Path) -> None:
    """Write the rows as JSON, with the device that they were measured on."""
    device = "CPU" if shape == "tiny" else machine.gpus()[0].name
    result = {"shape": shape, "device": device, "rows": [asdict(row) for row in rows]}
    write_text(path, json.dumps(result, indent=2) + "\n")
