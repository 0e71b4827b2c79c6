"""Serves the coach's page: checks what can be checked at once, then loads the model behind it.

    serve(Settings(model="models/tiny-coach-base", adapter=Path("runs/sft/coach")))

The page is there before the model. Uploads, frames and reports lie in a folder of its own, which
is removed at the end.
"""

import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from coach.assess import assess
from coach.choice import Chosen, choose_model
from coach.coaching import Coaching
from coach.desk import Desk
from coach.gallery import Example, find_examples
from coach.intake import Intake
from coach.log import Log
from coach.muscles import find_muscles
from coach.page import build_page, style
from coach.page_events import Events
from coach.settings import Settings
from coach.talk import Talker
from coach.talk_loading import Loading
from coach.words import say
from flex.accounts import Accounts, load_accounts
from flex.cli import err
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.pages import gradio
from flex.problems import InputError, Problem
from vlm.defaults import find_sampler
from vlm.generate import Decoding

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
POSTERS = Path("runs/coach/posters")
_MIB = 1024**2


def serve(settings: Settings) -> None:
    """Serve until Ctrl-C or a signal to end.

    Raises:
        InputError: no gradio or torch, no such model or adapter, another host without accounts, a
            port that is taken.
    """
    started = time.monotonic()
    accounts = _accounts(settings)
    _check_port(settings)
    chosen = choose_model(settings)
    graph = load_graph(settings.graph_file)
    with tempfile.TemporaryDirectory(prefix="flex-coach-") as name, _until_told() as told:
        folder = Path(name).resolve()
        # Read when gradio is imported: no outside request, and uploads in our own folder.
        os.environ |= {
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_TEMP_DIR": str(folder / "uploads"),
            "HF_HUB_OFFLINE": "1",
        }
        gradio()
        muscles = find_muscles(settings.emg, settings.data, graph, folder)
        log = Log(settings.log)
        coaching = Coaching(
            graph=graph,
            loading=Loading(lambda: _warm(graph, chosen)),
            desk=Desk(chosen.at_once, settings.waiting),
            intake=Intake(settings.limits, find_sampler(chosen.local, settings.adapter), folder),
            log=log,
            decoding=Decoding(max_new_tokens=settings.max_new_tokens),
        )
        examples = _Examples(settings, graph)
        events = Events(
            coaching=coaching,
            names=chosen.names,
            simulated=chosen.simulated,
            examples=examples,
            feedback=settings.feedback,
            left_out=chosen.left_out,
            muscles=muscles,
        )
        page = build_page(events)
        page.queue(max_size=4 * settings.waiting)
        page.launch(**_launch(settings, accounts), **style())
        seconds = time.monotonic() - started
        address = f"http://{settings.host}:{settings.port}/"
        err.print(f"The coach is at [bold]{address}[/] (ready after {seconds:.1f} s). Ctrl-C ends.")
        if events.untuned:
            _warn_untuned()
        log.event("ready", seconds=seconds, cpu_s=time.process_time())
        # Only now: while torch is imported, nothing else gets on.
        coaching.loading.start()
        _say_when_loaded(coaching, log, started, untuned=events.untuned)
        told.wait()
        page.close(verbose=False)


def _warm(graph: Graph, chosen: Chosen) -> Talker:
    """Load the model, and before it what the first upload and the first answer need."""
    import av  # noqa: F401

    assess(graph, {"recognise": "A squat.", "evaluate": "Your knees caved in."}, duration_s=1)
    return chosen.opener()


class _Examples:
    """The gallery, made when the first visitor comes."""

    def __init__(self, settings: Settings, graph: Graph) -> None:
        self._settings, self._graph = settings, graph
        self._one = threading.Lock()
        self._found: list[Example] | None = None

    def __call__(self) -> list[Example]:
        with self._one:
            if self._found is None:
                self._found = self._find()
            return self._found

    def _find(self) -> list[Example]:
        data, dialogues = self._settings.data, self._settings.dialogues
        try:
            return find_examples(dialogues, data, self._graph, POSTERS)
        except (InputError, OSError) as error:
            err.print("no examples are shown:", str(error), markup=False)
            return []


def _accounts(settings: Settings) -> Accounts | None:
    if settings.auth_file:
        return load_accounts(settings.auth_file)
    if settings.host not in LOCAL_HOSTS:
        message = (
            f"{settings.host} can be reached by others, so that people must log in; give "
            "--auth-file, made by `python -m coach add-user FILE NAME`"
        )
        raise InputError([Problem("--host", message)])
    return None


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            place = f"{settings.host}:{settings.port}"
            message = f"cannot be used ({error.strerror}); choose another --port"
            raise InputError([Problem(place, message)]) from error


def _launch(settings: Settings, accounts: Accounts | None) -> dict[str, Any]:
    shown = [settings.data.resolve(), POSTERS.resolve()]
    return {
        "server_name": settings.host,
        "server_port": settings.port,
        "auth": accounts.check if accounts else None,
        "share": False,
        "prevent_thread_lock": True,
        "quiet": True,
        "show_error": True,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "enable_monitoring": False,
        "run_history": False,
        "footer_links": [],
        "allowed_paths": [str(path) for path in shown],
        # A little more than is taken, so that what is too large gets our sentence.
        "max_file_size": settings.limits.most_bytes + 64 * _MIB,
    }


def _warn_untuned() -> None:
    err.print(f"[bold yellow]untuned[/] {say('untuned')}")


def _say_when_loaded(coaching: Coaching, log: Log, started: float, *, untuned: bool) -> None:
    def wait() -> None:
        coaching.loading.over.wait()
        seconds, failure = time.monotonic() - started, coaching.loading.failure
        err.print(
            f"[red]error[/] {failure}" if failure else f"The model is there ({seconds:.1f} s)."
        )
        if untuned and not failure:
            _warn_untuned()
        log.event("model", seconds=seconds, failure=failure)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _until_told() -> Iterator[threading.Event]:
    """Yield what is set by Ctrl-C and by a signal to end, so that the folder is removed."""
    told = threading.Event()

    def tell(_: int, __: FrameType | None) -> None:
        told.set()

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
