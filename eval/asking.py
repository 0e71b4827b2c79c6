"""Asks a served model many things; every reply is kept, and one that fails is one that fails.

asked = ask_all(endpoint, {0: [{"role": "user", "content": "Well?"}]}, Decoding(), cache)
asked.replies, asked.failed
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from eval.predict_cache import AnswerCache, Message, answer_key
from flex.files import hash_text
from flex.problems import InputError, Problem
from vlm.endpoint import UnreachableError
from vlm.generate import Conversation, Decoding, Reply

# So many failures one after the other are no accident: the run stops, and can be resumed.
IN_A_ROW = 5


class Served(Protocol):
    """A served model, such as `vlm.endpoint.Endpoint`."""

    base_url: str
    model: str
    at_once: int

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[str]:
        """Return one reply for each conversation."""


class Asked(NamedTuple):
    """What came of the questions.

    Attributes:
        replies, failed: number → reply, or number → why there is none.
        sent: how many requests it took.
    """

    replies: dict[int, str]
    failed: dict[int, str]
    sent: int


def ask_all(
    served: Served,
    questions: Mapping[int, Sequence[Message]],
    decoding: Decoding,
    cache: AnswerCache,
    *,
    most: int | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Asked:
    """Ask everything that the cache does not hold, several at once.

    Args:
        served: whom to ask.
        questions: number → messages, the last one the user's.
        decoding: how replies are drawn.
        cache: replies of earlier runs; new ones are kept in it as they come.
        most: how many requests may be sent; what is left over has failed.
        progress: told how many more questions are done.

    Raises:
        InputError: `IN_A_ROW` requests failed one after the other, and the endpoint cannot be
            reached or has answered none at all. What it answered is kept.
    """
    keys = {n: _key(served, messages, decoding) for n, messages in questions.items()}
    new = [n for n, key in keys.items() if cache.get(key) is None]
    first = {keys[n]: n for n in reversed(new)}  # equal questions are asked once
    asking = sorted(first.values())
    allowed = asking if most is None else asking[:most]
    work = _Work(served, decoding, cache, progress)
    with ThreadPoolExecutor(max(1, served.at_once)) as pool:
        list(pool.map(lambda n: work.ask(keys[n], questions[n]), allowed))
    if work.stopped:
        raise InputError([Problem(served.base_url, work.stopped)])
    replies = {n: kept.text for n, key in keys.items() if (kept := cache.get(key)) is not None}
    unasked = f"not asked: {most} requests were allowed"
    failed = {n: work.failed.get(keys[n], unasked) for n in keys if n not in replies}
    return Asked(replies, failed, len(allowed))


def json_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object in a reply, or `None`.

    Words and fences around it are passed over, and so is what stands in <think> … </think>.
    """
    text = text.rpartition("</think>")[2]
    start, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class _Work:
    """The requests of one call: what failed, and whether to go on."""

    def __init__(
        self,
        served: Served,
        decoding: Decoding,
        cache: AnswerCache,
        progress: Callable[[int], object],
    ) -> None:
        self.failed: dict[str, str] = {}
        self.stopped = ""
        self._served, self._decoding = served, decoding
        self._cache, self._progress = cache, progress
        self._lock = threading.Lock()
        self._row: list[InputError] = []
        self._answered = 0

    def ask(self, key: str, messages: Sequence[Message]) -> None:
        """Ask one question, unless the run has stopped; keep the reply, or why there is none."""
        if self.stopped:
            return
        try:
            conversation = Conversation((), [dict(message) for message in messages])
            (reply,) = self._served.generate([conversation], self._decoding)
        except InputError as error:
            with self._lock:
                self._fail(key, error)
            return
        with self._lock:
            self._answered += 1
            self._row.clear()
            self._cache.put(key, Reply(reply))
            self._progress(1)

    def _fail(self, key: str, error: InputError) -> None:
        self.failed[key] = "; ".join(problem.message for problem in error.problems)
        self._row.append(error)
        self._progress(1)
        gone = all(isinstance(one, UnreachableError) for one in self._row)
        if len(self._row) >= IN_A_ROW and (gone or not self._answered):
            self.stopped = (
                f"{IN_A_ROW} requests failed one after the other, the last so: {self.failed[key]}. "
                f"{len(self._cache)} replies are kept; give the same command again to go on"
            )


def _key(served: Served, messages: Sequence[Message], decoding: Decoding) -> str:
    return answer_key(
        frames="",
        messages=messages,
        weights=hash_text("judge", served.base_url, served.model),
        decoding=decoding.fingerprint(),
    )
