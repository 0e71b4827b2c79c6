"""What each optimisation of a recipe brings: python -m sft bench (on a GPU; --shape tiny: a CPU).

Each recipe starts with none of them: eager attention, activations kept, every clip decoded for
every batch. They are then switched on in turn, each on top of those before; with `--order off` all
are on, and each is switched off in turn. The first half of the steps warms up, the second is
measured by the meter that every training run has. The row with all on also answers a question.
"""

import gc
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from flex.files import write_text
from sft import machine
from sft.bench_input import Decoding as Undecoded
from sft.bench_input import Shape, random_coach, write_clips
from sft.bench_rows import ORDERS, Switches, settings_of
from sft.build import make_trainer
from sft.data import Dialogues, Prepared, prepare
from sft.fit import fitted
from sft.flops import Shape as Sizes
from sft.flops import peak_flops
from sft.lora import add_lora, trained_weights
from sft.precision import autocast
from sft.recipe import Recipe
from vlm.generate import Conversation, Decoding, generate
from vlm.vision_attention import join_equal_chunks

TOKENS: dict[Shape, int] = {"3b": 1024, "tiny": 192}
NAMES = ("samples_per_s", "tokens_per_s", "mfu_percent", "memory_gib", "data_wait_percent")


@dataclass(frozen=True)
class Measured:
    """One row: readings of the meter by name, or why there are none."""

    recipe: str
    switches: Switches
    tokens: int = 0
    readings: dict[str, float] | None = None
    failed: str = ""
    answer_s: float | None = None


def notes(recipes: dict[str, Recipe], shape: Shape) -> list[str]:
    """Return what must be known to read the table, such as what could not be switched on."""
    found = []
    for name, recipe in recipes.items():
        if recipe.liger and not machine.liger_of(recipe):
            found.append(f"{name} wants liger's kernels; liger-kernel is not installed")
        if recipe.attention == "auto" and machine.attention_of(recipe) == "sdpa":
            found.append(f"{name} takes SDPA, for flash-attention is not installed")
        if recipe.four_bit and not machine.four_bit_of(recipe):
            found.append(f"{name} wants a base in 4 bits; bitsandbytes is not installed")
    if shape == "tiny":
        found.append("GiB is the most that the whole process has held so far")
    return found


def bench(
    recipes: dict[str, Recipe],
    shape: Shape,
    steps: int,
    folder: Path,
    say: Callable[[Measured], object] = lambda _: None,
    order: str = "on",
    left: Callable[[], bool] = lambda: True,
) -> list[Measured]:
    """Measure every recipe with its optimisations switched on in turn.

    Args:
        recipes: name → recipe.
        shape: which model; its weights are random.
        steps: how many optimizer steps are measured, after as many to warm up.
        folder: for clips, caches and what runs leave.
        say: told each row as soon as it is there.
        order: which of `sft.bench_rows.ORDERS`.
        left: tells before each row whether there is time for it.

    Raises:
        InputError: the shape needs a GPU and there is none.
    """
    machine.check_shape(shape)
    turns = {name: list(ORDERS[order](recipe)) for name, recipe in recipes.items()}
    # By columns: where time runs out, every recipe has its first rows.
    rows = [
        (name, turns[name][place])
        for place in range(max(map(len, turns.values())))
        for name in recipes
        if place < len(turns[name])
    ]
    peak = 0.0
    found = []
    for name, switches in rows:
        own = settings_of(recipes[name], switches, shape, steps)
        peak = peak or peak_flops(own.device)
        if left():
            measured = _measure(name, own, switches, shape, folder, peak)
        else:
            measured = Measured(name, switches, failed="no time left")
        found.append(measured)
        say(measured)
    return found


def _measure(
    name: str, recipe: Recipe, switches: Switches, shape: Shape, folder: Path, peak: float
) -> Measured:
    try:
        return _train(name, recipe, switches, shape, folder, peak)
    except (RuntimeError, MemoryError) as error:
        if machine.memory_problem(error, recipe) is None:
            raise
        return Measured(name, switches, failed="out of memory")
    finally:
        _clear()


def _train(
    name: str, recipe: Recipe, switches: Switches, shape: Shape, folder: Path, peak: float
) -> Measured:
    """Train for a few steps and read the meter; with all switches on, answer a question."""
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
    recipe = fitted(
        recipe,
        Sizes.of(coach.model.config),
        prepared.examples,
        trained_weights(model),
        machine.memory_of(recipe.device),
        fused=machine.fused_on(recipe, recipe.device),
    )
    assert recipe.steps
    trainer = make_trainer(recipe, coach, model, prepared, folder, recipe.steps, peak=peak)
    trainer.train_dataset = _dataset(recipe, switches, coach, prepared)
    trainer.args.set_save(strategy="no")
    trainer.train()
    last = [row for row in trainer.state.log_history if "samples_per_s" in row][-1]
    readings = {reading: last[reading] for reading in NAMES if reading in last}
    answer_s = _answer(coach, recipe, prepared) if switches.name == "all" else None
    return Measured(name, switches, prepared.examples[0].length, readings, answer_s=answer_s)


def _answer(coach: Any, recipe: Recipe, prepared: Prepared) -> float:
    """Return the seconds that one answer of 32 tokens to a first question takes."""
    clip = prepared.dataset.clips[0]
    question = [{"role": "user", "content": clip.record.turns[0].question}]
    seen = prepared.dataset[0].vision
    coach.model.eval()
    start = time.perf_counter()
    with autocast(recipe, coach.device):
        generate(coach, [Conversation(seen, question)], Decoding(max_new_tokens=32))
    return time.perf_counter() - start


def _dataset(recipe: Recipe, switches: Switches, coach: Any, prepared: Prepared) -> Any:
    """Return the examples: decoded each time, or from the caches on disk each time."""
    clips = prepared.dataset.clips
    if not switches.frames:
        return Undecoded(clips, recipe, coach.processor)
    if not switches.features:
        return Dialogues(clips, recipe, coach, kept_bytes=0)
    return prepared.dataset


def _clear() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def line(row: Measured) -> str:
    """Return one row in words, for whoever waits."""
    told = {name: round(value, 2) for name, value in (row.readings or {}).items()}
    answer = f", an answer in {row.answer_s:.2f} s" if row.answer_s is not None else ""
    return f"{row.recipe}, {row.switches.name}: {row.failed or told}{answer}"


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
