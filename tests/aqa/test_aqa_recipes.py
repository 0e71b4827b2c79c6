"""The recipes: all load, the paper's are to the letter, misfits are told."""

from pathlib import Path
from typing import Any

import pytest

from aqa.build import build_core
from aqa.options import PAPER_STARTS
from aqa.recipe import Recipe
from flex.config import load_config
from flex.problems import InputError
from flex.recipes import check_recipe, keep_recipe
from learn.recipe import FREE

CONFIGS = Path(__file__).parents[2] / "configs" / "aqa"
PAPER = sorted((CONFIGS / "paper").glob("*.yaml"))
OURS = sorted(CONFIGS.glob("*.yaml"))


def test_there_are_all_variants() -> None:
    names = ["graph", "mv", "mv_pose", "mv_pose_emg", "sv"]
    assert [path.stem for path in OURS] == names
    assert [path.stem for path in PAPER] == names[1:]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_ours_suit_a_cpu_and_mirror_everything(path: Path) -> None:
    recipe = load_config(Recipe, path)
    assert recipe.backbone == "small_cnn"
    assert (recipe.flip, recipe.framing, recipe.split) == ("together", "whole", "subject")
    assert recipe.ranges == "train"
    assert not recipe.end_to_end


@pytest.mark.parametrize(
    ("name", "width"), [("sv", 1024), ("mv", 2048), ("mv_pose", 2304), ("mv_pose_emg", 2306)]
)
def test_the_papers_recipes_have_its_widths_and_settings(name: str, width: int) -> None:
    recipe = load_config(Recipe, CONFIGS / "paper" / f"{name}.yaml")
    assert recipe.layout.width == width
    assert build_core(recipe).tree.first.in_features == 2 * width + 1
    assert recipe.starts == PAPER_STARTS
    assert (recipe.epochs, recipe.voters, recipe.depth) == (200, 3, 5)
    assert (recipe.lr, recipe.tune_lr, recipe.weight_decay) == (1e-3, 1e-4, 0)
    assert recipe.models == "per_action"
    assert recipe.end_to_end


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frames": 50}, "frames .50. is less than the 102 that starts need"),
        ({"test_views": ("View-3", "View-4")}, "test_views must name 1 views"),
        ({"framing": "released", "size": 96}, "framing released has a size of 224"),
        ({"views": ()}, "no stream is left"),
    ],
)
def test_misfits_are_told(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe.model_validate(settings)


def test_a_kept_recipe_knows_what_may_change(tmp_path: Path) -> None:
    keep_recipe(Recipe(), tmp_path)
    check_recipe(Recipe(workers=7, cache=tmp_path), tmp_path, FREE)
    with pytest.raises(InputError, match="voters was 3 in this run and is 5 now"):
        check_recipe(Recipe(voters=5), tmp_path, FREE)


def test_transforms_tell_what_changes_each_kind() -> None:
    plain, larger = Recipe(), Recipe(size=112)
    assert plain.transform("view") != larger.transform("view")
    assert plain.transform("pose") == larger.transform("pose")
    assert plain.transform("semg") != Recipe(peaks="raw").transform("semg")
    assert plain.transform("view") == Recipe(epochs=3, lr=1, starts=(0, 8)).transform("view")
