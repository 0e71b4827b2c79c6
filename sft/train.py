"""One training run, from recipe to adapter: python -m sft train --config configs/sft/tiny.yaml.

The folder of a run holds recipe.yaml, metrics.jsonl, tensorboard/, checkpoints/ and, at the end,
the adapter. The same command resumes a run that was stopped or killed, to the same result.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from flex.cli import err
from flex.files import write_text
from flex.problems import InputError
from flex.recipes import check_recipe, keep_recipe
from sft import machine
from sft.adapter import Provenance, keep_origin, save_adapter
from sft.checkpoints import cut_log, last_complete, step_of
from sft.data import Clip, Prepared, clips_of, feature_folder, prepare
from sft.flops import Shape, peak_flops
from sft.lora import add_lora, describe
from sft.meter import Meter, most_held
from sft.order import Order
from sft.precision import leave_casts_to_autocast
from sft.recipe import FREE, Recipe
from sft.report import estimate, histogram_table, summary
from sft.trainer import CoachTrainer, training_arguments
from sft.watch import METRICS_FILE, Watch
from vlm.card import spread_rate
from vlm.collate import Collator
from vlm.model import Coach, load_coach

CHECKPOINTS = "checkpoints"
BROKEN_FILE = "broken.txt"


def train(recipe: Recipe, data: Path, dialogues: Path, run: Path) -> Path:
    """Tune a coach, or go on where the run was, and return the folder with the adapter.

    Raises:
        InputError: the machine, the model, the data or the recipe do not suit; memory ran out.
    """
    device = machine.device_of(recipe)
    try:
        return _train(recipe, data, dialogues, run, device)
    except (RuntimeError, MemoryError) as error:
        problem = machine.memory_problem(error, recipe)
        if problem is None:
            raise
        raise problem from error


def _train(recipe: Recipe, data: Path, dialogues: Path, run: Path, device: str) -> Path:
    from accelerate import PartialState
    from transformers import set_seed

    ranks = PartialState(cpu=device == "cpu")
    check_recipe(recipe, run, FREE)
    clips = clips_of(recipe, data, dialogues)
    coach = load_coach(
        recipe.model,
        sampler=recipe.sampler,
        dtype=recipe.dtype,
        device="cpu" if device == "cpu" else str(ranks.device),
        attention=machine.attention_of(recipe),
    )
    coach.rate = recipe.tokens_per_second or spread_rate(coach.own_rate)
    coach.model.requires_grad_(False)
    prepared = _prepare(recipe, coach, clips, ranks)
    set_seed(recipe.seed)
    shape = Shape.of(coach.model.config)
    model = add_lora(coach.model, recipe)
    modules = describe(model, recipe.scope)
    steps = steps_of(recipe, len(prepared.examples), ranks.num_processes)
    peak = peak_flops(device)
    if ranks.is_main_process:
        keep_origin(run, prepared.fingerprint, coach.base, ranks.num_processes)
        keep_recipe(recipe, run)
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
        _say(prepared, recipe, shape, modules, steps, ranks.num_processes, trained, peak, run)
    trainer = make_trainer(recipe, coach, model, prepared, run, steps, ranks.num_processes, peak)
    loss = _run(trainer, run, ranks)
    sharded = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else None
    if ranks.is_main_process:
        origin = Provenance(
            card=coach.card(prepared.fingerprint),
            examples=len(prepared.examples),
            simulated=any(clip.record.simulated for clip in prepared.dataset.clips),
            steps=steps,
            ranks=ranks.num_processes,
            loss=loss,
            modules=modules,
        )
        save_adapter(trainer.accelerator.unwrap_model(trainer.model), run, recipe, origin, sharded)
    ranks.wait_for_everyone()
    return run


def steps_of(recipe: Recipe, examples: int, ranks: int) -> int:
    """Return how many optimizer steps a recipe takes; the last of an epoch may be a small one."""
    passes = math.ceil(math.ceil(examples / recipe.batch) / ranks)
    return recipe.steps or max(1, round(recipe.epochs * math.ceil(passes / recipe.accumulate)))


def make_trainer(
    recipe: Recipe,
    coach: Coach,
    model: Any,
    prepared: Prepared,
    run: Path,
    steps: int,
    ranks: int = 1,
    peak: float = 0.0,
) -> CoachTrainer:
    """Return the trainer of a recipe for a model that carries its adapters."""
    cpu = str(coach.device) == "cpu"
    if recipe.checkpointing:
        _checkpoint_activations(model)
    if recipe.dtype != "float32":
        leave_casts_to_autocast(model)
    order = Order(
        [example.length for example in prepared.examples],
        group=recipe.batch * ranks,
        grouped=recipe.length_grouped,
        seed=recipe.seed,
    )
    meter = Meter(
        Shape.of(coach.model.config),
        peak,
        coach.processor.video_token_id,
        vision_tuned=recipe.scope != "llm",
        vision_cached=feature_folder(recipe) is not None,
    )
    return CoachTrainer(
        recipe=recipe,
        order=order,
        meter=meter,
        model=model,
        args=training_arguments(recipe, run / CHECKPOINTS, steps, cpu=cpu),
        train_dataset=prepared.dataset,
        data_collator=Collator.of(coach.processor, multiple_of=1 if cpu else 8),
    )


def _checkpoint_activations(model: Any) -> None:
    """Recompute activations in the backward pass; inputs must then carry a gradient themselves."""
    settings = {"use_reentrant": False}
    if hasattr(model, "activation_checkpointing_enable"):
        model.activation_checkpointing_enable(settings)
    else:
        model.gradient_checkpointing_enable(settings)
    model.enable_input_require_grads()


def _prepare(recipe: Recipe, coach: Coach, clips: list[Clip], ranks: Any) -> Prepared:
    """Fill the caches, each rank its share, then let every rank read all of them."""
    if ranks.num_processes > 1:
        mine = clips[ranks.process_index :: ranks.num_processes]
        shared = recipe.model_copy(update={"allow_broken": True, "max_tokens": 2**31})
        if mine:
            _try_prepare(shared, coach, mine)
        ranks.wait_for_everyone()

    def shown(items: Sequence[Clip]) -> Iterable[Clip]:
        if not ranks.is_main_process:
            return items
        return track(items, "preparing clips", console=err, transient=True)

    return prepare(recipe, coach, clips, shown)


def _try_prepare(recipe: Recipe, coach: Coach, clips: list[Clip]) -> None:
    """Prepare a rank's share; what is broken in it is told when all are read."""
    from contextlib import suppress

    with suppress(InputError):
        prepare(recipe, coach, clips, kept_bytes=0)


