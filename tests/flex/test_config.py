"""Recipes: YAML fills, the command line wins, an unknown key names the nearest."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from flex.config import load_config
from flex.problems import InputError


class Recipe(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    rate: float = 0.1
    name: str = "x"


def test_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("seed: 1\nname: small\n")
    recipe = load_config(Recipe, path, ["seed=2", "rate=1e-3"])
    assert recipe == Recipe(seed=2, rate=1e-3, name="small")
    assert load_config(Recipe) == Recipe()


def test_all_problems_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("sed: 1\nrate: fast\n")
    with pytest.raises(InputError) as caught:
        load_config(Recipe, path, ["nam=3"])
    places = {p.place.rpartition("/")[2]: p.message for p in caught.value.problems}
    assert places["recipe.yaml:1"] == "unknown key 'sed' (did you mean seed?)"
    assert "'fast'" in places["recipe.yaml:2"]
    assert places["--set nam"] == "unknown key 'nam' (did you mean name?)"


def test_a_setting_without_a_value() -> None:
    with pytest.raises(InputError, match="name=value"):
        load_config(Recipe, None, ["seed"])
