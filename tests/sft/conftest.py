import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import small as small_module

from sft.build import make_trainer, steps_of
from sft.data import clips_of, prepare
from sft.lora import add_lora
from sft.recipe import Recipe
from vlm.model import load_coach


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> small_module.Small:
    return small_module.build(tmp_path_factory.mktemp("sft"))


@pytest.fixture
def trainer_of(small: small_module.Small, tmp_path: Path) -> Callable[[Recipe], Any]:
    def make(recipe: Recipe) -> Any:
        import torch

        coach = load_coach(recipe.model, sampler=recipe.sampler, dtype=recipe.dtype, device="cpu")
        coach.model.requires_grad_(False)
        prepared = prepare(recipe, coach, clips_of(recipe, small.data, small.dialogues))
        torch.manual_seed(0)
        model = add_lora(coach.model, recipe)
        steps = steps_of(recipe, len(prepared.examples), 1)
        return make_trainer(recipe, coach, model, prepared, tmp_path / "run", steps)

    return make
