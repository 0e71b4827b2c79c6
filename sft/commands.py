"""The commands of `python -m sft`."""

from pathlib import Path
from typing import Annotated

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

DATA = Path("data/flex-sim")
DIALOGUES = Path("runs/qa/dialogues.jsonl")


def train(
    config: Config,
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = None,
    settings: Settings = None,
) -> None:
    """Tune a coach by a recipe. A run that was stopped or killed goes on with the same command."""
    recipe = load_config(Recipe, config, settings or [])
    from sft.train import train as run  # torch and transformers take seconds to import

    folder = run(recipe, data, dialogues, out or Path("runs/sft") / config.stem)
    console.print(f"The adapter lies in {folder}.")


def auto(
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = None,
    settings: Settings = None,
) -> None:
    """Tune a coach by the recipe that suits this machine; says which, and why."""
    config, why = machine.choose(machine.gpus())
    console.print(f"Recipe {config}: {why}.")
    train(config, data, dialogues, out, settings)


def merge(adapter: Run, out: Merged, model: Model = None) -> None:
    """Write a model with the adapter's weights added in, and prove that its logits agree."""
    from sft.merge import merge as run

    console.print(run(adapter, out, model).text)
