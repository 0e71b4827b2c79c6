"""What a server may send in place of a chat completion: each is one clear failure, or text."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flex.problems import InputError
from vlm.endpoint import Endpoint, text_of
from vlm.generate import Conversation


@contextmanager
def serving(body: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/v1"
        finally:
            http.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Good.", "Good."),
        ([{"type": "text", "text": "Go"}, {"type": "text", "text": "od."}], "Good."),
        ([{"type": "image_url"}, 3, {"text": 5}], ""),
        (None, ""),
        ({"text": "x"}, ""),
        ("half \ud83d", "half ?"),
    ],
)
def test_content_in_parts_is_text(content: object, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    "body",
    ["{}", '{"choices": []}', '"hello"', "not json", '{"a":' * 20_000 + "1" + "}" * 20_000],
    ids=["empty", "no choices", "text", "no JSON", "deep"],
)
def test_what_is_no_completion_is_one_failure(body: str) -> None:
    with serving(body) as address:
        endpoint = Endpoint(address, "m", retries=0)
        with pytest.raises(InputError, match="chat completion"):
            endpoint.generate([Conversation((), [{"role": "user", "content": "Well?"}])])
