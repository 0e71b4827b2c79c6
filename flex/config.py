"""Recipes: a frozen pydantic model filled from YAML, where `--set name=value` wins.

An unknown key is an error that names the nearest valid one.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from flex.problems import InputError, Loc, Problem, problems_of
from flex.yaml_places import PlacedYaml, read_yaml

Config = TypeVar("Config", bound=BaseModel)


def load_config(
    model: type[Config], path: Path | None = None, settings: Iterable[str] = ()
) -> Config:
    """Return a `model` filled from the YAML file and then from settings such as "seed=3".

    Raises:
        InputError: every unknown key and wrong value, with its line in the file.
    """
    placed = read_yaml(path) if path else PlacedYaml(Path("defaults"), {}, {})
    data: Any = placed.data if placed.data is not None else {}
    if not isinstance(data, dict):
        raise InputError([Problem(str(placed.path), "expected a mapping of settings")])
    given: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError([Problem(setting, "expected a setting such as name=value")])
        given[key.strip()] = yaml.safe_load(value)

    def place(loc: Loc) -> str:
        return f"--set {loc[0]}" if loc and loc[0] in given else placed.place(loc)

    try:
        return model.model_validate({**data, **given})
    except ValidationError as error:
        raise InputError(problems_of(error, place, sorted(model.model_fields))) from error
