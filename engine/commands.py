"""What `python -m engine` does; each docstring is the command's help. Nothing heavy is imported."""

import time
from typing import Annotated

import typer

from flex.cli import err
from flex.problems import InputError


def copy(
    source: Annotated[str, typer.Argument(help="Folder here, or an address like s3://bucket/a.")],
    target: Annotated[str, typer.Argument(help="Folder here, or an address like s3://bucket/a.")],
    every: Annotated[
        float | None,
        typer.Option(
            help="Copy again after so many seconds, until Ctrl-C; also after a failure.",
            min=1,
            show_default="once",
        ),
    ] = None,
) -> None:
    """Copy a folder's files that the target lacks or has older; nothing is deleted there.

    Any store of fsspec will do; s3:// needs pip install s3fs, gs:// gcsfs. A checkpoint that is
    copied while it is written counts as incomplete, and the one before it is resumed from.
    """
    from engine.remote import copy_tree

    first = True
    while True:
        started = time.monotonic()
        try:
            copied = copy_tree(source, target)
            err.print(f"{copied:,} files copied in {time.monotonic() - started:.1f} s")
        except InputError as error:
            if first or every is None:
                raise
            err.print(f"tried again in {every:g} s: {error}", markup=False)
        if every is None:
            return
        first = False
        time.sleep(every)
