"""What the driver sees of its workers, wherever they run."""

from typing import Any, Protocol

from engine.one_item import End, Lost


class Pool(Protocol):
    """Workers that hold one item each: no queue grows, however many items there are."""

    def free(self) -> int:
        """Return how many items may be given now."""

    def give(self, ticket: int, item: Any) -> None:
        """Give an item to a free worker."""

    def wait(self) -> list[tuple[int, End | Lost]]:
        """Wait until something happens; return what ended, by ticket (none: a worker is ready)."""

    def close(self) -> None:
        """End the workers, also those that are at work."""


class StartFailures:
    """Counts workers that ended before they were ready, one after another."""

    def __init__(self, most: int) -> None:
        self.most, self.count = most, 0

    def one_started(self) -> None:
        """A worker is ready: what happened before was bad luck."""
        self.count = 0

    def one_failed(self, why: str) -> None:
        """A worker did not get ready.

        Raises:
            RuntimeError: as many in a row as `most`; nothing would ever be done.
        """
        self.count += 1
        if self.count >= self.most:
            raise RuntimeError(f"no worker gets ready, tried {self.count} times: {why}")
