"""The trainer: transformers' own loop, with our loss, order of examples, measures and checkpoints.

The loss is one mean over all learnt tokens of an optimizer step, over passes and ranks alike, so
that 2 × 4 equals 8 × 1. (Qwen2.5-VL's own loss is a mean a pass, which weighs tokens of short
dialogues more.) Only positions with a label go through the output layer.
"""

import math
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainerCallback, TrainerState, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from flex.problems import InputError, Problem
from sft.checkpoints import mark_complete
from sft.lora import Movement
from sft.meter import Meter
from sft.order import Order
from sft.precision import autocast, shard_policy
from sft.recipe import Recipe
from vlm.blur import blur_videos
from vlm.features import with_encoder_outputs

IGNORED = -100


def training_arguments(recipe: Recipe, folder: Path, steps: int, *, cpu: bool) -> Any:
    """Return transformers' arguments for a recipe; `steps` is the number of optimizer steps."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=recipe.batch,
        gradient_accumulation_steps=recipe.accumulate,
        max_steps=steps,
        learning_rate=recipe.lr,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=round(recipe.warmup * steps),
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        optim="adamw_torch",
        seed=recipe.seed,
        logging_steps=recipe.log_every,
        logging_nan_inf_filter=False,
        save_steps=recipe.save_every,
        save_total_limit=recipe.keep,
        dataloader_num_workers=recipe.workers,
        dataloader_pin_memory=not cpu,
        remove_unused_columns=False,
        label_names=["labels"],
        accelerator_config={"non_blocking": not cpu},
        use_cpu=cpu,
        ddp_find_unused_parameters=False,
        report_to=[],
        disable_tqdm=True,
    )
    # One process tunes on one GPU: transformers would spread a batch over all that it sees, which
    # takes features and kept positions apart. More GPUs are more ranks.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


class CoachTrainer(Trainer):  # type: ignore[misc]
    """transformers' Trainer with a loss per token, fixed order and complete checkpoints."""

    def __init__(self, *, recipe: Recipe, order: Order, meter: Meter, **settings: Any) -> None:
        self.recipe = recipe
        self.order = order
        self.meter = meter
        self._stage_ids: torch.Tensor | None = None
        super().__init__(compute_loss_func=self._token_loss, **settings)
        if self.is_fsdp_enabled:
            self.accelerator.state.fsdp_plugin.mixed_precision_policy = shard_policy(recipe)
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self.add_callback(_Epoch(order))
        self.add_callback(_Moves())
        self.add_callback(_LastLog())

    def _get_train_sampler(self, train_dataset: Any = None) -> Order:
        return self.order

    def get_batch_samples(self, *args: Any, **settings: Any) -> Any:
        """Fetch the batches of one optimizer step, and count the seconds they kept it waiting."""
        start = time.perf_counter()
        batches, learnt = super().get_batch_samples(*args, **settings)
        self.meter.waited(time.perf_counter() - start)
        for batch in batches:
            self.meter.add_batch(batch)
        return batches, learnt

    def compute_loss_context_manager(self) -> Any:
        """Return the context of a pass: autocast, where the recipe's dtype is bf16."""
        contexts = super().compute_loss_context_manager()
        contexts.enter_context(autocast(self.recipe, self.args.device))
        return contexts

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **settings: Any) -> Any:
        """Return the loss of one pass; labels (B, L) are shifted here, for the kept positions."""
        inputs = dict(inputs)
        if self.recipe.grain or self.recipe.unseen:
            seen = inputs["video_features"]
            inputs["video_features"] = blur_videos(seen, self.recipe.grain, self.recipe.unseen)
        inputs = with_encoder_outputs(inputs)
        labels, stages = inputs["labels"][:, 1:], inputs.pop("stage_ids")[:, 1:]
        kept = (labels != IGNORED).any(0).nonzero().squeeze(1)
        inputs |= {"labels": labels[:, kept], "logits_to_keep": kept, "use_cache": False}
        self._stage_ids = stages[:, kept]
        return super().compute_loss(model, inputs, *args, **settings)

    def _token_loss(self, outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        learnt = labels != IGNORED
        losses = cross_entropy(outputs.logits[learnt].float(), labels[learnt], reduction="none")
        assert self._stage_ids is not None
        self.meter.add_losses(losses, self._stage_ids[learnt])
        return losses.sum() / (num_items_in_batch if num_items_in_batch else learnt.sum())

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add what the meter of all ranks reads to a log line.

        Raises:
            InputError: the loss is not finite.
        """
        if "loss" in logs:
            if not math.isfinite(logs["loss"]):
                message = f"the loss is {logs['loss']} at step {self.state.global_step}"
                raise InputError([Problem("training", f"{message}; try a lower lr or more warmup")])
            sums = self.accelerator.reduce(self.meter.numbers().to(self.accelerator.device), "sum")
            logs |= self.meter.readings(sums.cpu(), self.accelerator.num_processes)
        super().log(logs, start_time)

    def restore(self, checkpoint: Path) -> None:
        """Load the weights and the log of a run that had come to its end."""
        self._load_from_checkpoint(str(checkpoint))
        self.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))

    def _save_checkpoint(self, *args: Any, **settings: Any) -> None:
        start = time.perf_counter()
        super()._save_checkpoint(*args, **settings)
        self.accelerator.wait_for_everyone()
        if self.is_world_process_zero():
            mark_complete(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
        self.meter.paused(time.perf_counter() - start)


class _Epoch(TrainerCallback):  # type: ignore[misc]
    """Tells the order which epoch begins, also in the middle of one that is resumed."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.order.epoch = int(state.epoch or 0)


class _Moves(TrainerCallback):  # type: ignore[misc]
    """Stops a run whose adapters do not all move in the first two steps that have a rate."""

    def __init__(self) -> None:
        self._movement: Movement | None = None
        self._steps = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        self._movement = Movement(model)

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, optimizer: Any, **_: Any
    ) -> None:
        self._steps += any(group["lr"] > 0 for group in optimizer.param_groups)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        if self._movement is None or self._steps < 2:
            return
        still = self._movement.still(model)
        self._movement = None
        if still:
            message = "has not moved in two steps: it gets no gradient"
            raise InputError([Problem(name, message) for name in still])


class _LastLog(TrainerCallback):  # type: ignore[misc]
    """Logs the last step too, when the run does not end on a log step."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_log |= state.global_step >= state.max_steps
