"""`python -m eval predict`: the options of `eval.predict.run`."""

from typing import Annotated

import typer

from engine.options import DataFolder, Ray, Retry
from engine.where import Engine
from eval.options import (
    CACHE,
    DATA,
    DIALOGUES,
    OUT,
    Adapter,
    Cache,
    Dialogues,
    GraphFile,
    Limit,
    Out,
)
from flex.graph_file import GRAPH_FILE
from vlm.dialogues import MAX_NEW_TOKENS


def predict(
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder or hub id; with --endpoint, a served name.",
            show_default="the adapter's base",
        ),
    ] = None,
    adapter: Adapter = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            help="pretrained, prompted or tuned; may be given several times.",
            show_default="all that are possible",
        ),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="OpenAI-compatible server, up to and with /v1, instead of a local model."
        ),
    ] = None,
    data: DataFolder = DATA,
    dialogues: Dialogues = DIALOGUES,
    out: Out = OUT,
    cache: Cache = CACHE,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    view: Annotated[str, typer.Option(help="The camera that the model sees.")] = "View-1",
    limit: Limit = None,
    batch: Annotated[
        int, typer.Option(help="Clips that are asked at once; halved when memory runs out.", min=1)
    ] = 8,
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer.", min=1)] = MAX_NEW_TOKENS,
    frames: Annotated[
        int | None, typer.Option(help="Frames of a clip.", show_default="as trained, else 16")
    ] = None,
    pixels: Annotated[
        int | None, typer.Option(help="Most pixels of a frame.", show_default="as trained")
    ] = None,
    graph_file: GraphFile = GRAPH_FILE,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes here, each with a replica of the model.",
            show_default="none: this process asks; with --ray: as many as fit",
        ),
    ] = None,
    ray: Ray = None,
    gpus: Annotated[float, typer.Option(help="GPUs of each worker: 1 for a replica a GPU.")] = 0,
    retry: Retry = False,
) -> None:
    """Ask a model about every clip of a split, in up to three modes.

    pretrained: the base. prompted: the base, told the rules of the graph. tuned: with the adapter.
    Writes answers-MODE.jsonl; a run that was stopped goes on when the same command is given again.

    With --jobs or --ray each worker loads a replica of the model and asks its share of the batches;
    the answers are the same.
    """
    from eval import predict as predicting
    from flex.config import load_config
    from flex.video import Sampler

    given = {"frames": frames, "pixels": pixels}
    settings = [f"{name}={value}" for name, value in given.items() if value is not None]
    predicting.run(
        model=model,
        adapter=adapter,
        modes=mode,
        endpoint=endpoint,
        data=data,
        dialogues=dialogues,
        out=out,
        cache=cache,
        split=split,
        view=view,
        limit=limit,
        batch=batch,
        max_new_tokens=max_new_tokens,
        sampler=load_config(Sampler, settings=settings) if settings else None,
        graph_file=graph_file,
        where=None if jobs is None and ray is None else Engine(jobs=jobs, ray=ray, retry=retry),
        gpus=gpus,
    )
