"""The trainer of a recipe: order, meter, collator, and what is switched on in the model."""

import math
from pathlib import Path
from typing import Any

from sft import machine
from sft.data import Prepared, feature_folder
from sft.flops import Shape
from sft.meter import Meter
from sft.order import Order
from sft.precision import leave_casts_to_autocast
from sft.recipe import Recipe
from sft.trainer import CoachTrainer, training_arguments
from vlm.collate import Collator
from vlm.fused import use_fused_kernels
from vlm.model import Coach

CHECKPOINTS = "checkpoints"


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
    if machine.fused_on(recipe, str(coach.device)):
        use_fused_kernels(coach.plain)
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
        Shape.of(coach.plain.config),
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
