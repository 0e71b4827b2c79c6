"""`python -m eval`: what a coach answers, how good that is, and a report.

python -m eval run --adapter runs/sft/coach             # predict and report in one
python -m eval predict --model Qwen/Qwen2.5-VL-3B-Instruct --limit 20
python -m eval judge --endpoint http://localhost:8000/v1 --model judge
python -m eval report --out runs/eval
python -m eval ceilings
python -m eval score runs/eval/answers-tuned.jsonl --data data/flex-sim
python -m eval score lifts.jsonl --map configs/import/fitness-aqa.yaml
"""

from pathlib import Path
from typing import Annotated

import typer

from eval import ceilings_command, judge_command, predict_command, report_command
from eval.options import (
    CACHE,
    DATA,
    DIALOGUES,
    OUT,
    Adapter,
    Cache,
    Data,
    Dialogues,
    EncoderName,
    GraphFile,
    Limit,
    Out,
    ReaderEndpoint,
    ReaderModel,
    ReaderName,
    ReaderRequests,
    Workers,
)
from flex import cli
from flex.graph_file import GRAPH_FILE

app = cli.new_app("Judges a coach: answers, metrics with intervals and baselines, a report.")

Model = Annotated[
    str | None, typer.Option(help="Folder or hub id.", show_default="the adapter's base")
]


@app.callback()
def main() -> None:
    """Judge a coach."""


@app.command("score")
def score(
    answers: Annotated[Path, typer.Argument(help="Answers, or labelled lifts (JSON Lines).")],
    out: Annotated[Path, typer.Option(help="Folder for scores.json.")] = OUT,
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder with annotations.jsonl: score ranges and baselines."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="What the labels of lifts mean.")
    ] = None,
    reader: ReaderName = "matcher",
    reader_endpoint: ReaderEndpoint = None,
    reader_model: ReaderModel = None,
    reader_requests: ReaderRequests = None,
    encoder: EncoderName = None,
    workers: Workers = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Judge answers: text metrics, error types, scores, with intervals over subjects.

    Lifts are lines with clip, exercise, labels and answer_NAME fields; every NAME is a mode, judged
    on the labelled error types only.
    """
    from eval import score_command
    from eval.readers import choose

    score_command.run(
        answers,
        out=out,
        data=data,
        mapping=mapping,
        reader=choose(
            reader, out=out, endpoint=reader_endpoint, model=reader_model, requests=reader_requests
        ),
        encoder=encoder,
        workers=workers,
        graph_file=graph_file,
    )


app.command("predict")(predict_command.predict)
app.command("judge")(judge_command.judge)
app.command("report")(report_command.report)
app.command("ceilings")(ceilings_command.ceilings)


@app.command("run")
def run(
    model: Model = None,
    adapter: Adapter = None,
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = OUT,
    cache: Cache = CACHE,
    reader: ReaderName = "matcher",
    reader_endpoint: ReaderEndpoint = None,
    reader_model: ReaderModel = None,
    reader_requests: ReaderRequests = None,
    encoder: EncoderName = None,
    limit: Limit = None,
) -> None:
    """Predict in all modes, then report. A stopped run goes on where it was."""
    from eval import predict, report
    from eval.readers import choose

    chosen = choose(
        reader, out=out, endpoint=reader_endpoint, model=reader_model, requests=reader_requests
    )
    predict.run(
        model=model,
        adapter=adapter,
        data=data,
        dialogues=dialogues,
        out=out,
        cache=cache,
        limit=limit,
    )
    page = report.run(data=data, dialogues=dialogues, out=out, reader=chosen, encoder=encoder)
    typer.echo(f"Open {page}, or read {page.with_suffix('.md')}.")


if __name__ == "__main__":
    cli.run(app)
