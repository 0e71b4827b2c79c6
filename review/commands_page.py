"""`python -m review page`: the review in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from flex.accounts import load_accounts
from flex.cli import err
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.pages import gradio
from review.load import load
from review.options import DEFAULT, Db, GraphFile, counting
from review.store import Store

DATA, DIALOGUES, PORT = Path("data/flex-sim"), Path("runs/qa"), 7861


def page_command(
    data: Annotated[Path, typer.Option(help="The data folder with the recordings.")] = DATA,
    dialogues: Annotated[
        Path, typer.Option(help="A run of `python -m qa_gen`; loaded if the review is empty.")
    ] = DIALOGUES,
    db: Db = DEFAULT,
    host: Annotated[
        str, typer.Option(help="Where to listen; anything but this machine needs --auth-file.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65535)] = PORT,
    auth_file: Annotated[
        Path | None, typer.Option(help="Who may log in; made by `python -m review add-user`.")
    ] = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Open the review for browsers, and print its address.

    Without --auth-file, who opens the page on this machine chooses a name.
    """
    gradio()
    from review.page import Site, serve

    accounts = None if auth_file is None else load_accounts(auth_file)
    graph = load_graph(graph_file)
    with Store(db) as store:
        _fill(store, dialogues, graph)
        if not data.is_dir():
            err.print(f"{data}: no such folder, so that no clip can be shown (--data)")
        serve(Site(store, graph, data, accounts), host=host, port=port, ready=_ready)


def _fill(store: Store, dialogues: Path, graph: Graph) -> None:
    with store.read() as db:
        filled = db.execute("SELECT EXISTS (SELECT 1 FROM items)").fetchone()[0]
    if not filled:
        with counting("dialogues") as step:
            loaded = load(store, dialogues, graph, progress=step)
        err.print(f"{loaded.new:,} dialogues loaded from {dialogues}")


def _ready(address: str) -> None:
    typer.echo(f"The review is at {address}")
