"""A run keeps its recipe in its folder, so that a resumed run can prove that it is the same one."""

from collections.abc import Collection
from pathlib import Path

import yaml
from pydantic import BaseModel

from flex.files import write_text
from flex.problems import InputError, Problem

RECIPE_FILE = "recipe.yaml"


def keep_recipe(recipe: BaseModel, run: Path) -> None:
    """Write the recipe into the run's folder."""
    write_text(run / RECIPE_FILE, yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False))


def check_recipe(recipe: BaseModel, run: Path, free: Collection[str]) -> None:
    """See that the run in a folder, if there is one, is of this recipe.

    Args:
        recipe: what is to be run.
        run: the folder.
        free: settings that may differ.

    Raises:
        InputError: it is of another recipe; every differing setting is named.
    """
    path = run / RECIPE_FILE
    if not path.is_file():
        return
    # What a recipe of an earlier version lacks had the value that is the default now.
    known = type(recipe).model_construct().model_dump(mode="json", warnings=False)
    before = known | yaml.safe_load(path.read_text(encoding="utf-8"))
    differing = [
        Problem(str(path), f"{name} was {before.get(name)!r} in this run and is {value!r} now")
        for name, value in recipe.model_dump(mode="json").items()
        if name not in free and before.get(name) != value
    ]
    if differing:
        hint = "name another folder for another recipe, or remove this one"
        raise InputError([*differing, Problem("--out", hint)])
