"""`python -m aqa features`: fills the cache of features by many workers."""

from typing import Annotated

import typer

from aqa.commands import DATA, Config, Settings, console
from aqa.recipe import Recipe
from engine.options import DataFolder, Jobs, Ray, Retry
from engine.where import Engine
from flex.cli import err
from flex.config import load_config


def features(
    config: Config,
    data: DataFolder = DATA,
    jobs: Jobs = None,
    ray: Ray = None,
    gpus: Annotated[float, typer.Option(help="GPUs of each worker; 0: on processors.")] = 0,
    retry: Retry = False,
    settings: Settings = None,
) -> None:
    """Compute the backbones' features of all clips ahead of a training, by many workers.

    `python -m aqa train` with the same recipe then finds them in its cache.

        python -m aqa features --config configs/aqa/paper/mv.yaml --data ROOT --ray auto --gpus 1
    """
    recipe = load_config(Recipe, config, settings or [])
    from aqa.feature_workers import fill_features  # torch takes seconds to import

    outcome = fill_features(recipe, data, where=Engine(jobs=jobs, ray=ray, retry=retry), gpus=gpus)
    console.print(f"{outcome.done} batches computed; the features lie in {recipe.cache}/features.")
    for row in outcome.quarantined:
        err.print(f"left out: {row.reason}", markup=False)
