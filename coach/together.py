"""One thread that works on what people ask for, on as much of a kind at a time as it may.

together = Together(work, most=8)
together.add("tuned", one)                # work("tuned", [one])
together.add("tuned", two)                # work("tuned", [two, …]), as soon as that has ended
together.add("rate", it, later=True)      # when nobody waits for anything else
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Kind = TypeVar("Kind")
One = TypeVar("One")


class Together(Generic[Kind, One]):
    """Works on what came in, in the order in which it came.

    Args:
        work: gets a kind and what is to be done, at least one and at most `most`; raises nothing.
        most: how many at a time.
    """

    def __init__(self, work: Callable[[Kind, list[One]], None], most: int) -> None:
        self._work, self._most = work, most
        self._guard = threading.Lock()
        self._waiting: list[tuple[Kind, One]] = []
        self._later: list[tuple[Kind, One]] = []
        self._at_work = False

    def add(self, kind: Kind, one: One, *, later: bool = False) -> None:
        """Put one at the end; returns at once.

        Args:
            kind: what may be worked on together is equal.
            one: what is to be done.
            later: it gives way to all that is not, and is worked on alone.
        """
        with self._guard:
            (self._later if later else self._waiting).append((kind, one))
            if not self._at_work:
                self._at_work = True
                threading.Thread(target=self._go_on, daemon=True).start()

    def _go_on(self) -> None:
        while (taken := self._next()) is not None:
            self._work(*taken)

    def _next(self) -> tuple[Kind, list[One]] | None:
        """Take what is next; `None`, and at rest, if nothing waits."""
        with self._guard:
            if self._waiting:
                return self._first_and_alike()
            if self._later:
                kind, one = self._later.pop(0)
                return kind, [one]
            self._at_work = False
            return None

    def _first_and_alike(self) -> tuple[Kind, list[One]]:
        first = self._waiting[0][0]
        taken: list[One] = []
        left: list[tuple[Kind, One]] = []
        for kind, one in self._waiting:
            if kind == first and len(taken) < self._most:
                taken.append(one)
            else:
                left.append((kind, one))
        self._waiting = left
        return first, taken
