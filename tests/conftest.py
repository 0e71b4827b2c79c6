"""Fixtures of several rooms: an OpenAI-compatible endpoint, a Ray cluster, a free port."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

ChatServer = Callable[..., AbstractContextManager[tuple[str, list[dict[str, Any]]]]]


@pytest.fixture
def chat_server() -> ChatServer:
    """Return what serves: `with chat_server(say) as (address, requests)`, say: request → answer."""
    return _chat_server


@contextmanager
def _chat_server(
    say: Callable[[dict[str, Any]], str] = lambda _: "Good.",
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield address and requests of a server; the model "gone" is unknown to it."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(body)
            if body["model"] == "gone":
                self.send_error(404)
                return
            live = body.get("stream")
            self.send_response(200)
            self.send_header("content-type", "text/event-stream" if live else "application/json")
            self.end_headers()
            shape = {"id": "1", "created": 0, "model": "m", "object": "chat.completion"}
            text = say(body)
            if not live:
                reply = {"index": 0, "finish_reason": "stop"}
                reply["message"] = {"role": "assistant", "content": text}
                self.wfile.write(json.dumps(shape | {"choices": [reply]}).encode())
                return
            for part in (text[:2], text[2:]):
                piece = shape | {"choices": [{"index": 0, "delta": {"content": part}}]}
                self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/v1", asked
        http.shutdown()
        thread.join()


@pytest.fixture
def ray_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Ray cluster of two processors of this process, whatever other tests have started."""
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else workers starve beside other tests
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    options = {"include_dashboard": False, "object_store_memory": 80_000_000}
    ray.init(address="local", num_cpus=2, log_to_driver=False, **options)
    yield
    ray.shutdown()


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
