"""Who is next: answers are written a few at a time, in the order in which people asked.

ticket = desk.enter()                    # DeskFullError if too many wait
try:
    while place := desk.place(ticket):   # 0: it is your turn
        print(f"{place} before you")
finally:
    desk.leave(ticket)
"""

import itertools
import threading

_LOOK_AGAIN_S = 0.25


class DeskFullError(Exception):
    """So many wait already that one more would not be served in good time."""


class Desk:
    """A line in front of a few seats; safe for any number of threads."""

    def __init__(self, seats: int, most_waiting: int) -> None:
        self._seats, self._most = seats, seats + most_waiting
        self._line: list[int] = []
        self._numbers = itertools.count()
        self._moved = threading.Condition()

    @property
    def length(self) -> int:
        """How many are served or wait."""
        return len(self._line)

    def enter(self) -> int:
        """Return a ticket at the end of the line.

        Raises:
            DeskFullError: there is no room for one more.
        """
        with self._moved:
            if len(self._line) >= self._most:
                raise DeskFullError
            ticket = next(self._numbers)
            self._line.append(ticket)
            return ticket

    def place(self, ticket: int, *, wait_s: float = _LOOK_AGAIN_S) -> int:
        """Return how many have to go first, 0 if none; looks for at most `wait_s`."""
        with self._moved:
            self._moved.wait_for(lambda: self._before(ticket) == 0, wait_s)
            return self._before(ticket)

    def leave(self, ticket: int) -> None:
        """Give the seat or the place in the line to the next."""
        with self._moved:
            if ticket in self._line:
                self._line.remove(ticket)
            self._moved.notify_all()

    def _before(self, ticket: int) -> int:
        return max(0, self._line.index(ticket) - self._seats + 1)
