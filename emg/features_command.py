"""`python -m emg features`: fills the cache of features by many workers."""

from pathlib import Path
from typing import Annotated

import typer

from emg.commands import DATA, console
from emg.recipe import Recipe
from engine.options import DataFolder, Jobs, Ray, Retry
from engine.where import Engine
from flex.cli import err
from flex.config import load_config


def features(
    config: Annotated[Path, typer.Option(help="Recipe: one of configs/emg.")],
    data: DataFolder = DATA,
    jobs: Jobs = None,
    ray: Ray = None,
    gpus: Annotated[float, typer.Option(help="GPUs of each worker; 0: on processors.")] = 0,
    retry: Retry = False,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]…", help="Settings of the recipe, such as size=112."),
    ] = None,
) -> None:
    """Compute the features of all clips' frames ahead of a training, by many workers.

    `python -m emg train` with the same recipe then finds them in its cache.

        python -m emg features --config configs/emg/paper.yaml --data ROOT --ray auto --gpus 1
    """
    recipe = load_config(Recipe, config, settings or [])
    from emg.feature_workers import fill_features  # torch takes seconds to import

    outcome = fill_features(recipe, data, where=Engine(jobs=jobs, ray=ray, retry=retry), gpus=gpus)
    console.print(f"{outcome.done} views computed; the features lie in {recipe.cache}/features.")
    for row in outcome.quarantined:
        err.print(f"left out: {row.reason}", markup=False)
