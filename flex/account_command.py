"""`add-user`, a command of every page with a login: writes a name and the hash of a password."""

from pathlib import Path
from typing import Annotated

import typer

from flex.accounts import LEAST_LENGTH, add_account


def add_user(
    file: Annotated[Path, typer.Argument(help="The file for `--auth-file`; made if missing.")],
    name: Annotated[str, typer.Argument(help="Letters, digits and ._@-")],
) -> None:
    """Add a user who may log in, or give one a new password.

    The password is asked for, and only its hash is kept.
    """
    password: str = typer.prompt(
        f"Password for {name}, at least {LEAST_LENGTH} characters",
        hide_input=True,
        confirmation_prompt=True,
    )
    new = add_account(file, name, password)
    typer.echo(f"{file}: {name} {'added' if new else 'has a new password'}")
