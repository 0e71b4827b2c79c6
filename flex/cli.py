"""How every command of ours ends: bad input is listed in full, Ctrl-C and a full disk are said."""

import errno
import sys

import typer
from rich.console import Console

from flex.problems import InputError

err = Console(stderr=True, highlight=False, soft_wrap=True)


def new_app(help_text: str) -> typer.Typer:
    """Return a typer app with our defaults; its commands' docstrings are their help."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )


def run(app: typer.Typer) -> None:
    """Run an app; exit with 2 after bad input, 130 after Ctrl-C, 1 on a full disk."""
    try:
        app()
    except InputError as error:
        for problem in error.problems:
            err.print(f"[red]error[/] {problem.place}", end=": ", markup=True)
            err.print(problem.message, markup=False)
        if len(error.problems) > 1:
            err.print(f"{len(error.problems)} problems")
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped; the same command goes on where it was")
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        err.print("[red]error[/] the disk is full; make room and run the same command again")
        sys.exit(1)
