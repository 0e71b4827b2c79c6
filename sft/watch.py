"""Where the log goes: a line on the console, JSON Lines, and TensorBoard when it is installed."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from flex.cli import err

METRICS_FILE = "metrics.jsonl"


class Watch(TrainerCallback):  # type: ignore[misc]
    """Writes each log line of the main rank, and keeps a progress bar."""

    def __init__(self, run: Path) -> None:
        self.path = run / METRICS_FILE
        self._board: Any = None
        self._bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=err,
        )
        self._task = self._bar.add_task("training", total=None, note="")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the log, and TensorBoard's folder from the resumed step on."""
        if not state.is_world_process_zero:
            return
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            folder = str(self.path.parent / "tensorboard")
            self._board = SummaryWriter(folder, purge_step=state.global_step + 1)
        self._bar.update(self._task, total=state.max_steps, completed=state.global_step)
        self._bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=state.global_step)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """Append one line of numbers, and say the most telling ones."""
        if not state.is_world_process_zero or not logs or "loss" not in logs:
            return
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": state.global_step, **logs}) + "\n")
        if self._board is not None:
            for name, value in logs.items():
                self._board.add_scalar(name, value, state.global_step)
        err.print(f"step {state.global_step:>5} {line(logs)}", markup=False)
        self._bar.update(self._task, note=f"loss {logs['loss']:.3f}")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close everything."""
        self.close()

    def close(self) -> None:
        """End the progress bar and TensorBoard's file, also after an error."""
        self._bar.stop()
        if self._board is not None:
            self._board.close()
            self._board = None


def line(logs: dict[str, float]) -> str:
    """Return one log line for people: loss, loss per stage, speed, waiting, MFU, memory."""
    stages = [f"{k[5:]} {v:.3f}" for k, v in logs.items() if k.startswith("loss_")]
    mfu = f", MFU {logs['mfu_percent']:.0f} %" if "mfu_percent" in logs else ""
    return (
        f"loss {logs['loss']:.4f} ({', '.join(stages)}) · lr {logs['learning_rate']:.1e} · "
        f"{logs['samples_per_s']:.2f} samples/s, {logs['video_tokens_per_s']:.0f} video tokens/s"
        f"{mfu} · waits for data {logs['data_wait_percent']:.1f} % · "
        f"{logs['memory_gib']:.1f} GiB"
    )
