"""`make bench`: every speed claim of this project, measured in one run on this machine.

python -m benchmarks                  # all
python -m benchmarks --only memory    # one of them

Prints a table for each and writes `runs/bench/results.json`. Ratios within one run are what counts;
absolute times depend on the machine.
"""

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import (
    aqa_paper_mode,
    clips_rate,
    coach_rate,
    dialogue_rate,
    emg_rate,
    engine_rate,
    eval_rate,
    film_rate,
    llm_rate,
    memory,
    metrics_rate,
    prepare_rate,
    review_rate,
    sft_rate,
    sim_learning,
    sim_rate,
)
from flex import cli
from flex.files import write_text

Benchmark = Callable[[Console], dict[str, Any]]
BENCHMARKS: dict[str, Benchmark] = {
    "dialogues": dialogue_rate.run,
    "memory": memory.run,
    "llm": llm_rate.run,
    "sim": sim_rate.run,
    "learning": sim_learning.run,
    "film": film_rate.run,
    "metrics": metrics_rate.run,
    "sft": sft_rate.run,
    "clips": clips_rate.run,
    "aqa": aqa_paper_mode.run,
    "emg": emg_rate.run,
    "engine": engine_rate.run,
    "prepare": prepare_rate.run,
    "eval": eval_rate.run,
    "coach": coach_rate.run,
    "review": review_rate.run,
}
RESULTS = Path("runs/bench/results.json")

app = cli.new_app("Side-by-side measurements.")


@app.command()
def bench(
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(BENCHMARKS)}; may be repeated.")
    ] = None,
) -> None:
    """Run the benchmarks and print one table each."""
    console = Console()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    console.print(f"[bold]Machine[/]: {machine}")
    results = {name: BENCHMARKS[name](console) for name in only or BENCHMARKS}
    write_text(RESULTS, json.dumps({"machine": machine, **results}, indent=2) + "\n")
    console.print(f"written to {RESULTS}")


if __name__ == "__main__":
    cli.run(app)
