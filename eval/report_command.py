"""`python -m eval report`: the options of `eval.report.run`."""

from typing import Annotated

import typer

from eval.options import (
    DATA,
    DIALOGUES,
    OUT,
    AnswerFiles,
    Data,
    Dialogues,
    EncoderName,
    GraphFile,
    Out,
    ReaderEndpoint,
    ReaderModel,
    ReaderName,
    ReaderRequests,
    Workers,
)
from flex.cli import err
from flex.graph_file import GRAPH_FILE


def report(
    answers: AnswerFiles = None,
    dialogues: Dialogues = DIALOGUES,
    data: Data = DATA,
    out: Out = OUT,
    reader: ReaderName = "matcher",
    reader_endpoint: ReaderEndpoint = None,
    reader_model: ReaderModel = None,
    reader_requests: ReaderRequests = None,
    encoder: EncoderName = None,
    worst: Annotated[int, typer.Option(help="How many of the worst clips to show.", min=0)] = 6,
    best: Annotated[int, typer.Option(help="How many of the best clips to show.", min=0)] = 3,
    workers: Workers = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Write report.md, report.json and report.html: figures, baselines, plots, worst clips."""
    from eval import report as reporting
    from eval.readers import choose

    page = reporting.run(
        answers=answers,
        dialogues=dialogues,
        data=data,
        out=out,
        reader=choose(
            reader, out=out, endpoint=reader_endpoint, model=reader_model, requests=reader_requests
        ),
        encoder=encoder,
        worst=worst,
        best=best,
        workers=workers,
        graph_file=graph_file,
    )
    err.print(f"Written: {page}, report.md and report.json beside it")
