import asyncio
from email.utils import formatdate

import pytest

from qa_gen.limiter import Limiter, retry_after_s


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_no_more_than_the_limit_are_in_flight() -> None:
    async def scenario() -> int:
        limiter = Limiter(start=4, most=4)
        seen: list[int] = []

        async def request() -> None:
            async with limiter.slot():
                seen.append(limiter.in_flight)
                await asyncio.sleep(0.001)

        await asyncio.gather(*(request() for _ in range(40)))
        assert limiter.in_flight == 0
        return max(seen)

    assert asyncio.run(scenario()) == 4


def test_requests_on_their_way_together_halve_the_limit_once() -> None:
    async def scenario() -> Limiter:
        clock = FakeClock()
        limiter = Limiter(start=32, least=1, most=64, clock=clock)
        async with limiter.slot() as one, limiter.slot() as two:
            clock.now += 1
            one.overloaded()
            two.overloaded()
        assert limiter.limit == 16
        clock.now += 1
        async with limiter.slot() as later:
            later.overloaded()
        assert limiter.limit == 8
        return limiter

    asyncio.run(scenario())


def test_a_round_of_answers_adds_one_slot_up_to_the_most() -> None:
    limiter = Limiter(start=8, most=9)
    for _ in range(9):
        limiter.widen()
    assert limiter.limit == 9
    for _ in range(100):
        limiter.widen()
    assert limiter.limit == 9


def test_the_limit_never_falls_below_the_least() -> None:
    clock = FakeClock()
    limiter = Limiter(start=4, least=2, most=4, clock=clock)
    for _ in range(5):
        clock.now += 1
        limiter.narrow(clock.now, None)
        clock.now += 1
    assert limiter.limit == 2


def test_retry_after_pauses_every_request() -> None:
    async def scenario() -> float:
        limiter = Limiter(start=4, most=4)
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with limiter.slot() as told:
            told.overloaded(0.15)
        async with limiter.slot():
            return loop.time() - start

    assert asyncio.run(scenario()) >= 0.14


def test_a_cancelled_wait_gives_no_slot_away() -> None:
    async def scenario() -> None:
        limiter = Limiter(start=1, most=1)

        async def request() -> None:
            async with limiter.slot():
                await asyncio.sleep(0.01)

        first, second, third = (asyncio.create_task(request()) for _ in range(3))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(first, third)
        assert limiter.in_flight == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-2", 0.0),
        ("soon", None),
        (formatdate(1030, usegmt=True), 30.0),
        (formatdate(900, usegmt=True), 0.0),
    ],
)
def test_retry_after_reads_seconds_and_dates(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, now=lambda: 1000.0) == seconds
