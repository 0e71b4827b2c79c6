"""`python -m aqa evaluate`: the options of `aqa.report.run`."""

from pathlib import Path
from typing import Annotated

import typer

from flex.graph_file import GRAPH_FILE
from flex.splits import Part


def evaluate(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs, or files of predictions.", show_default="runs/aqa"),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder of the clips, with annotations.jsonl.")] = Path(
        "data/flex-sim"
    ),
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("runs/aqa/report"),
    part: Annotated[Part, typer.Option(help="Part of the split that is judged.")] = "test",
    mlp: Annotated[
        Path | None,
        typer.Option(help="Run whose video features a baseline reads: “I3D + MLP”."),
    ] = None,
    drop: Annotated[
        float, typer.Option(help="Points under a set's first three that count as a drop.", min=0)
    ] = 5.0,
    resamples: Annotated[int, typer.Option(help="Draws for the intervals.", min=1)] = 1000,
    graph_file: Annotated[
        Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
) -> None:
    """Judge runs: ρ, R-l2, errors and calibration, with intervals and baselines.

    Every run says its variant and seed; runs of one variant become one row. Writes report.md,
    report.json, report.html and the figures. Where whole sets of repetitions are predicted, it also
    asks whether quality falls before a set ends.

        python -m aqa evaluate runs/aqa/sv runs/aqa/mv runs/aqa/graph

        python -m aqa evaluate --mlp runs/aqa/mv
    """
    from aqa import report

    page = report.run(
        runs=runs,
        data=data,
        out=out,
        part=part,
        mlp=mlp,
        drop=drop,
        resamples=resamples,
        graph_file=graph_file,
    )
    typer.echo(f"Open {page}, or read {page.with_suffix('.md')}.")
