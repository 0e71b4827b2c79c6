"""What a run measures between two log lines: loss per stage, speed, waiting, MFU, memory."""

import time
from dataclasses import dataclass, field
from typing import Any

import torch

from sft.flops import Shape, step_flops
from vlm.dialogues import STAGES

_COUNTS = ("dialogues", "tokens", "video_tokens", "flops")


@dataclass
class Meter:
    """Sums over the passes since the last log line, of this rank."""

    shape: Shape
    peak_flops: float
    video_token: int
    vision_tuned: bool = False
    vision_cached: bool = False
    _stages: torch.Tensor = field(init=False)
    _counts: dict[str, float] = field(init=False)
    _waited_s: float = 0.0
    _paused_s: float = 0.0
    _since: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was counted, and start the clock anew."""
        self._stages = torch.zeros(2, len(STAGES), dtype=torch.float64)
        self._counts = dict.fromkeys(_COUNTS, 0.0)
        self._waited_s = self._paused_s = 0.0
        self._since = time.perf_counter()

    def waited(self, seconds: float) -> None:
        """Add seconds in which the step had no batch to work on."""
        self._waited_s += seconds

    def paused(self, seconds: float) -> None:
        """Add seconds that are no training, such as saving a checkpoint."""
        self._paused_s += seconds

    def add_batch(self, batch: dict[str, Any]) -> None:
        """Count the dialogues and tokens of a batch, and what they cost."""
        lengths = batch["attention_mask"].sum(1).tolist()
        video = int((batch["input_ids"] == self.video_token).sum())
        learnt = int((batch["labels"] != -100).sum())
        self._counts["dialogues"] += len(lengths)
        self._counts["tokens"] += sum(lengths)
        self._counts["video_tokens"] += video
        self._counts["flops"] += step_flops(
            self.shape,
            lengths,
            learnt,
            video,
            vision_tuned=self.vision_tuned,
            vision_cached=self.vision_cached,
        )

    def add_losses(self, losses: torch.Tensor, stages: torch.Tensor) -> None:
        """Add the loss of each learnt token, (tokens,), and the stage that it belongs to."""
        losses, stages = losses.detach().double(), stages.long()
        for row, values in enumerate((losses, torch.ones_like(losses))):
            self._stages[row] += torch.bincount(stages, values, len(STAGES)).cpu()

    def numbers(self) -> torch.Tensor:
        """Return the sums as one vector, so that ranks can add theirs; starts anew."""
        elapsed = max(time.perf_counter() - self._since - self._paused_s, 1e-9)
        counts = [self._counts[name] for name in _COUNTS]
        tail = torch.tensor([*counts, self._waited_s, elapsed], dtype=torch.float64)
        sums = torch.cat([self._stages.flatten(), tail])
        self.restart()
        return sums

    def readings(self, sums: torch.Tensor, ranks: int) -> dict[str, float]:
        """Return the named readings of the ranks' added `numbers()`."""
        stage_sums, stage_counts = sums[: 2 * len(STAGES)].view(2, -1).tolist()
        dialogues, tokens, video_tokens, flops, waited_s, elapsed_s = sums[
            2 * len(STAGES) :
        ].tolist()
        wall_s = elapsed_s / ranks
        found = {
            f"loss_{stage}": total / count
            for stage, total, count in zip(STAGES, stage_sums, stage_counts, strict=True)
            if count
        }
        found |= {
            "samples_per_s": dialogues / wall_s,
            "tokens_per_s": tokens / wall_s,
            "video_tokens_per_s": video_tokens / wall_s,
            "data_wait_percent": 100 * waited_s / elapsed_s,
            "memory_gib": most_held() / 2**30,
        }
        if self.peak_flops:
            found["mfu_percent"] = 100 * flops / elapsed_s / self.peak_flops
        return found


def most_held() -> int:
    """Return the most bytes this rank has held so far: of the GPU, or else of the process."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10  # Linux counts in KiB
