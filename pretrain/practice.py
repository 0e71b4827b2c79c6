"""A training loop that ends by the clock: Muon and AdamW, cosine, a log line every 50 steps."""

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flex import cli

_WARM, _SAY, _CLIP, _DECAY = 100, 50, 1.0, 0.05
_RATE, _PLAIN_RATE = 2e-3, 1e-3


def practise(
    modules: Iterable[Any],
    losses: Iterator[dict[str, Any]],
    log: Path,
    minutes: float,
    save: Callable[[], None],
    *,
    stage: str,
    pace: float = 1.0,
) -> int:
    """Take steps on a stream of losses until the time is over; return how many.

    Matrices within `modules` learn by Muon, all else by AdamW. `save` is called every 500 steps and
    at the end. `pace` scales the rates: less for weights that have learnt much already.
    """
    import torch

    named = [pair for module in modules for pair in module.named_parameters()]
    optimisers = _optimisers([(name, w) for name, w in named if w.requires_grad])
    weights = [w for _, w in named if w.requires_grad]
    began, step, sums = time.monotonic(), 0, dict[str, float]()
    while (passed := (time.monotonic() - began) / 60) < minutes:
        share = min(1.0, (step + 1) / _WARM) * (0.02 + 0.98 * _cosine(passed / minutes))
        parts = next(losses)
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(weights, _CLIP)
        for optimiser, rate in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * share * pace
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        step += 1
        for name, loss in parts.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach())
        if step % _SAY == 0:
            line = {"stage": stage, "step": step, "minutes": round(passed, 2)}
            line |= {name: round(value / _SAY, 4) for name, value in sums.items()}
            sums = {}
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            cli.err.print(line)
        if step % 500 == 0:
            save()
    save()
    return step


def prefetch(made: Iterator[Any], ahead: int = 3) -> Iterator[Any]:
    """Yield what a thread makes in advance."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, made) for _ in range(ahead))
        while True:
            waiting.append(pool.submit(next, made))
            yield waiting.popleft().result()


def _optimisers(named: list[tuple[str, Any]]) -> list[tuple[Any, float]]:
    """Return Muon for the matrices of blocks, AdamW for embeddings, vectors and the helpers."""
    import torch

    inner = [w for name, w in named if w.ndim == 2 and ("blocks." in name or "layers." in name)]
    chosen = {id(w) for w in inner}
    rest = [w for _, w in named if id(w) not in chosen]
    muon = torch.optim.Muon(inner, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=_DECAY)
    return [(muon, _RATE), (adamw, _PLAIN_RATE)]


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(done, 1)))
