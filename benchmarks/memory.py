"""Does memory grow with the number of dialogues? 7.5 k against 75 k, peak of the process tree."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.dialogue_rate import generate, simulate

COPIES = 10
POLL_S = 0.05


def run(console: Console) -> dict[str, Any]:
    """Measure peak memory for one cohort and for ten."""
    peaks = {}
    for copies in (1, COPIES):
        with tempfile.TemporaryDirectory() as folder:
            root, out = Path(folder, "data"), Path(folder, "run")
            simulate(root, copies=copies)
            peaks[copies] = peak_mib(generate(root, out))
    ratio = peaks[COPIES] / peaks[1]
    table = Table("cohorts", "peak MiB", title="Memory of generate")
    for copies, peak in peaks.items():
        table.add_row(str(copies), f"{peak:.0f}")
    console.print(table, f"ratio {ratio:.2f}")
    return {"peak_mib": {str(k): round(v) for k, v in peaks.items()}, "ratio": round(ratio, 3)}


def peak_mib(command: list[str]) -> float:
    """Run a command and return the highest summed memory of it and its children, in MiB.

    Unique set size, so that pages which children share with their parent count once.
    """
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(POLL_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return peak / 2**20


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in (process, *_children(process)):
        try:
            total += one.memory_full_info().uss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # it ended between being listed and being read
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        children: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return children
