"""How many requests may be in flight: adapts to what the endpoint bears (AIMD).

    async with limiter.slot() as slot:
        ...                            # one request
        slot.succeeded() / slot.overloaded(retry_after_s=3.0)

Each answer widens the limit by 1 / limit (one slot per round of answers); a 429 or 503 halves it,
once for all requests that were on their way together. A Retry-After pauses every request, not only
the one that was told.

Requests start a few milliseconds apart. Those that start together are answered together, and then
the work of reading 64 answers stands between one round and the next; spread out, it is done while
others wait.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

SPACING_S = 0.004
Clock = Callable[[], float]


class Limiter:
    """A semaphore whose width follows the endpoint.

    Args:
        start: requests in flight at first.
        least: never fewer than this.
        most: never more than this.
    """

    def __init__(
        self, *, start: int, least: int = 1, most: int, clock: Clock = time.monotonic
    ) -> None:
        self._limit = float(start)
        self._least = least
        self._most = most
        self._clock = clock
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resume_at = 0.0
        self._started_at = float("-inf")
        self._narrowed_at = float("-inf")

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """How many requests are in flight now."""
        return self._in_flight

    @asynccontextmanager
    async def slot(self) -> AsyncIterator["Slot"]:
        """Wait for a free slot and for the end of a shared pause; hold the slot in the block."""
        await self._enter()
        try:
            await self._start()
            yield Slot(self, self._clock())
        finally:
            self._leave()

    async def _start(self) -> None:
        """Wait for the end of a pause, and for a moment of one's own."""
        while (wait := self._resume_at - self._clock()) > 0:
            await asyncio.sleep(wait)
        self._started_at = max(self._clock(), self._started_at + SPACING_S)
        await asyncio.sleep(self._started_at - self._clock())

    async def _enter(self) -> None:
        """Take a slot, first come first served; each waits on a future of its own."""
        if not self._waiting and self._in_flight < self.limit:
            self._in_flight += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the slot was given in the moment of being cancelled
            raise

    def _leave(self) -> None:
        self._in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._in_flight < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)

    def widen(self) -> None:
        """Take note of an answer."""
        self._limit = min(self._most, self._limit + 1 / self._limit)
        self._admit()

    def narrow(self, began: float, retry_after_s: float | None) -> None:
        """Take note that the endpoint is overloaded, by a request that began at a time."""
        now = self._clock()
        if retry_after_s is not None:
            self._resume_at = max(self._resume_at, now + retry_after_s)
        if began > self._narrowed_at:
            self._limit = max(self._least, self._limit / 2)
            self._narrowed_at = now


class Slot:
    """One request's place among those in flight."""

    def __init__(self, limiter: Limiter, began: float) -> None:
        self._limiter = limiter
        self._began = began

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._limiter.widen()

    def overloaded(self, retry_after_s: float | None = None) -> None:
        """The endpoint said 429 or 503, perhaps with a time to wait."""
        self._limiter.narrow(self._began, retry_after_s)


def retry_after_s(value: str | None, *, now: Clock = time.time) -> float | None:
    """Return the seconds that a Retry-After header asks for; it holds seconds or an HTTP date.

    A header that is missing or unreadable gives `None`.
    """
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except ValueError:
        return None
