"""A batch on its way to a GPU, as far as a CPU allows: pinned by the real loader, then moved.

The accelerator is pretended and pinning does nothing; loader, pin thread, workers and the function
that moves batches are the libraries' own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import PartialState
from accelerate.utils import send_to_device
from small import Small

from sft.recipe import Recipe
from sft.trainer import training_arguments
from vlm.features import with_encoder_outputs

TrainerOf = Callable[[Recipe], Any]


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Pretend that there is an accelerator; return the tensors that the loader pins."""
    found: list[torch.Tensor] = []

    def pin(self: torch.Tensor, *_: Any) -> torch.Tensor:
        found.append(self)
        return self

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda *_, **__: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "current_device_index", lambda: 0)
    monkeypatch.setattr(torch.accelerator, "set_device_index", lambda *_: None)
    return found


def leaves(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of a batch; anything else in it is an error."""
    if isinstance(value, torch.Tensor):
        yield value
        return
    assert type(value) in (dict, list), type(value)
    for one in value.values() if isinstance(value, dict) else value:
        yield from leaves(one)


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("cached", [True, False])
def test_the_real_loader_pins_every_tensor_of_a_batch(
    small: Small, trainer_of: TrainerOf, pinned: list[torch.Tensor], cached: bool, workers: int
) -> None:
    changes = {} if cached else {"feature_cache": None}
    trainer = trainer_of(small.recipe(workers=workers, **changes))
    trainer.args.dataloader_pin_memory = True
    batch = next(iter(trainer.get_train_dataloader()))
    kept = {id(tensor) for tensor in pinned}
    tensors = list(leaves(batch))
    assert len(tensors) >= 8
    assert all(id(tensor) in kept for tensor in tensors)
    assert ("video_features" in batch) == cached
    assert torch.isfinite(trainer.training_step(trainer.model, batch))


def test_every_tensor_of_a_batch_is_moved_to_the_device(
    small: Small, trainer_of: TrainerOf
) -> None:
    trainer = trainer_of(small.recipe())
    batch = trainer.data_collator([trainer.train_dataset[0], trainer.train_dataset[1]])
    moved = send_to_device(batch, torch.device("meta"), non_blocking=True)
    assert {tensor.device.type for tensor in leaves(moved)} == {"meta"}
    seen = with_encoder_outputs(moved)["mm_encoder_outputs"]["video"].pooler_output
    assert [video.shape for video in seen] == [video.shape for video in batch["video_features"]]
    assert all(video.device.type == "meta" for video in seen)


def test_one_process_tunes_on_one_gpu_however_many_it_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    PartialState._reset_state()
    try:
        arguments = training_arguments(Recipe(model="m", batch=2), tmp_path, 1, cpu=False)
        assert arguments.device.type == "cuda"
        assert arguments.n_gpu == 1
        assert arguments.train_batch_size == 2
        assert arguments.dataloader_pin_memory
        assert arguments.accelerator_config.non_blocking
    finally:
        PartialState._reset_state()
