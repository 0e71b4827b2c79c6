"""The commands of `python -m sft`."""

import tempfile
import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from flex.config import load_config
from sft import machine
from sft.recipe import Recipe

console = Console(highlight=False, soft_wrap=True)

Config = Annotated[Path, typer.Option(help="Recipe: one of configs/sft.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A setting of the recipe, as name=value.")
]
Data = Annotated[Path, typer.Option(help="Data folder with the clips.")]
Dialogues = Annotated[Path, typer.Option(help="Dialogues that `python -m qa_gen` wrote.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the run; the same resumes it.", show_default="runs/sft/RECIPE"),
]
Run = Annotated[Path, typer.Argument(help="Folder of an adapter.")]
Model = Annotated[
    str | None, typer.Option(help="The base: hub id or folder.", show_default="the adapter's")
]
Merged = Annotated[Path, typer.Option(help="Folder to write; must not exist.")]
Configs = Annotated[
    list[Path] | None,
    typer.Option("--config", help="Recipe; may be repeated.", show_default="paper.yaml, best.yaml"),
]
Shape = Annotated[
    Literal["3b", "tiny"], typer.Option(help="3b needs a GPU; tiny runs on a CPU in seconds.")
]
Steps = Annotated[int, typer.Option(min=1, help="Steps measured, after as many to warm up.")]
Order = Annotated[
    Literal["on", "off"],
    typer.Option(help="on: one more optimisation a row; off: all but one a row, and an answer."),
]
Minutes = Annotated[float | None, typer.Option(help="Begin no row after so many minutes.")]
Result = Annotated[Path, typer.Option(help="Where to write the numbers, as JSON.")]

Start = Annotated[
    Path | None,
    typer.Option("--from", help="Adapter to begin with, of the same base, frames and LoRA."),
]

DATA = Path("data/flex-sim")
DIALOGUES = Path("runs/qa/dialogues.jsonl")


def train(
    config: Config,
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = None,
    start: Start = None,
    settings: Settings = None,
) -> None:
    """Tune a coach by a recipe. A run that was stopped or killed goes on with the same command."""
    recipe = load_config(Recipe, config, settings or [])
    from sft.train import train as run  # torch and transformers take seconds to import

    folder = run(recipe, data, dialogues, out or Path("runs/sft") / config.stem, start)
    console.print(f"The adapter lies in {folder}.")


def rehearse(
    config: Config,
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    start: Start = None,
    settings: Settings = None,
) -> None:
    """Run one pass of the longest batch: memory, seconds a step, the end; nothing is kept."""
    recipe = load_config(Recipe, config, settings or [])
    from sft.train import rehearse as run

    run(recipe, data, dialogues, start)


def auto(
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = None,
    start: Start = None,
    settings: Settings = None,
) -> None:
    """Tune a coach by the recipe that suits this machine; says which, and why."""
    config, why = machine.choose(machine.gpus(), machine.ranks())
    console.print(f"Recipe {config}: {why}.")
    train(config, data, dialogues, out, start, settings)


def merge(adapter: Run, out: Merged, model: Model = None) -> None:
    """Write a model with the adapter's weights added in, and prove that its logits agree."""
    from sft.merge import merge as run

    console.print(run(adapter, out, model).text)


def bench(
    configs: Configs = None,
    shape: Shape = "3b",
    steps: Steps = 10,
    order: Order = "on",
    minutes: Minutes = None,
    settings: Settings = None,
    out: Result = Path("runs/sft/bench.json"),
) -> None:
    """Measure what each optimisation of a recipe brings, on a model with random weights."""
    chosen = configs or [machine.CONFIGS / "paper.yaml", machine.CONFIGS / "best.yaml"]
    recipes = {path.stem: load_config(Recipe, path, settings or []) for path in chosen}
    machine.check_shape(shape)
    from flex.cli import err
    from sft import bench as run

    end = None if minutes is None else time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        rows = run.bench(
            recipes,
            shape,
            steps,
            Path(folder),
            lambda row: err.print(run.line(row), markup=False),
            order,
            lambda: end is None or time.monotonic() < end,
        )
    console.print(run.table(rows))
    for note in run.notes(recipes, shape):
        console.print(note)
    run.write(rows, shape, out)
    console.print(f"Written to {out}.")
