"""The coach's page for tests: the real command in a process of its own, and Chromium before it."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waiting import PATIENCE_S, until

from vlm.card import CARD_VERSION, CoachCard

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WHY_NOT = "needs Chromium (Debian: apt-get install chromium)"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Server:
    """A page that is served.

    Attributes:
        folder: where its feedback, log, posters and temporary files lie.
    """

    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def feedback(self) -> Path:
        return self.folder / "feedback.jsonl"


def chat_server(say: Callable[[dict[str, Any]], str]) -> AbstractContextManager[tuple[str, Any]]:
    """Serve answers as the fixture `chat_server` does, for longer than one test."""
    spec = importlib.util.spec_from_file_location("shared", ROOT / "tests" / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    shared = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shared)
    found: AbstractContextManager[tuple[str, Any]] = shared._chat_server(say)
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Server]:
    """Yield a server; it must end by itself when it is asked to, and leave no temporary file."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "temporary"
    temporary.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "coach", "demo", "--port", str(port)]
    command += ["--feedback", str(folder / "feedback.jsonl"), "--log", str(folder / "log.jsonl")]
    if "--endpoint" in options:
        card = CoachCard(version=CARD_VERSION, tokens_per_second=8, base_tokens_per_second=2)
        card.write(folder)
        command += ["--adapter", str(folder)]
    output = (folder / "output.txt").open("wb")
    environment = {**os.environ, "TMPDIR": str(temporary), "OPENAI_API_KEY": "none"}
    process = subprocess.Popen(
        [*command, *options], cwd=ROOT, stdout=output, stderr=output, env=environment
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        _wait(address, process, folder / "output.txt")
        yield Server(address, folder, process)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert list(temporary.glob("flex-coach-*")) == []
    finally:
        process.kill()
        process.wait()
        output.close()


def _wait(address: str, process: subprocess.Popen[bytes], output: Path) -> None:
    def served() -> bool:
        assert process.poll() is None, f"no page at {address}:\n{output.read_text()}"
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE_S):
                return True
        except OSError:
            return False

    until(served)


@dataclass
class Watched:
    """A browser's page, and what it complained about or asked the world for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def check(self) -> None:
        assert self.complaints == []
        assert self.outside == []


@contextmanager
def browser(flags: Sequence[str] = FLAGS) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*flags])
        yield chromium
        chromium.close()


@contextmanager
def visit(chromium: Any, server: Server, width: int = 1280) -> Iterator[Watched]:
    """Yield the page as a new visitor sees it; at the end there must be no complaint."""
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE_S)
    watched = Watched(page)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on(
        "console",
        lambda said: watched.complaints.append(said.text) if said.type == "error" else None,
    )
    ours = (server.address, "data:", "blob:")
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(ours) else watched.outside.append(asked.url),
    )
    page.goto(server.address)
    page.wait_for_selector("#assess")
    yield watched
    watched.check()
    context.close()
