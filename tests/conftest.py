"""Fixtures of several rooms: an endpoint, a Ray cluster, a free port, a model as the hub has it."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "vlm"))  # for `hub_folder`

RAY_NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}
ChatServer = Callable[..., AbstractContextManager[tuple[str, list[dict[str, Any]]]]]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, so that its fixtures are made once.

    Tests of a named group stay together over all files, as those that share the Ray cluster.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


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


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A Ray cluster of two nodes with one processor each: one for all tests of a session.

    Tests that use it are in the group "ray", so that parallel runs start it once as well.
    """
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        # Workers import the tests' own work, and do not starve beside other tests.
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "engine"))
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = Cluster(
            initialize_head=True, head_node_args={**RAY_NODE, "include_dashboard": False}
        )
        cluster.add_node(**RAY_NODE)
    yield cluster
    cluster.shutdown()


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shrunk Qwen2.5-VL with the files of the hub: flattened configuration, two shards."""
    from hub_folder import write_hub_folder

    return write_hub_folder(tmp_path_factory.mktemp("hub") / "Qwen2.5-VL-shrunk")


@pytest.fixture(scope="session")
def nested_hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the configuration and tensor names of newer transformers."""
    from hub_folder import write_hub_folder

    return write_hub_folder(tmp_path_factory.mktemp("hub") / "Qwen2.5-VL-nested", nested=True)
