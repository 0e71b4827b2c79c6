"""Waiting in tests: for what is to happen, never for a time that should be enough.

    until(lambda: file.exists(), process)     # the process must not end before

A busy machine makes these waits longer and changes no result; only what hangs reaches the limit.
"""

import subprocess
import time
from collections.abc import Callable
from typing import Any

# What takes this long hangs. Starts of servers, ends of processes and steps of pages take seconds.
PATIENCE_S = 600.0
_LOOK_EVERY_S = 0.02


def until(happened: Callable[[], Any], process: "subprocess.Popen[Any] | None" = None) -> None:
    """Wait until something has happened.

    Raises:
        AssertionError: `process` ended before, or nothing happened for `PATIENCE_S`.
    """
    limit = time.monotonic() + PATIENCE_S
    while not happened():
        assert process is None or process.poll() is None, f"ended with {process.returncode}"
        assert time.monotonic() < limit, "nothing has happened"
        time.sleep(_LOOK_EVERY_S)


def eventually(check: Callable[[], None]) -> None:
    """Repeat a check until it holds; what is still wrong after `PATIENCE_S` is raised."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > limit:
                raise
        time.sleep(_LOOK_EVERY_S)
