"""How long skeletons and signals of the whole simulated study take, and whether memory is flat.

Runs the user's command without video, for the default set and for all 7,512 clips, each from the
start of the process to the last file.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.memory import peak_mib
from flex.dataset import SKELETON_FOLDER

TARGET_S = 600.0


def run(console: Console) -> dict[str, Any]:
    """Time and weigh both sets, on all processors."""
    table = Table("set", "clips", "seconds", "clips per second", "MiB written", "peak MiB")
    result: dict[str, Any] = {"target_s": TARGET_S}
    for preset in ("default", "study"):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "data")
            command = [sys.executable, "-m", "sim", "--out", str(root), "--preset", preset]
            start = time.perf_counter()
            peak = peak_mib([*command, "--views", "none"])
            seconds = time.perf_counter() - start
            clips = sum(1 for _ in (root / SKELETON_FOLDER).rglob("*.csv"))
            size = int(subprocess.check_output(["du", "-sm", str(root)]).split()[0])
        result[preset] = {"clips": clips, "seconds": round(seconds, 1), "peak_mib": round(peak)}
        rate = f"{clips / seconds:.1f}"
        table.add_row(preset, f"{clips:,}", f"{seconds:.0f}", rate, f"{size:,}", f"{peak:.0f}")
    ratio = result["study"]["peak_mib"] / result["default"]["peak_mib"]
    table.title = "Simulated skeletons, sEMG and breathing"
    console.print(table, f"memory, whole study against default set: ratio {ratio:.2f}")
    return {**result, "memory_ratio": round(ratio, 3)}
