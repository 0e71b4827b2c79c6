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


@app.command("predict")
def predict(
    model: Model = None,
    adapter: Adapter = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(help="pretrained, prompted or tuned; may be repeated.", show_default="all"),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server that runs --model.")
    ] = None,
    data: Data = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = OUT,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    view: Annotated[str, typer.Option(help="Camera view.")] = "View-1",
    limit: Annotated[int | None, typer.Option(help="At most so many clips.", min=1)] = None,
    batch: Annotated[int, typer.Option(help="Clips at once.", min=1)] = 8,
) -> None:
    """Ask a model the four questions about every clip. A stopped run goes on where it was."""
    from eval import predict as room

    room.run(
        model=model or _base(adapter),
        adapter=adapter,
        modes=mode,
        endpoint=endpoint,
        data=data,
        dialogues=dialogues,
        out=out,
        split=split,
        view=view,
        limit=limit,
        batch=batch,
    )


@app.command("report")
def report(
    data: Data = DATA, dialogues: Dialogues = DIALOGUES, out: Out = OUT, encoder: EncoderName = None
) -> None:
    """Measure the answers of a folder and write report.md, report.json and report.html."""
    from eval import report as room

    page = room.run(dialogues=dialogues, data=data, out=out, encoder=encoder)
    typer.echo(f"Open {page}, or read {page.with_suffix('.md')}.")


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
    """Predict in all modes, then report."""
    predict(model, adapter, None, None, data, dialogues, out, limit=limit, split="test")
    report(data, dialogues, out, encoder)


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
