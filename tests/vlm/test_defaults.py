"""Which frames a model sees that has no card (row M7)."""

import json
from pathlib import Path

import pytest

from flex.config import load_config
from flex.video import Sampler
from sft.recipe import Recipe
from vlm.card import CoachCard
from vlm.defaults import RECIPE, find_sampler, recipe_sampler
from vlm.model import load_coach
from vlm.tiny import build_model, build_processor


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is as wide as no tiny coach is, of one layer."""
    folder = tmp_path_factory.mktemp("wide")
    processor = build_processor(["Hello."], 300)
    build_model(processor.tokenizer, hidden=576, layers=1).save_pretrained(folder)
    processor.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["tokens_per_second"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_the_default_is_what_the_recipe_shows() -> None:
    assert recipe_sampler() == load_config(Recipe, RECIPE).sampler
    assert recipe_sampler() == Sampler(frames=16, pixels=224 * 224)


def test_a_released_model_sees_what_its_recipe_shows(wide: Path) -> None:
    coach = load_coach(wide, device="cpu")
    assert coach.sampler == find_sampler(str(wide), None) == recipe_sampler()
    assert coach.rate == 2
    assert coach.card().words_follow == "video"


def test_a_tiny_coach_sees_what_it_has_learnt_from(coach_folder: Path) -> None:
    coach = load_coach(coach_folder, device="cpu")
    assert coach.sampler == find_sampler(str(coach_folder), None) == Sampler()
    assert coach.card().words_follow == "frame"


def test_a_served_adapter_needs_its_card_only(tmp_path: Path) -> None:
    CoachCard(sampler=Sampler(frames=8)).write(tmp_path)
    assert find_sampler(None, tmp_path) == Sampler(frames=8)
    assert find_sampler(None, None) == recipe_sampler()
