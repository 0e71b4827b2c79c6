"""The one training loop of small networks: backbones and heads, from cache or end to end.

    report = fit(task, plan, run / "head")        # the task's module then holds the chosen weights

A resume point is kept at the ends of epochs. All that is random (order, partners, flips, dropout)
starts anew from seed and epoch, so that a run that was stopped goes on to exactly the same result.
The checkpoint is chosen by one rule: the best validation correlation, then the lower error; or the
last one.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, Self

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from flex.cli import err
from flex.files import atomic_path, hash_text
from flex.problems import InputError, Problem
from learn.fit_log import FitLog
from learn.ranks import Ranks
from learn.recipe import TrainingRecipe

RESUME_FILE = "resume.pt"


class Quality(NamedTuple):
    """How good a model is on the validation split; `better` says what counts."""

    correlation: float
    error: float

    def better(self, other: "Quality | None") -> bool:
        """Tell whether this is better: by correlation (NaN is worst), then by error."""
        return other is None or self._key() > other._key()

    def _key(self) -> tuple[float, float]:
        return (self.correlation if self.correlation == self.correlation else -2.0, -self.error)


class Task(Protocol):
    """What is trained: its weights, its batches, its loss, how good it is."""

    module: nn.Module

    def groups(self) -> list[dict[str, Any]]:
        """Return the optimizer's groups of parameters with their learning rates."""

    def batches(self, epoch: int) -> list[Any]:
        """Return the batches of an epoch; they depend on seed and epoch alone."""

    def loss(self, batch: Any) -> Tensor:
        """Return the loss of a batch."""

    def validate(self) -> Quality | None:
        """Return how good the module is; `None` if there is nothing to judge it by."""


@dataclass(frozen=True)
class Plan:
    """How long, how fast, and what is kept."""

    name: str
    epochs: int
    device: torch.device
    seed: int = 0
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.0
    bf16: bool = False
    validate_every: int = 5
    choose: Literal["best", "last"] = "best"
    save_every: int = 10
    identity: str = ""

    @classmethod
    def of(
        cls,
        recipe: TrainingRecipe,
        name: str,
        device: torch.device,
        identity: str,
        *,
        bf16: bool = False,
    ) -> Self:
        """Return the plan of a recipe."""
        return cls(
            name=name,
            epochs=recipe.epochs,
            device=device,
            seed=recipe.seed,
            schedule=recipe.schedule,
            weight_decay=recipe.weight_decay,
            bf16=bf16,
            validate_every=recipe.validate_every,
            choose=recipe.choose,
            save_every=recipe.save_every,
            identity=identity,
        )

    def for_backbone(self, epochs: int) -> Self:
        """Return the plan of what a head's features come from: few epochs, judged at the end."""
        return replace(
            self,
            epochs=epochs,
            schedule="cosine",
            weight_decay=0.0,
            validate_every=epochs,
            choose="best",
            save_every=1,
        )


@dataclass(frozen=True)
class FitReport:
    """What came out: the chosen epoch (from 1), its quality, the last loss, seconds."""

    epoch: int
    quality: Quality | None
    loss: float
    seconds: float


def fit(task: Task, plan: Plan, folder: Path, ranks: Ranks | None = None) -> FitReport:
    """Train a task to the end, from its resume point if there is one.

    Raises:
        InputError: the resume point is of another task, or the loss is not finite.
    """
    ranks = ranks or Ranks()
    started = time.perf_counter()
    module = task.module.to(plan.device)
    ranks.same(module)
    optimizer = torch.optim.Adam(task.groups(), weight_decay=plan.weight_decay)
    for group in optimizer.param_groups:
        group["full_lr"] = group["lr"]
    state = _State(folder / RESUME_FILE, plan, module, optimizer)
    state.resume()
    log = FitLog(folder, state.epoch, main=ranks.main)
    with log, _bar(ranks) as bar:
        shown = bar.add_task(plan.name, total=plan.epochs, completed=state.epoch, note="")
        while state.epoch < plan.epochs:
            state.loss = _epoch(task, plan, optimizer, state.epoch, ranks)
            state.epoch += 1
            last = state.epoch == plan.epochs
            quality = None
            if last or state.epoch % plan.validate_every == 0:
                quality = ranks.from_main(_validate(task) if ranks.main else None)
                state.judge(quality)
            log.write(state.epoch, state.loss, quality._asdict() if quality else {})
            if ranks.main and (last or state.epoch % plan.save_every == 0):
                state.save()
            bar.update(shown, completed=state.epoch, note=f"loss {state.loss:.3f}")
    ranks.wait()
    state.choose()
    module.eval()
    seconds = time.perf_counter() - started
    return FitReport(state.best_epoch or state.epoch, state.best_quality, state.loss, seconds)


