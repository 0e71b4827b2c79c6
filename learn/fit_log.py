"""Where the log of a training goes: JSON Lines, and TensorBoard when it is installed."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flex.files import write_text

METRICS_FILE = "metrics.jsonl"


class FitLog:
    """One line an epoch; lines after the epoch where a run goes on are dropped."""

    def __init__(self, folder: Path, epoch: int, *, main: bool = True) -> None:
        self.path, self.main = folder / METRICS_FILE, main
        self._epoch = epoch
        self._board: Any = None

    def __enter__(self) -> Self:
        if not self.main:
            return self
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._cut()
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            folder = str(self.path.parent / "tensorboard")
            self._board = SummaryWriter(folder, purge_step=self._epoch + 1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._board is not None:
            self._board.close()

    def write(self, epoch: int, loss: float, quality: Mapping[str, float]) -> None:
        """Write the numbers of an epoch: the loss, and how good the validation clips are told."""
        if not self.main:
            return
        numbers = {"loss": loss, **quality}
        numbers = {name: value for name, value in numbers.items() if value == value}
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"epoch": epoch, **numbers}) + "\n")
        for name, value in numbers.items() if self._board is not None else ():
            self._board.add_scalar(name, value, epoch)

    def _cut(self) -> None:
        if not self.path.is_file():
            return
        kept = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                if json.loads(line)["epoch"] <= self._epoch:
                    kept.append(line + "\n")
            except json.JSONDecodeError:
                continue  # torn by a kill
        write_text(self.path, "".join(kept))
