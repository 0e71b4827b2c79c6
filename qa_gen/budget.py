"""Stops a run before it can cost more than allowed.

A request reserves what it could cost at worst and gives back what it did not. One that does not
fit waits for those in flight to settle, since they mostly cost less than reserved; the budget is
reached when it does not fit with nothing in flight. So nothing that was paid for is thrown away.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qa_gen.writer import Stopped


class BudgetReached(Stopped):
    """The next request might cost more than the budget allows."""


class Budget:
    """Money for a run; what earlier starts of the same run spent counts too.

    Args:
        limit: the most that may be spent; `None` for no limit.
        spent: what was spent before.
    """

    def __init__(self, limit: float | None, *, spent: float = 0.0, currency: str = "USD") -> None:
        self._limit = limit
        self._spent = spent
        self._currency = currency
        self._reserved = 0.0
        self._in_flight = 0
        self._settled = asyncio.Event()
        self._reached = False

    @asynccontextmanager
    async def reserve(self, worst: float) -> AsyncIterator["Reservation"]:
        """Hold the worst cost of a request while it is on its way.

        Raises:
            BudgetReached: the request might cost more than is left.
        """
        while not self._fits(worst):
            if self._reached or not self._in_flight:
                self._reached = True
                raise BudgetReached(self._message(worst))
            self._settled.clear()
            await self._settled.wait()
        self._reserved += worst
        self._in_flight += 1
        reservation = Reservation()
        try:
            yield reservation
        finally:
            self._reserved -= worst
            self._in_flight -= 1
            self._spent += reservation.cost
            self._settled.set()

    def _fits(self, worst: float) -> bool:
        if self._limit is None:
            return True
        return not self._reached and self._spent + self._reserved + worst <= self._limit

    def _message(self, worst: float) -> str:
        return (
            f"the budget of {self._limit:g} {self._currency} is reached: {self._spent:.4f} spent, "
            f"and the next request may cost up to {worst:.4f}. Finished answers are kept; "
            "give the same command a higher --budget to go on"
        )


class Reservation:
    """One request's share of the budget; `cost` is set when its reply has arrived."""

    cost: float = 0.0
