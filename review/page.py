"""The review's page: a FastAPI app with the desk's routes, the door, and Gradio's tabs.

    serve(Site(store, graph, data, accounts), host="127.0.0.1", port=7861, ready=print)

What has to be fast, the desk, talks to plain JSON routes; the tabs with figures are Gradio's.
"""

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex.accounts import Accounts
from flex.graph import Graph
from flex.problems import InputError, Problem
from review.page_gate import LOCAL, Gate
from review.store import Store


@dataclass(frozen=True)
class Site:
    """What the page shows.

    Attributes:
        data: the data folder with the recordings.
        accounts: who may log in; `None`: everybody chooses a name.
    """

    store: Store
    graph: Graph
    data: Path
    accounts: Accounts | None = None


def make_app(site: Site, *, local: bool) -> Gate:
    """Return the whole page as an ASGI app.

    Args:
        site: what it shows.
        local: only names of this machine are answered to.
    """
    import gradio as gr
    from fastapi import FastAPI, Request

    from review.page_door import add_door
    from review.page_login import COOKIE, Door, key_beside
    from review.page_media import Media
    from review.page_routes import Desk, add_routes
    from review.page_tabs import blocks
    from review.page_words import filled

    door = Door(site.store, site.accounts, key_beside(site.store.path))
    media = Media(site.store, site.data, site.graph)
    # The first item should not wait for the records and the video library.
    threading.Thread(target=_warm, args=(media,), daemon=True).start()

    def name(request: Request) -> str | None:
        person = door.person(request.cookies.get(COOKIE))
        return person.name if person else None

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, Desk(site.store, site.graph, media, door))
    add_door(app, door)
    gr.mount_gradio_app(
        app,
        blocks(site.store, site.graph),
        "/",
        auth_dependency=name,
        allowed_paths=[],
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        max_file_size="1mb",
        theme=gr.themes.Base(
            primary_hue="teal",
            neutral_hue="stone",
            font=["system-ui", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ),
        head=filled("head.html.j2"),
    )
    return Gate(app, local=local, knows=name)


def serve(site: Site, *, host: str, port: int, ready: Callable[[str], Any]) -> None:
    """Serve the page until Ctrl-C.

    Args:
        site: what it shows.
        host: the address to listen at; anything but this machine's own needs accounts.
        port: 0 for a free one.
        ready: called with the page's address once it listens.

    Raises:
        InputError: an open page without accounts, or an address that cannot be had.
    """
    local = host in LOCAL
    if not local and site.accounts is None:
        message = "others could reach the page: it needs --auth-file (see `add-user`)"
        raise InputError([Problem(f"--host {host}", message)])
    listener = _listener(host, port)
    with listener, _own_folder():
        import uvicorn

        # uvicorn ends in good order and then passes the signal on, to us: the folder is removed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        app = make_app(site, local=local)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listener.getsockname()[1]}/")
        uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        message = f"cannot listen there ({error}); choose another with --port"
        raise InputError([Problem(f"{host}:{port}", message)]) from error
    return listener


@contextmanager
def _own_folder() -> Iterator[None]:
    """Let Gradio send nothing anywhere, and keep its files in a folder that is removed."""
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    folder = tempfile.mkdtemp(prefix="flex-review-")
    os.environ["GRADIO_TEMP_DIR"] = folder
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _warm(media: Any) -> None:
    import av  # noqa: F401

    len(media.records)
