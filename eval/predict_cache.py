"""Every answer of a model, kept as soon as it is given: a killed run loses the batch in flight.

    with AnswerCache(Path("runs/eval/cache.jsonl")) as cache:
        cache.get(key) or cache.put(key, answer)

The key holds all that an answer depends on (bytes of the clip, sampler, every message so far,
weights, decoding), so that an answer is never taken for another model's or another clip's. An
answer that was cut at the longest length allowed is marked.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from flex.files import hash_text, read_jsonl
from flex.problems import Problem
from vlm.generate import Reply

Message = dict[str, str]


def answer_key(*, frames: str, messages: Sequence[Message], weights: str, decoding: str) -> str:
    """Return the key of one answer.

    Args:
        frames: `vlm.cache.FrameCache.key`: bytes of the clip, sampler, phases if they count.
        messages: everything said so far, up to the question.
        weights: fingerprint of base and adapter.
        decoding: fingerprint of the decoding.
    """
    return hash_text("answer", frames, json.dumps(list(messages)), weights, decoding)


class AnswerCache:
    """A JSON Lines file of keys and answers, to which answers are only appended.

    Attributes:
        broken: the lines that could not be read; their questions are asked again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: list[Problem] = []
        self._answers: dict[str, Reply] = {}
        self._stream: IO[str] | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._read()
        self._stream = self.path.open("a", encoding="utf-8", newline="\n")
        if self.path.stat().st_size and not _ends_a_line(self.path):
            self._stream.write("\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> Reply | None:
        """Return the answer under a key, or `None`."""
        return self._answers.get(key)

    def put(self, key: str, reply: Reply) -> None:
        """Keep an answer; it is handed to the operating system before this returns."""
        assert self._stream is not None, "open the cache with `with`"
        row = {"key": key, "answer": reply.text} | ({"cut": True} if reply.cut else {})
        self._stream.write(json.dumps(row) + "\n")
        self._stream.flush()
        self._answers[key] = reply

    def _read(self) -> None:
        for number, row in read_jsonl(self.path):
            if isinstance(row, Problem):
                self.broken.append(row)
                continue
            key, answer = row.get("key"), row.get("answer")
            if isinstance(key, str) and isinstance(answer, str):
                self._answers[key] = Reply(answer, cut=row.get("cut") is True)
            else:
                message = "expected the fields key and answer, both text"
                self.broken.append(Problem(f"{self.path}:{number}", message))


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        return stream.read(1) == b"\n"
