"""A server that does with a request what vLLM 0.31 and later do, by the official processor.

It reads `media_io_kwargs` and `mm_processor_kwargs`, runs transformers' Qwen2.5-VL processor on the
frames, and places them in time by vLLM's rule. It can be told to do what other servers do: ignore
times, leave out or resize frames, keep the base's positions, tell no probabilities.
"""

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import torch
from PIL import Image

from vlm.model import Coach

PREFIX = "data:video/jpeg;base64,"


@dataclass
class Seen:
    """What the model was given for one request: ids, pixels, grid and positions (3, L)."""

    ids: list[int]
    pixels: Any
    grid: list[list[int]]
    positions: Any


@dataclass
class OfficialServer:
    """Answers requests with a small model.

    Attributes:
        processor: as the hub's checkpoint brings it: it resizes unless it is told not to.
        rate: positions a second, as `--hf-overrides` sets them.
        heeds: which parts of a request count.
        noise: how much probabilities differ from one request to the next.
    """

    coach: Coach
    processor: Any
    rate: int = 8
    version: str = "0.31.0"
    kind: str = "vllm"
    heeds: frozenset[str] = frozenset({"times", "frames", "sizes"})
    tells: frozenset[str] = frozenset({"usage", "logprobs"})
    noise: float = 0.0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def page(self, path: str) -> dict[str, Any] | None:
        """Return what is at a path of this kind of server."""
        if path == "/v1/models":
            return {"data": [{"id": "coach", "owned_by": self.kind}]}
        if self.kind == "vllm" and path == "/version":
            return {"version": self.version}
        if self.kind == "transformers" and path == "/openapi.json":
            return {"paths": {"/load_model": {}}}
        return None

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request."""
        self.bodies.append(body)
        seen = self.see(body)
        self.seen.append(seen)
        logs = self._first(seen)
        best = [(i, float(logs[i])) for i in logs.topk(20).indices.tolist()]
        told = [{"token": str(i), "logprob": log, "bytes": None} for i, log in best]
        first = told[0] | {"top_logprobs": told}
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        choice["message"] = {"role": "assistant", "content": str(best[0][0])}
        reply: dict[str, Any] = {"id": "1", "created": 0, "model": "m", "choices": [choice]}
        if "logprobs" in self.tells:
            choice["logprobs"] = {"content": [first]}
        if "usage" in self.tells:
            count = len(seen.ids)
            reply["usage"] = {"prompt_tokens": count, "completion_tokens": 1, "total_tokens": count}
        return reply | {"object": "chat.completion"}

    def see(self, body: dict[str, Any]) -> Seen:
        """Return what vLLM would give the model."""
        from transformers.video_utils import VideoMetadata

        messages = [dict(message) for message in body["messages"]]
        pictures = [_pictures(message) for message in messages]
        text = self.processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        video = next(found for found in pictures if found)
        told = body.get("media_io_kwargs", {}).get("video", {})
        most = told.get("num_frames", 32) if "frames" in self.heeds else 32
        frames = np.stack([_picture(one) for one in (video if most < 0 else video[:most])])
        told = told if "times" in self.heeds else {}
        metadata = VideoMetadata(
            total_num_frames=told.get("total_num_frames", len(frames)),
            fps=float(told.get("fps", 1)),
            frames_indices=told.get("frames_indices", list(range(len(frames)))),
        )
        assert len(metadata.frames_indices) == len(frames) <= metadata.total_num_frames
        settings = body.get("mm_processor_kwargs", {}) if "sizes" in self.heeds else {}
        made = self.processor(
            text=[text],
            videos=[frames],
            video_metadata=[metadata],
            return_tensors="pt",
            **settings,
        )
        ids = made["input_ids"][0].tolist()
        grid = made["video_grid_thw"].tolist()
        step = float(made["second_per_grid_ts"][0])
        start = ids.index(self.processor.video_token_id)
        positions = places(len(ids), start, grid[0], step * self.rate)
        return Seen(ids, made["pixel_values_videos"], grid, positions)

    def _first(self, seen: Seen) -> Any:
        """Return the log-probabilities of the first token of an answer."""
        ids = torch.tensor([seen.ids])
        kinds = (ids == self.processor.video_token_id) * 2
        with torch.no_grad():
            logits = self.coach.plain(
                input_ids=ids,
                mm_token_type_ids=kinds,
                pixel_values_videos=seen.pixels,
                video_grid_thw=torch.tensor(seen.grid),
                position_ids=torch.from_numpy(seen.positions)[:, None],
            ).logits[0, -1]
        noise = torch.randn(logits.shape) * self.noise
        return (logits.float() + noise).log_softmax(-1)


def places(length: int, start: int, grid: list[int], step: float) -> Any:
    """Return the positions (3, length) of a text with one video, by vLLM's rule."""
    times, rows, columns = grid[0], grid[1] // 2, grid[2] // 2
    video = np.indices((times, rows, columns)).reshape(3, -1)
    video[0] = (video[0] * step).astype(np.int64)
    video += start
    rest = length - start - video.shape[1]
    before = np.tile(np.arange(start), (3, 1))
    after = np.tile(np.arange(rest), (3, 1)) + video.max() + 1
    return np.concatenate([before, video, after], axis=1)


@contextmanager
def serving(server: OfficialServer) -> Iterator[str]:
    """Yield the address, up to and with /v1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = server.page(self.path)
            self._send(404 if page is None else 200, page or {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                self._send(200, server.reply(body))
            except Exception as error:
                self._send(400, {"error": {"message": repr(error)}})

        def _send(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

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


def _pictures(message: dict[str, Any]) -> list[str]:
    """Return the frames of a message, which keeps a mark in their place."""
    if isinstance(message["content"], str):
        return []
    found: list[str] = []
    parts = []
    for part in message["content"]:
        if part["type"] == "video_url":
            found += part["video_url"]["url"].removeprefix(PREFIX).split(",")
            part = {"type": "video"}
        parts.append(part)
    message["content"] = parts
    return found


def _picture(data: str) -> Any:
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGB"))
