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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from coach.assess import assess
from coach.coaching import Coaching
from coach.desk import Desk
from coach.feedback import FEEDBACK_FILE
from coach.gallery import Example, find_examples
from coach.intake import Intake
from coach.limits import Limits
from coach.log import Log
from coach.page import build_page, gradio, style
from coach.page_events import Events
from coach.talk import MODES, Mode, Talker, find_sampler, is_tiny, open_local_talker
from coach.talk import open_served_talker as open_served
from coach.talk_loading import Loading
from flex.accounts import Accounts, load_accounts
from flex.cli import err
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from vlm.generate import Decoding
from vlm.weights import base_of

TINY_BASE = Path("models/tiny-coach-base")
TINY_ADAPTER = Path("runs/sft/coach")
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LOG_FILE = Path("runs/coach/log.jsonl")
POSTERS = Path("runs/coach/posters")
_SERVED = 8
_MIB = 1024**2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the page is served; `python -m coach demo --help` says what each is."""

    model: str | None = None
    adapter: Path | None = None
    endpoint: str | None = None
    data: Path = Path("data/flex-sim")
    dialogues: Path = Path("runs/qa/dialogues.jsonl")
    graph_file: Path = GRAPH_FILE
    host: str = "127.0.0.1"
    port: int = 7860
    auth_file: Path | None = None
    feedback: Path = FEEDBACK_FILE
    log: Path = LOG_FILE
    limits: Limits = field(default_factory=Limits)
    waiting: int = 40
    max_new_tokens: int = 512


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
        events = Events(coaching, chosen.names, chosen.simulated, examples, settings.feedback)
        page = build_page(events)
        page.queue(max_size=4 * settings.waiting)
        page.launch(**_launch(settings, accounts), **style())
        seconds = time.monotonic() - started
        address = f"http://{settings.host}:{settings.port}/"
        err.print(f"The coach is at [bold]{address}[/] (ready after {seconds:.1f} s). Ctrl-C ends.")
        log.event("ready", seconds=seconds, cpu_s=time.process_time())
        # Only now: while torch is imported, nothing else gets on.
        coaching.loading.start()
        _say_when_loaded(coaching, log, started)
        told.wait()
        page.close(verbose=False)


@dataclass(frozen=True)
class Chosen:
    """Which model talks.

    Attributes:
        local: folder or hub id of a model on this machine; `None` behind an endpoint.
        names: what each mode is called.
    """

    opener: Callable[[], Talker]
    names: dict[Mode, str]
    simulated: bool
    at_once: int
    local: str | None


def choose_model(settings: Settings) -> Chosen:
    """Return the model that is asked for, or the tiny coach with its adapter if that is there.

    Raises:
        InputError: no such model or adapter, no torch, or an endpoint without a model's name.
    """
    if settings.endpoint:
        return _served(settings, settings.endpoint)
    adapter = settings.adapter
    if settings.model is None and adapter is None and (TINY_ADAPTER / "flex_coach.json").exists():
        adapter = TINY_ADAPTER
    model = settings.model or (base_of(adapter) if adapter else str(TINY_BASE))
    _check_torch()
    sampler = find_sampler(model, adapter)
    base, tuned = Path(model).name, adapter.name if adapter else ""
    names: dict[Mode, str] = {"base": base, "prompted": f"{base} told the rules"}
    if adapter:
        names["tuned"] = f"{base} + {tuned}"
    return Chosen(
        opener=lambda: open_local_talker(model, adapter, sampler),
        names={mode: names[mode] for mode in MODES if mode in names},
        simulated=is_tiny(model),
        at_once=1,
        local=model,
    )


def _served(settings: Settings, endpoint: str) -> Chosen:
    model = settings.model
    if not model:
        message = "with --endpoint, name the model as the server calls it"
        raise InputError([Problem("--model", message)])
    return Chosen(
        opener=lambda: open_served(endpoint, model),
        names={"base": model, "prompted": f"{model} told the rules"},
        simulated=False,
        at_once=_SERVED,
        local=None,
    )


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


def _check_torch() -> None:
    import importlib.util

    for name in ("torch", "transformers", "peft"):
        if importlib.util.find_spec(name) is None:
            message = f"the local model needs {name}: pip install -e '.[coach,train]'"
            raise InputError([Problem(name, message)])


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


def _say_when_loaded(coaching: Coaching, log: Log, started: float) -> None:
    def say() -> None:
        coaching.loading.over.wait()
        seconds, failure = time.monotonic() - started, coaching.loading.failure
        err.print(
            f"[red]error[/] {failure}" if failure else f"The model is there ({seconds:.1f} s)."
        )
        log.event("model", seconds=seconds, failure=failure)

    threading.Thread(target=say, daemon=True).start()


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
