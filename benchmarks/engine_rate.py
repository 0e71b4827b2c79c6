"""The engine: two workers against one, Ray against local processes, memory against item count.

The work is compressing random bytes, a tenth of a second an item, so that what the engine itself
costs shows. Two bare processes that share nothing say what this machine has to give just then.
"""

import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak_mib
from engine.run import run_all
from engine.where import Engine

ITEMS = 60
ROUNDS = 2
SIZES = (100, 10_000)
TARGET_SPEEDUP = 1.7
_BYTES = 1_000_000


def compress(number: int, folder: Path) -> int:
    """Write one item's file, and return its size."""
    raw = np.random.default_rng(number).integers(0, 16, _BYTES, dtype=np.uint8)
    packed = zlib.compress(raw.tobytes(), 6)
    (folder / f"{number}.z").write_bytes(packed)
    return len(packed)


def note(number: int, folder: Path) -> dict[str, int]:
    """Do next to nothing: what memory grows by is the engine's."""
    (folder / f"{number}.txt").write_text(str(number))
    return {"number": number}


def run(console: Console) -> dict[str, Any]:
    """Time the same items in each way, best of a few rounds, and weigh few and many items."""
    ways = {"one process": Engine(jobs=1), "two processes": Engine(jobs=2)}
    best = dict.fromkeys([*ways, "two on Ray", "bare, one", "bare, two"], float("inf"))
    with _ray() as on_ray:
        for _ in range(ROUNDS):
            for count, name in ((1, "bare, one"), (2, "bare, two")):
                best[name] = min(best[name], _bare(count))
            for name, where in {**ways, "two on Ray": on_ray}.items():
                best[name] = min(best[name], _time(where))
    speedup = best["one process"] / best["two processes"]
    ceiling = best["bare, one"] / best["bare, two"]
    overhead = best["two on Ray"] / best["two processes"] - 1
    peaks = {size: _peak(size) for size in SIZES}
    ratio = peaks[SIZES[1]] / peaks[SIZES[0]]
    table = Table("way", "seconds", title=f"Engine, {ITEMS} items, best of {ROUNDS}")
    for name, seconds in best.items():
        table.add_row(name, f"{seconds:.2f}")
    console.print(table)
    console.print(
        f"two processes × {speedup:.2f} (bare ones × {ceiling:.2f}, target {TARGET_SPEEDUP}), "
        f"Ray {overhead:+.0%} on local processes; "
        f"memory for {SIZES[1]:,} items × {ratio:.2f} of that for {SIZES[0]}"
    )
    return {
        "seconds": {name: round(seconds, 2) for name, seconds in best.items()},
        "speedup": round(speedup, 3),
        "bare_speedup": round(ceiling, 3),
        "ray_overhead": round(overhead, 3),
        "peak_mib": {str(size): round(peak, 1) for size, peak in peaks.items()},
        "memory_ratio": round(ratio, 3),
    }


def _time(where: Engine) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run_all(range(ITEMS), compress, where=where, out=Path(folder), key=str)
        return time.perf_counter() - start


def _bare(count: int) -> float:
    """Return how long processes without an engine take, each with its share of the items."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        commands = [
            [sys.executable, "-m", "benchmarks.engine_rate", folder, str(ITEMS), str(n), str(count)]
            for n in range(count)
        ]
        running = [subprocess.Popen(command) for command in commands]
        codes = [process.wait() for process in running]
        if any(codes):
            raise RuntimeError(f"bare processes ended with {codes}")
        return time.perf_counter() - start


def _peak(size: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return peak_mib([sys.executable, "-m", "benchmarks.engine_rate", folder, str(size)])


@contextmanager
def _ray() -> Iterator[Engine]:
    """Start a small cluster here, so that its start is not timed with the work."""
    import ray

    # Ray gives way to other processes by default; local workers do not.
    os.environ |= {"RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    quiet = {"include_dashboard": False, "logging_level": "warning", "log_to_driver": False}
    ray.init(address="local", num_cpus=2, **quiet)
    try:
        yield Engine(ray="auto")
    finally:
        ray.shutdown()


def _main(folder: str, count: str, first: str = "", step: str = "") -> None:
    if step:
        for number in range(int(first), int(count), int(step)):
            compress(number, Path(folder))
    else:
        run_all(range(int(count)), note, where=Engine(jobs=2), out=Path(folder), key=str)


if __name__ == "__main__":
    _main(*sys.argv[1:])