def _epoch(
    task: Task, plan: Plan, optimizer: torch.optim.Optimizer, epoch: int, ranks: Ranks
) -> float:
    task.module.train()
    torch.manual_seed(
        int(hash_text(str(plan.seed), plan.name, str(epoch), str(ranks.rank)), 16) >> 1
    )
    share = 1.0
    if plan.schedule == "cosine":
        share = 0.5 * (1 + float(torch.tensor(torch.pi * epoch / plan.epochs).cos()))
    for group in optimizer.param_groups:
        group["lr"] = group["full_lr"] * share
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    losses = []
    for batch in ranks.even_share(task.batches(epoch)):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(plan.device.type, torch.bfloat16, enabled=plan.bf16):
            loss = task.loss(batch)
        loss.backward()
        ranks.average(parameters)
        optimizer.step()
        losses.append(loss.detach())
    mean = float(torch.stack(losses).mean())
    if mean != mean or abs(mean) == float("inf"):
        message = f"the loss of epoch {epoch + 1} is not finite; lower lr, or precision=float32"
        raise InputError([Problem(plan.name, message)])
    return mean


def _validate(task: Task) -> Quality | None:
    task.module.eval()
    with torch.no_grad():
        return task.validate()


def _bar(ranks: Ranks) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    more = (TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    return Progress(*columns, *more, console=err, transient=True, disable=not ranks.main)


class _State:
    """Everything that an epoch leaves to the next one."""

    def __init__(
        self, path: Path, plan: Plan, module: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        self.path, self.plan, self.module, self.optimizer = path, plan, module, optimizer
        self.epoch, self.loss = 0, float("nan")
        self.best: dict[str, Tensor] | None = None
        self.best_epoch: int | None = None
        self.best_quality: Quality | None = None

    def judge(self, quality: Quality | None) -> None:
        """Keep the weights if they are the best so far, or if the last ones are wanted."""
        if self.plan.choose == "last" or quality is None:
            self.best, self.best_epoch, self.best_quality = None, None, quality
        elif quality.better(self.best_quality):
            self.best_epoch, self.best_quality = self.epoch, quality
            self.best = {k: v.detach().cpu().clone() for k, v in self.module.state_dict().items()}

    def choose(self) -> None:
        """Give the module the chosen weights."""
        if self.best is not None:
            self.module.load_state_dict(self.best)

    def save(self) -> None:
        """Write the resume point."""
        content = {
            "identity": self.plan.identity,
            "epoch": self.epoch,
            "loss": self.loss,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_quality": tuple(self.best_quality) if self.best_quality else None,
        }
        with atomic_path(self.path) as name:
            torch.save(content, name)

    def resume(self) -> None:
        """Read the resume point, if there is one."""
        if not self.path.is_file():
            return
        content = torch.load(self.path, map_location=self.plan.device, weights_only=True)
        if content["identity"] != self.plan.identity:
            message = "is of other data or another recipe; name another folder, or remove this one"
            raise InputError([Problem(str(self.path), message)])
        self.module.load_state_dict(content["module"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.epoch, self.loss = content["epoch"], content["loss"]
        self.best, self.best_epoch = content["best"], content["best_epoch"]
        quality = content["best_quality"]
        self.best_quality = Quality(*quality) if quality else None
