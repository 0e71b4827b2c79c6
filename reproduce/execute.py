"""Runs the commands of one step, with a log, and measures them."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from reproduce.chain import Step

_POLL_S = 0.2
_TAIL_BYTES = 8192
Watch = Callable[[float], None]


class Usage(NamedTuple):
    """What a command took: seconds on the clock and of processors, and its largest process."""

    code: int
    seconds: float
    cpu_s: float
    memory_mib: float


def run_commands(step: Step, log: Path, lock: int, watch: Watch) -> Usage:
    """Run a step's commands until one fails; what they print is added to the log.

    Args:
        step: a filled step.
        log: file that is added to.
        lock: file descriptor that the commands keep open. Whoever is killed while one of them
            runs leaves it behind, and the lock with it, so that no second one starts beside it.
        watch: told the seconds since the step began, several times a second.
    """
    began = time.monotonic()
    cpu_s = memory_mib = 0.0
    code = 0
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        for number, words in enumerate(step.words(), 1):
            stream.write(f"\n$ {' '.join(words)}\n".encode())
            stream.flush()
            catch = step.stdout if number == len(step.commands) else None
            used = _run_one(words, stream, catch, lock, lambda _: watch(time.monotonic() - began))
            cpu_s, memory_mib = cpu_s + used.cpu_s, max(memory_mib, used.memory_mib)
            code = used.code
            if code:
                break
    return Usage(code, time.monotonic() - began, cpu_s, memory_mib)


def measured(
    words: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Usage:
    """Run one command with its output in a log, and say what it took."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        return _wait(list(words), stream, stream, (), lambda _: None, environment)


def tail(path: Path, lines: int = 12) -> str:
    """Return the last lines of a log; bars that were drawn over each other count as one."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    shown = [line.split("\r")[-1].rstrip() for line in text.splitlines()]
    return "\n".join([line for line in shown if line][-lines:])


def spent_on(ledger: Path) -> tuple[float, str] | None:
    """Return what the requests in a ledger of `qa_gen` cost, with the currency; `None` if none."""
    if not ledger.is_file():
        return None
    connection = sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=ro", uri=True)
    try:
        query = "SELECT TOTAL(cost), MAX(currency), COUNT(*) FROM requests"
        money, currency, requests = connection.execute(query).fetchone()
    finally:
        connection.close()
    return (float(money), str(currency)) if requests else None


def _run_one(
    words: list[str], stream: IO[bytes], catch: str | None, lock: int, watch: Watch
) -> Usage:
    if catch is None:
        return _wait(words, stream, stream, (lock,), watch)
    part = Path(f"{catch}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as caught:
        used = _wait(words, caught, stream, (lock,), watch)
    if used.code:
        stream.write(part.read_bytes())
        stream.flush()
        part.unlink()
    else:
        part.replace(catch)
    return used


def _wait(
    words: list[str],
    out: IO[bytes],
    err: IO[bytes],
    keep: tuple[int, ...],
    watch: Watch,
    more: Mapping[str, str] | None = None,
) -> Usage:
    began = time.monotonic()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "120", **(more or {})}
    try:
        process = subprocess.Popen(
            words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment, pass_fds=keep
        )
    except OSError as error:
        err.write(f"{words[0]} cannot be started: {error.strerror}\n".encode())
        err.flush()
        return Usage(127, 0.0, 0.0, 0.0)
    try:
        while True:
            found, status, usage = os.wait4(process.pid, os.WNOHANG)
            if found:
                break
            watch(time.monotonic() - began)
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        process.wait()  # a terminal's Ctrl-C reaches it too, and it ends by itself
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        code=process.returncode,
        seconds=time.monotonic() - began,
        cpu_s=usage.ru_utime + usage.ru_stime,
        memory_mib=usage.ru_maxrss / 2**10,  # Linux counts in KiB
    )
