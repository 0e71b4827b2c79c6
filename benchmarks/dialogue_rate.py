"""How fast the template writer and the fact check make the whole of FLEX-VideoQA.

Measures the user's command on the full simulated label set: start of the process to finished file.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

CLIPS = 7_512
TARGET_S = 60.0


def simulate(root: Path, *, copies: int = 1) -> None:
    """Write the full simulated label set, `copies` cohorts of it, under `root`."""
    size = ["--clips", str(copies * CLIPS)]
    subprocess.run(
        [sys.executable, "-m", "sim", "labels", "--out", str(root), *size],
        check=True,
        capture_output=True,
    )


def generate(root: Path, out: Path) -> list[str]:
    """Return the command that generates the dialogues of `root` with templates."""
    options = ["--data", str(root), "--out", str(out), "--writer", "template"]
    return [sys.executable, "-m", "qa_gen", "generate", *options]


def run(console: Console) -> dict[str, Any]:
    """Time 7,512 dialogues (30,048 question–answer pairs)."""
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder, "data"), Path(folder, "run")
        simulate(root)
        start = time.perf_counter()
        subprocess.run(generate(root, out), check=True, capture_output=True)
        seconds = time.perf_counter() - start
        record = json.loads((out / "run.json").read_text())
    count = record["dialogues"]
    result = {
        "dialogues": count,
        "flagged": record["flagged"],
        "seconds": round(seconds, 2),
        "dialogues_per_s": round(count / seconds, 1),
        "target_s": TARGET_S,
    }
    table = Table("dialogues", "flagged", "seconds", "per second", title="Template writer + check")
    table.add_row(str(count), str(record["flagged"]), f"{seconds:.1f}", f"{count / seconds:.0f}")
    console.print(table)
    return result
