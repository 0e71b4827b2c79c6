"""`python -m aqa ablate`: one command, one table of what each camera and sensor is worth."""

from pathlib import Path
from typing import Annotated

import typer

from flex.graph_file import GRAPH_FILE


def ablate(
    runs: Annotated[list[Path], typer.Argument(help="Runs of the graph head, one for each seed.")],
    data: Annotated[
        Path | None, typer.Option(help="Data folder.", show_default="the first run's")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("runs/aqa/ablation"),
    retrain: Annotated[
        bool, typer.Option(help="Train a head for each subset, rather than ask the one of RUNS.")
    ] = False,
    resamples: Annotated[int, typer.Option(help="Draws for the intervals.", min=1)] = 1000,
    graph_file: Annotated[
        Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
) -> None:
    """Say what each view, the pose and sEMG are worth: the graph head without some of them.

    Writes predictions.jsonl, report.md, report.json and report.html; a row is a subset of streams,
    held against all of them on the same clips.

        python -m aqa ablate runs/aqa/graph runs/aqa/graph-1

        python -m aqa ablate runs/aqa/graph --retrain
    """
    from aqa.report_ablation import run

    page = run(
        runs, data=data, out=out, retrain=retrain, resamples=resamples, graph_file=graph_file
    )
    typer.echo(f"Open {page}, or read {page.with_suffix('.md')}.")
