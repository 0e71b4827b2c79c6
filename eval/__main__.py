"""`python -m eval`: what a coach answers, how good that is, and a report.

python -m eval run --adapter runs/sft/coach             # predict and report in one
python -m eval predict --model Qwen/Qwen2.5-VL-3B-Instruct --limit 20
python -m eval report --out runs/eval
python -m eval score runs/eval/answers-tuned.jsonl --data data/flex-sim
python -m eval score lifts.jsonl --map configs/import/fitness-aqa.yaml
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from eval import predict_command, report_command
from flex import cli
from flex.graph_file import GRAPH_FILE
from flex.problems import InputError, Problem

app = cli.new_app("Judges a coach: answers, metrics with intervals and baselines, a report.")

DATA, DIALOGUES = Path("data/flex-sim"), Path("runs/qa/dialogues.jsonl")
OUT = Path("runs/eval")

Model = Annotated[
    str | None, typer.Option(help="Folder or hub id.", show_default="the adapter's base")
]
Adapter = Annotated[Path | None, typer.Option(help="What `python -m sft` wrote.")]
Data = Annotated[Path, typer.Option(help="Folder of the clips.")]
Dialogues = Annotated[Path, typer.Option(help="What `python -m qa_gen` wrote.")]
Out = Annotated[Path, typer.Option(help="Folder of answers and report.")]
EncoderName = Annotated[str | None, typer.Option(help="BERTScore's model: a hub name or a folder.")]
GraphFile = Annotated[
    Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
]


@app.callback()
def main() -> None:
    """Judge a coach."""


@app.command("score")
def score(
    answers: Annotated[Path, typer.Argument(help="Answers, or labelled lifts (JSON Lines).")],
    out: Annotated[Path, typer.Option(help="Folder for scores.json.")] = Path("runs/eval"),
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder with annotations.jsonl: score ranges and baselines."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="What the labels of lifts mean.")
    ] = None,
    encoder: EncoderName = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes for the text metrics.", min=1)
    ] = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Judge answers: text metrics, error types, scores, with intervals over subjects.

    Lifts are lines with clip, exercise, labels and answer_NAME fields; every NAME is a mode, judged
    on the labelled error types only.
    """
    from eval import score_command

    score_command.run(
        answers,
        out=out,
        data=data,
        mapping=mapping,
        encoder=encoder,
        workers=workers,
        graph_file=graph_file,
    )


app.command("predict")(predict_command.predict)
app.command("report")(report_command.report)


@app.command("run")
def run(
    model: Model = None,
    adapter: Adapter = None,
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = OUT,
    encoder: EncoderName = None,
    limit: Annotated[int | None, typer.Option(help="At most so many clips.", min=1)] = None,
) -> None:
    """Predict in all modes, then report. A stopped run goes on where it was."""
    from eval import predict, report

    predict.run(
        model=model or _base(adapter),
        adapter=adapter,
        data=data,
        dialogues=dialogues,
        out=out,
        limit=limit,
    )
    page = report.run(data=data, dialogues=dialogues, out=out, encoder=encoder)
    typer.echo(f"Open {page}, or read {page.with_suffix('.md')}.")


def _base(adapter: Path | None) -> str:
    """Return the base that an adapter was trained on."""
    if adapter is None:
        raise InputError([Problem("--model", "name a model, or an --adapter with its base")])
    path = adapter / "adapter_config.json"
    try:
        return str(json.loads(path.read_text("utf-8"))["base_model_name_or_path"])
    except (OSError, ValueError, KeyError) as error:
        message = "is no adapter; `make sft` writes one, or name --model for a base alone"
        raise InputError([Problem(str(path), message)]) from error


if __name__ == "__main__":
    cli.run(app)
