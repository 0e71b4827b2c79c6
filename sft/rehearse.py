"""A rehearsal: one pass of the longest batch before a run trains, to find out now what fails later.

It runs on every rank, where the first step would, with the model as the trainer has wrapped it. It
leaves no trace: no step is taken, gradients are dropped, and random numbers go on as if it had not
been, so that a run is the same to the last bit with it and without.
"""

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import torch
from accelerate.utils import send_to_device
from transformers import TrainerCallback

from flex.cli import err
from sft.data import Prepared, feature_folder
from sft.flops import Shape, step_flops
from sft.meter import most_held
from sft.recipe import Recipe

# A run of fewer passes is over before its rehearsal would have paid.
LEAST_PASSES = 100


class Rehearsed(Exception):  # noqa: N818 - it ends a run that was only to be rehearsed
    """The rehearsal is done and was all that was asked for."""


@dataclass(frozen=True)
class Reading:
    """What a rehearsal measured.

    Attributes:
        dialogues: size of the longest batch.
        tokens: its length in tokens.
        held_bytes: the most that a rank held, Adam's moments counted in.
        pass_s: seconds of one forward and backward pass.
        step_s: expected seconds of a mean optimizer step.
        steps: optimizer steps to go.
    """

    dialogues: int
    tokens: int
    held_bytes: float
    pass_s: float
    step_s: float
    steps: int

    def text(self, now: datetime) -> str:
        """Return the reading in words, with the time of the end."""
        left = timedelta(seconds=round(self.steps * self.step_s))
        return (
            f"rehearsal of the longest batch, {self.dialogues} dialogues of {self.tokens:,} "
            f"tokens: {self.held_bytes / 2**30:.1f} GiB, {self.pass_s:.2f} s; about "
            f"{self.step_s:.2f} s a step, {self.steps:,} steps end in {left}, "
            f"at {now + left:%H:%M on %Y-%m-%d}"
        )


class Rehearsal(TrainerCallback):  # type: ignore[misc]
    """Rehearses when the trainer has wrapped the model and before it takes a step."""

    def __init__(self, trainer: Any, recipe: Recipe, prepared: Prepared, *, only: bool) -> None:
        """Take what to rehearse; `only`: nothing follows, `Rehearsed` is raised."""
        self.trainer = trainer
        self.recipe = recipe
        self.prepared = prepared
        self.only = only

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Rehearse, unless the recipe or a short run forbids, and say what was measured."""
        left = state.max_steps - state.global_step
        if not self.only and not wanted(self.recipe, left):
            return
        reading = measure(self.trainer, self.recipe, self.prepared, left)
        if state.is_world_process_zero:
            err.print(reading.text(datetime.now()), markup=False)
        if self.only:
            raise Rehearsed


def wanted(recipe: Recipe, steps: int) -> bool:
    """Tell whether a run with so many steps to go is rehearsed."""
    if recipe.rehearsal == "auto":
        return steps * recipe.accumulate >= LEAST_PASSES
    return recipe.rehearsal == "always"


def measure(trainer: Any, recipe: Recipe, prepared: Prepared, steps: int) -> Reading:
    """Run one forward and backward pass of the longest batch and take back what it changed.

    On a GPU it runs twice, and the second counts: the first one loads kernels.
    """
    lengths = [example.length for example in prepared.examples]
    worst = sorted(range(len(lengths)), key=lambda index: -lengths[index])[: recipe.batch]
    batch = trainer.data_collator([prepared.dataset[index] for index in worst])
    learnt = sum(prepared.examples[index].learnt for index in worst)
    with _no_trace(trainer):
        for _ in range(2 if torch.cuda.is_available() else 1):
            moved = send_to_device(batch, trainer.args.device)
            start = time.perf_counter()
            trainer.training_step(trainer.model_wrapped, moved, torch.tensor(learnt))
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            pass_s = time.perf_counter() - start
            trainer.model.zero_grad(set_to_none=True)
        held = torch.tensor(float(most_held() + _moments(trainer)), device=trainer.args.device)
        held = trainer.accelerator.gather(held).max()
    whole = _flops(trainer.meter.shape, recipe, prepared, range(len(lengths))) / len(lengths)
    share = len(worst) * whole / _flops(trainer.meter.shape, recipe, prepared, worst)
    step_s = pass_s * share * recipe.accumulate
    return Reading(len(worst), lengths[worst[0]], float(held), pass_s, step_s, steps)


@contextlib.contextmanager
def _no_trace(trainer: Any) -> Iterator[None]:
    """Put back random numbers, the meter and the GPU's record of the most it held."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    plain, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            random.setstate(plain)
            np.random.set_state(arrays)
            trainer.meter.restart()
    if devices:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _moments(trainer: Any) -> int:
    """Return the bytes that Adam's moments will take on this rank after the first step."""
    taken = (p for p in trainer.model.parameters() if p.requires_grad)
    local = (p.to_local() if hasattr(p, "to_local") else p for p in taken)
    return 2 * sum(int(weight.nbytes) for weight in local)


def _flops(shape: Shape, recipe: Recipe, prepared: Prepared, indices: Any) -> float:
    chosen = [prepared.examples[index] for index in indices]
    return step_flops(
        shape,
        [example.length for example in chosen],
        sum(example.learnt for example in chosen),
        sum(example.video_tokens for example in chosen),
        vision_tuned=recipe.scope != "llm",
        vision_cached=feature_folder(recipe) is not None,
    )
