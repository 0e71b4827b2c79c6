"""One training run, from recipe to adapter: python -m sft train --config configs/sft/tiny.yaml.

The folder of a run holds recipe.yaml, metrics.jsonl, tensorboard/, checkpoints/ and, at the end,
the adapter. The same command resumes a run that was stopped or killed, to the same result.
"""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex.cli import err
from flex.recipes import check_recipe, keep_recipe
from sft import machine
from sft.adapter import Provenance, keep_origin, save_adapter
from sft.build import CHECKPOINTS, make_trainer, steps_of
from sft.checkpoints import cut_log, last_complete, step_of
from sft.data import Prepared, clips_of
from sft.fit import fitted, keep_fit, kept_fit
from sft.flops import Shape, peak_flops
from sft.lora import add_lora, describe, go_on, trained_weights
from sft.recipe import FREE, Recipe
from sft.rehearse import Rehearsal, Rehearsed
from sft.start import keep_broken, prepare_together, rate_of, tell
from sft.trainer import CoachTrainer
from sft.watch import METRICS_FILE, Watch
from vlm.fingerprint import weights_fingerprint
from vlm.model import Coach, load_coach


@dataclass(frozen=True)
class Set:
    """A run that can begin: its recipe as fitted to the machine, and all that it works with."""

    recipe: Recipe
    coach: Coach
    prepared: Prepared
    trainer: CoachTrainer
    modules: str
    ranks: Any
    start: str


def train(
    recipe: Recipe, data: Path, dialogues: Path, run: Path, start: Path | None = None
) -> Path:
    """Tune a coach, or go on where the run was, and return the folder with the adapter.

    Args:
        recipe: what to tune and how.
        data: folder with the clips.
        dialogues: what is learnt.
        run: folder of the run.
        start: an adapter to begin with, instead of a fresh one.

    Raises:
        InputError: the machine, the model, the data or the recipe do not suit; memory ran out.
    """
    with machine.memory_told(recipe):
        ready = _get_set(recipe, data, dialogues, run, start)
        _keep(ready, run, _run(ready, run))
    return run


def rehearse(recipe: Recipe, data: Path, dialogues: Path, start: Path | None = None) -> None:
    """Do what a run does up to its first step, and one pass of its longest batch; keep nothing.

    Raises:
        InputError: as `train`.
    """
    with machine.memory_told(recipe), tempfile.TemporaryDirectory() as folder:
        ready = _get_set(recipe, data, dialogues, Path(folder), start)
        with suppress(Rehearsed):
            _run(ready, Path(folder), rehearse_only=True)


def _get_set(recipe: Recipe, data: Path, dialogues: Path, run: Path, start: Path | None) -> Set:
    from accelerate import PartialState
    from transformers import set_seed

    device = machine.device_of(recipe)
    ranks = PartialState(cpu=device == "cpu")
    check_recipe(recipe, run, FREE)
    clips = clips_of(recipe, data, dialogues)
    coach = load_coach(
        recipe.model,
        start,
        sampler=recipe.sampler,
        dtype=recipe.dtype,
        device="cpu" if device == "cpu" else str(ranks.device),
        attention=machine.attention_of(recipe, device),
        four_bit=recipe.four_bit,
    )
    coach.rate = rate_of(recipe, coach, start)
    coach.model.requires_grad_(False)
    prepared = prepare_together(recipe, coach, clips, run, ranks)
    set_seed(recipe.seed)
    model = add_lora(coach.model, recipe) if start is None else go_on(coach.model, recipe, start)
    begun = "" if start is None else f"{start} ({weights_fingerprint(start)})"
    if ranks.is_main_process:
        keep_origin(run, prepared.fingerprint, coach.base, ranks.num_processes, begun)
        keep_recipe(recipe, run)
    recipe = _fit(recipe, coach, model, prepared, run, device, ranks)
    return _build(recipe, coach, model, prepared, run, device, ranks, begun)


def _fit(
    recipe: Recipe, coach: Coach, model: Any, prepared: Prepared, run: Path, device: str, ranks: Any
) -> Recipe:
    """Return the recipe as this run's GPUs take it, the same on every rank and when resumed."""
    fitted_before = kept_fit(recipe, run)
    ranks.wait_for_everyone()
    if fitted_before is not None:
        return fitted_before
    chosen = fitted(
        recipe,
        Shape.of(coach.plain.config),
        prepared.examples,
        trained_weights(model),
        machine.memory_of(device),
        fused=machine.fused_on(recipe, device),
    )
    if ranks.is_main_process:
        keep_fit(chosen, run)
    return chosen


def _build(
    recipe: Recipe,
    coach: Coach,
    model: Any,
    prepared: Prepared,
    run: Path,
    device: str,
    ranks: Any,
    begun: str,
) -> Set:
    """Make the trainer, and say what it is about to do."""
    count = ranks.num_processes
    steps = steps_of(recipe, len(prepared.examples), count)
    peak = peak_flops(device)
    modules = describe(model, recipe.scope)
    if ranks.is_main_process:
        tell(
            prepared,
            recipe,
            Shape.of(coach.plain.config),
            steps=steps,
            ranks=count,
            trained=trained_weights(model),
            peak=peak,
            fused=machine.fused_on(recipe, device),
        )
        err.print(modules, markup=False)
        keep_broken(prepared, run)
    trainer = make_trainer(recipe, coach, model, prepared, run, steps, count, peak)
    return Set(recipe, coach, prepared, trainer, modules, ranks, begun)


def _run(ready: Set, run: Path, *, rehearse_only: bool = False) -> float:
    """Train to the end, from the last complete checkpoint if there is one; return the last loss."""
    trainer = ready.trainer
    found = last_complete(run / CHECKPOINTS)
    ready.ranks.wait_for_everyone()
    if ready.ranks.is_main_process:
        cut_log(run / METRICS_FILE, step_of(found) if found else 0)
        if found:
            err.print(f"going on after step {step_of(found)}")
    if found and step_of(found) >= trainer.args.max_steps:
        trainer.restore(found)
    else:
        trainer.add_callback(Rehearsal(trainer, ready.recipe, ready.prepared, only=rehearse_only))
        watch = Watch(run)
        trainer.add_callback(watch)
        try:
            trainer.train(resume_from_checkpoint=str(found) if found else None)
        finally:
            watch.close()
    return float([row["loss"] for row in trainer.state.log_history if "loss" in row][-1])


def _keep(ready: Set, run: Path, loss: float) -> None:
    """Write the adapter and its card, from all ranks' parts where they are sharded."""
    trainer, recipe, prepared = ready.trainer, ready.recipe, ready.prepared
    sharded = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    if ready.ranks.is_main_process:
        origin = Provenance(
            card=ready.coach.card(prepared.fingerprint),
            examples=len(prepared.examples),
            simulated=any(clip.record.simulated for clip in prepared.dataset.clips),
            steps=trainer.args.max_steps,
            ranks=ready.ranks.num_processes,
            loss=loss,
            modules=ready.modules,
            start=ready.start,
        )
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), run, recipe, origin, sharded)
    ready.ranks.wait_for_everyone()
