"""A training loop that ends by the clock: Muon and AdamW, cosine, a log line every 50 steps."""

import json
import math
import random
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
    pace: Callable[[str], float] = lambda _: 1.0,
) -> int:
    """Take steps on a stream of losses until the time is over; return how many.

    Matrices within `modules` learn by Muon, all else by AdamW. `save` is called every 500 steps and
    at the end. `pace` scales the rate of a weight of that name: less where much is learnt already.
    """
    import torch

    named = [p for module in modules for p in module.named_parameters() if p[1].requires_grad]
    optimisers, weights = _optimisers(named, pace), [w for _, w in named]
    began, step, sums = time.monotonic(), 0, dict[str, float]()
    while (passed := (time.monotonic() - began) / 60) < minutes:
        share = min(1.0, (step + 1) / _WARM) * (0.02 + 0.98 * _cosine(passed / minutes))
        parts = next(losses)
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(weights, _CLIP)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * share
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


def mixed(some: Iterator[Any], others: Iterator[Any], share: float, seed: int) -> Iterator[Any]:
    """Yield from both for ever, a `share` of all from `some`."""
    draws = random.Random(seed)
    while True:
        yield next(some if draws.random() < share else others)


def prefetch(made: Iterator[Any], ahead: int = 3) -> Iterator[Any]:
    """Yield what a thread makes in advance."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, made) for _ in range(ahead))
        while True:
            waiting.append(pool.submit(next, made))
            yield waiting.popleft().result()


def _optimisers(named: list[tuple[str, Any]], pace: Callable[[str], float]) -> list[Any]:
    """Return Muon for the matrices of blocks, AdamW for embeddings, vectors and the helpers.

    Their groups hold the highest `rate` of a weight.
    """
    import torch

    inner: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    for name, weight in named:
        matrix = weight.ndim == 2 and ("blocks." in name or "layers." in name)
        rate = (_RATE if matrix else _PLAIN_RATE) * pace(name)
        (inner if matrix else rest).append({"params": [weight], "rate": rate})
    muon = torch.optim.Muon(inner, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, betas=(0.9, 0.98), weight_decay=_DECAY)]


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(done, 1)))
