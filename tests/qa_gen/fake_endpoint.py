"""An OpenAI-compatible endpoint that answers at once, or as badly as it is told to.

python tests/qa_gen/fake_endpoint.py --port 8000 --latency 1     # prints its base URL

It reads the clip's facts from the prompt and answers with what the template writer makes of them.
Tests run it in a thread and script its faults: `endpoint.faults` holds one fault per request, in
order; when it is empty, requests are answered well.
"""

import argparse
import asyncio
import json
import re
import threading
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self

from flex.graph import Occurrence
from flex.graph_file import load_graph
from qa_gen.facts import ErrorFact, Facts
from qa_gen.template_writer import TemplateWriter

Body = dict[str, Any]
Answer = Callable[[Body], Any]
# A response: status, headers, body text; `None` closes the connection without one.
Response = tuple[int, dict[str, str], str] | None
Fault = Callable[[Body], Response]
HANG_S = 3600.0
HANGING: Response = (0, {}, "")

_ERROR = re.compile(
    r"^- id (?P<step>AK\d+):(?P<type>ET\d+),.*?"
    r"(?:, from (?P<start>[\d.e+-]+) s to (?P<end>[\d.e+-]+) s)?: ",
    re.MULTILINE,
)
_ACTION = re.compile(r"^# The exercise: (.+)$", re.MULTILINE)
_SCOPE = re.compile(
    r"^Only part of the lift was assessed, namely (.+)\. Nothing else", re.MULTILINE
)


def facts_in(body: Body) -> Facts:
    """Read the facts back from a prompt; what a prompt does not say is made up."""
    graph = load_graph()
    told = next(m["content"] for m in body["messages"] if m["role"] == "user")
    name = _ACTION.search(told)
    assert name is not None, told
    action = next(a.id for a in graph.actions.values() if a.name == name[1])
    errors = tuple(
        ErrorFact(
            key_step=m["step"],
            error_type=m["type"],
            start_s=float(m["start"]) if m["start"] else None,
            end_s=float(m["end"]) if m["end"] else None,
        )
        for m in _ERROR.finditer(told)
    )
    scope = _SCOPE.search(told)
    names = scope[1].split(", ") if scope else []
    labelled: tuple[Occurrence, ...] | None = tuple(
        o
        for o in graph.occurrences(action)
        if graph.error_types[o.error_type].name.lower() in names
    )
    return Facts(
        clip=str(body.get("seed")),
        action=action,
        errors=errors,
        labelled=labelled if scope else None,
        penalty=0,
        total=1,
        score=50,
        graph=graph.version,
    )


def good_answer(body: Body) -> Body:
    """Answer as the template writer would."""
    sentences = TemplateWriter(load_graph(), seed=0).sentences(facts_in(body), "train")
    return {"sentences": [sentence.model_dump() for sentence in sentences]}


def completion(body: Body, content: str | None, **changes: Any) -> Response:
    """Return a chat completion with some content."""
    prompt = sum(len(m["content"]) for m in body["messages"]) // 4
    message = {"role": "assistant", "content": content, "refusal": changes.pop("refusal", None)}
    choice = {"index": 0, "message": message, "finish_reason": changes.pop("finish", "stop")}
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": len(content or "") // 4,
        "total_tokens": prompt + len(content or "") // 4,
        "prompt_tokens_details": {"cached_tokens": prompt // 2},
    }
    reply = {"id": "c", "object": "chat.completion", "created": 0, "model": "fake-1"}
    return 200, {}, json.dumps({**reply, "choices": [choice], "usage": usage, **changes})


def status(code: int, message: str = "no", error: str | None = None, **headers: str) -> Fault:
    """Return a fault that answers with a status; `retry_after="3"` adds that header."""
    text = json.dumps({"error": {"message": message, "type": "error", "code": error}})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: (code, named, text)


def content(text: str | None, **changes: Any) -> Fault:
    """Return a fault that answers with this content."""
    return lambda body: completion(body, text, **changes)


def cut(_: Body) -> Response:
    """Close the connection without an answer."""
    return None


def hang(_: Body) -> Response:
    """Answer long after everybody has lost patience."""
    return HANGING


class FakeEndpoint:
    """The server; as a context manager it runs in a thread of its own.

    Attributes:
        capacity: requests in flight beyond it get a 429.
        requests: the body of every request, in order of arrival.
        most_in_flight: the most requests that were in flight at once.
    """

    def __init__(
        self, *, latency_s: float = 0.0, capacity: int = 10_000, answer: Answer = good_answer
    ) -> None:
        self.latency_s = latency_s
        self.capacity = capacity
        self.answer = answer
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.requests: list[Body] = []
        self.keys: set[str] = set()
        self.in_flight = self.most_in_flight = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self.serve()))
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def serve(self, port: int = 0) -> None:
        """Serve until told to stop."""
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", port, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        if threading.current_thread() is threading.main_thread():
            print(self.base_url, flush=True)
        await self._stop.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (body := await self._request(reader)) is not None:
                response = await self._respond(body)
                if response is None:
                    break
                writer.write(_http(*response))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Body | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
        self.keys.add(headers.get("authorization", ""))
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        body: Body = json.loads(raw)
        return body

    async def _respond(self, body: Body) -> Response:
        self.requests.append(body)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.in_flight > self.capacity:
                return status(429)(body)
            fault = self.faults.popleft() if self.faults else self.always
            began = asyncio.get_running_loop().time()
            response = fault(body) if fault else completion(body, json.dumps(self.answer(body)))
            due = began + (HANG_S if response == HANGING else self.latency_s)
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            return response
        finally:
            self.in_flight -= 1


def _http(code: int, headers: dict[str, str], text: str) -> bytes:
    data = text.encode()
    reason = HTTPStatus(code).phrase
    lines = [f"HTTP/1.1 {code} {reason}", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data


def main() -> None:
    """Run the server until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--capacity", type=int, default=10_000, help="more in flight get a 429")
    options = parser.parse_args()
    endpoint = FakeEndpoint(
        latency_s=options.latency,
        capacity=options.capacity,
    )
    asyncio.run(endpoint.serve(options.port))


if __name__ == "__main__":
    main()
