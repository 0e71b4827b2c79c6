"""How long all text metrics but BERTScore take for 30,048 answers, on two cores.

The references are the template writer's dialogues of all 7,512 clips; each clip is answered with
what is said of another clip at the same stage, so that hardly two pairs are alike.
"""

import json
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.dialogue_rate import generate, simulate

CORES = 2
TARGET_S = 60.0


def run(console: Console) -> dict[str, Any]:
    """Time BLEU, ROUGE-L, METEOR and chrF++, start of the worker processes included."""
    from eval.text_metrics.measure import measure

    predictions, references = answers()
    cpu_s, start = _cpu_s(), time.perf_counter()
    measured = measure(predictions, references, workers=CORES)
    seconds, cpu_s = time.perf_counter() - start, _cpu_s() - cpu_s
    values = {name: round(one.value, 4) for name, one in measured.statistics.items()}
    pairs = len(set(zip(predictions, references, strict=True)))
    table = Table("answers", "different pairs", "seconds", "CPU seconds", "answers/s")
    table.title = f"Text metrics ({', '.join(values)}) on {CORES} cores"
    count = len(predictions)
    cells = (f"{seconds:.1f}", f"{cpu_s:.1f}", f"{count / seconds:,.0f}")
    table.add_row(f"{count:,}", f"{pairs:,}", *cells)
    console.print(table)
    missing = {name: why for name, why in measured.missing.items() if name != "bertscore"}
    for name, why in missing.items():
        console.print(f"[yellow]{name} was not measured[/]: {why}")
    return {
        "answers": count,
        "different_pairs": pairs,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_s, 3),
        "target_s": TARGET_S,
        "values": values,
        "missing": missing,
    }


def answers(seed: int = 0) -> tuple[list[str], list[str]]:
    """Return predictions and references: 4 answers for each of the 7,512 clips."""
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder, "data"), Path(folder, "run")
        simulate(root)
        subprocess.run(generate(root, out), check=True, capture_output=True)
        lines = (out / "dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    said = [[turn["answer"] for turn in json.loads(line)["turns"]] for line in lines]
    other = random.Random(seed).sample(said, len(said))
    return [text for turns in other for text in turns], [text for turns in said for text in turns]


def _cpu_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
