"""The engine switch on the command line; every command that runs work over clips has the same.

def command(jobs: Jobs = None, ray: Ray = None, retry: Retry = False) -> None:
    run_all(..., where=Engine(jobs=jobs, ray=ray, retry=retry))
"""

from pathlib import Path
from typing import Annotated

import typer


def data_folder(address: str) -> Path:
    """Return a folder on this machine for what `--data` says; see `engine.remote.local_copy`."""
    from engine.remote import local_copy

    return local_copy(address)


Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        help="Workers at once; default: one for each processor, with --ray all that fit.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="auto|ADDRESS",
        help="Run on a Ray cluster: the one that this machine belongs to (auto), or host:6379 or "
        "ray://host:10001. The output is the same. Needs: pip install 'flex-coach[cluster]'.",
    ),
]
Retry = Annotated[bool, typer.Option("--retry", help="Try again what is on the quarantine list.")]
DataFolder = Annotated[
    Path,
    typer.Option(
        "--data",
        parser=data_folder,
        metavar="FOLDER|ADDRESS",
        help="Data folder: FLEX-Sim's, or the authors' ROOT; of an address such as s3://lab/flex a "
        "copy is kept in runs/cache/remote.",
    ),
]
