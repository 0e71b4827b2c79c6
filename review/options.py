"""Options and a progress bar that the commands of `python -m review` share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flex.cli import err
from review.store import STORE, Store

Db = Annotated[Path, typer.Option("--store", help="The review's file.")]
GraphFile = Annotated[
    Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
]
Name = Annotated[str, typer.Argument(help="Who; see `python -m review people`.")]
Clip = Annotated[str, typer.Argument(help="The clip, such as A01/001.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
DEFAULT = STORE


@contextmanager
def existing(path: Path) -> Iterator[Store]:
    """Open a review that is there, and close it.

    Raises:
        InputError: there is none.
    """
    with Store(path, create=False) as store:
        yield store


@contextmanager
def counting(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show a bar while the block runs; call what it gives after each piece of work."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