def _say(
    prepared: Prepared,
    recipe: Recipe,
    shape: Shape,
    modules: str,
    steps: int,
    ranks: int,
    trained: int,
    peak: float,
    run: Path,
) -> None:
    err.print(summary(prepared.examples, recipe, steps, ranks), markup=False)
    err.print(histogram_table(prepared.examples))
    err.print(
        estimate(
            prepared.examples,
            recipe,
            shape,
            steps=steps,
            ranks=ranks,
            trained=trained,
            peak=peak,
            cached=feature_folder(recipe) is not None,
            before=most_held(),
        )
    )
    err.print(modules, markup=False)
    for problem in prepared.broken:
        err.print(f"left out {problem}", markup=False, style="yellow")
    if prepared.broken:
        write_text(run / BROKEN_FILE, "".join(f"{problem}\n" for problem in prepared.broken))


def _run(trainer: CoachTrainer, run: Path, ranks: Any) -> float:
    """Train to the end, from the last complete checkpoint if there is one; return the last loss."""
    found = last_complete(run / CHECKPOINTS)
    ranks.wait_for_everyone()
    if ranks.is_main_process:
        cut_log(run / METRICS_FILE, step_of(found) if found else 0)
        if found:
            err.print(f"going on after step {step_of(found)}")
    if found and step_of(found) >= trainer.args.max_steps:
        trainer.restore(found)
    else:
        watch = Watch(run)
        trainer.add_callback(watch)
        try:
            trainer.train(resume_from_checkpoint=str(found) if found else None)
        finally:
            watch.close()
    return float([row["loss"] for row in trainer.state.log_history if "loss" in row][-1])
