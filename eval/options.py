"""Options that several commands of `python -m eval` share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DATA, DIALOGUES = Path("data/flex-sim"), Path("runs/qa/dialogues.jsonl")
OUT = Path("runs/eval")
# Where training keeps frames and features too.
CACHE = Path("runs/cache")

Adapter = Annotated[
    Path | None,
    typer.Option(
        help="What `python -m sft` wrote, for the mode tuned; with --endpoint, its card.",
        show_default=False,
    ),
]
Data = Annotated[Path, typer.Option(help="Folder of the clips, with annotations.jsonl.")]
Dialogues = Annotated[Path, typer.Option(help="What `python -m qa_gen` wrote.")]
Out = Annotated[Path, typer.Option(help="Folder of the run; the same one resumes it.")]
Cache = Annotated[
    Path, typer.Option(help="Folder of decoded frames and vision features, as training's.")
]
EncoderName = Annotated[str | None, typer.Option(help="BERTScore's model: a hub name or a folder.")]
Workers = Annotated[int | None, typer.Option(help="Processes for the text metrics.", min=1)]
Limit = Annotated[int | None, typer.Option(help="Only the first clips.", min=1)]
GraphFile = Annotated[
    Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
]
ReaderName = Annotated[
    Literal["matcher", "llm"], typer.Option("--reader", help="Who reads errors out of the answers.")
]
ReaderEndpoint = Annotated[
    str | None,
    typer.Option(
        help="For --reader llm: OpenAI-compatible server, up to and with /v1; key: OPENAI_API_KEY.",
        show_default=False,
    ),
]
ReaderModel = Annotated[
    str | None,
    typer.Option(help="For --reader llm: name of the served model.", show_default=False),
]
ReaderRequests = Annotated[
    int | None,
    typer.Option(
        help="For --reader llm: send at most so many requests; what is left over is unread.",
        min=0,
        show_default=False,
    ),
]
AnswerFiles = Annotated[
    list[Path] | None,
    typer.Argument(help="Files of answers.", show_default="answers-*.jsonl in --out"),
]
