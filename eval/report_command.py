"""`python -m eval report`: the options of `eval.report.run`."""

from pathlib import Path
from typing import Annotated

import typer

from flex.cli import err
from flex.graph_file import GRAPH_FILE


def report(
    answers: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of answers.", show_default="answers-*.jsonl in --out"),
    ] = None,
    dialogues: Annotated[Path, typer.Option(help="Questions, answers and facts.")] = Path(
        "runs/qa/dialogues.jsonl"
    ),
    data: Annotated[Path, typer.Option(help="Folder of the clips, with annotations.jsonl.")] = Path(
        "data/flex-sim"
    ),
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("runs/eval"),
    encoder: Annotated[
        str | None, typer.Option(help="BERTScore's model: a hub name or a folder.")
    ] = None,
    worst: Annotated[int, typer.Option(help="How many of the worst clips to show.", min=0)] = 6,
    best: Annotated[int, typer.Option(help="How many of the best clips to show.", min=0)] = 3,
    workers: Annotated[
        int | None, typer.Option(help="Processes for the text metrics.", min=1)
    ] = None,
    graph_file: Annotated[
        Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
) -> None:
    """Write report.md, report.json and report.html: figures, baselines, plots, worst clips."""
    from eval import report as reporting

    page = reporting.run(
        answers=answers,
        dialogues=dialogues,
        data=data,
        out=out,
        encoder=encoder,
        worst=worst,
        best=best,
        workers=workers,
        graph_file=graph_file,
    )
    err.print(f"Written: {page}, report.md and report.json beside it")
