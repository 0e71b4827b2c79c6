"""`python -m coach demo`: the options of `coach.settings.Settings`."""

from pathlib import Path
from typing import Annotated

import typer

from coach.feedback import FEEDBACK_FILE
from coach.limits import Limits
from coach.settings import Settings
from flex.graph_file import GRAPH_FILE
from vlm.dialogues import MAX_NEW_TOKENS

_LIMITS = Limits()
_MIB = 1024**2


def demo(
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder or hub id; with --endpoint, a served name.",
            show_default="the adapter's base, else models/tiny-coach-base",
        ),
    ] = None,
    adapter: Annotated[
        Path | None,
        typer.Option(
            help="PEFT folder; with --endpoint, only its card is read: what the model saw.",
            show_default="runs/sft/coach, if it is there and no model is named",
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(help="OpenAI-compatible server, up to and with /v1, instead of a model here."),
    ] = None,
    base_endpoint_model: Annotated[
        str | None,
        typer.Option(help="Served name of the base, to compare; --endpoint's --model is tuned."),
    ] = None,
    emg: Annotated[
        Path | None,
        typer.Option(
            help="Run of `python -m emg train`: muscles light up after an assessment.",
            show_default="runs/emg/small, if it is there",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help="Data folder of the examples.")] = Path(
        "data/flex-sim"
    ),
    dialogues: Annotated[Path, typer.Option(help="Dialogues of that data.")] = Path(
        "runs/qa/dialogues.jsonl"
    ),
    host: Annotated[
        str, typer.Option(help="Address to listen at; another one needs --auth-file.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    auth_file: Annotated[
        Path | None, typer.Option(help="Who may log in: see `python -m coach add-user`.")
    ] = None,
    feedback: Annotated[Path, typer.Option(help="File of helpful / wrong.")] = FEEDBACK_FILE,
    log: Annotated[Path, typer.Option(help="File of times, without texts.")] = Path(
        "runs/coach/log.jsonl"
    ),
    limit_s: Annotated[
        float, typer.Option(help="Longest clip, in seconds.", min=1)
    ] = _LIMITS.longest_s,
    limit_mib: Annotated[int, typer.Option(help="Largest file, in MiB.", min=1)] = (
        _LIMITS.most_bytes // _MIB
    ),
    limit_waiting: Annotated[
        int, typer.Option(help="How many may wait for an answer.", min=1)
    ] = 40,
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = MAX_NEW_TOKENS,
    graph_file: Annotated[Path, typer.Option("--graph", help="Knowledge graph.")] = GRAPH_FILE,
) -> None:
    """Talk with the coach about a video, in the browser.

    Without options the tiny coach talks, which knows simulated clips only.
    """
    from coach.demo import serve

    serve(
        Settings(
            model=model,
            adapter=adapter,
            endpoint=endpoint,
            base_endpoint_model=base_endpoint_model,
            emg=emg,
            data=data,
            dialogues=dialogues,
            graph_file=graph_file,
            host=host,
            port=port,
            auth_file=auth_file,
            feedback=feedback,
            log=log,
            limits=Limits(longest_s=limit_s, most_bytes=limit_mib * _MIB),
            waiting=limit_waiting,
            max_new_tokens=max_new_tokens,
        )
    )
