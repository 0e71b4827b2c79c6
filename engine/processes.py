"""Workers that are processes of this machine, each on a pipe of its own.

A process that dies says by its pipe which item it held, so only that one is tried again. When the
driver dies, however it was killed, its workers end at once: the next run of the same command must
not find them at work on the items that it does again (or at an endpoint that is paid by request).
"""

import os
import pickle
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from engine.one_item import End, Lost, do_item
from engine.pool import StartFailures

_READY = "ready"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass
class _Worker:
    number: int
    process: BaseProcess
    pipe: Connection
    ready: bool = False
    ticket: int | None = None
    folder: Path | None = None


class ProcessPool:
    """Processes of this machine."""

    def __init__(
        self, work: Any, jobs: int, scratch: Path, *, attempts: int, gpus: float = 0.0
    ) -> None:
        """Start the workers.

        Args:
            work: see `engine.run.Work`.
            jobs: how many processes.
            scratch: folder for files in the making, on the disk that they end up on.
            attempts: how many workers may fail to start, one after another.
            gpus: graphics cards a worker; the visible ones are dealt out in turn.
        """
        self._work, self._scratch, self._gpus = pickle.dumps(work), scratch, gpus
        self._failures = StartFailures(attempts)
        self._workers: list[_Worker] = []
        for number in range(jobs):
            self._workers.append(self._start(number))

    def free(self) -> int:
        """Return how many items may be given now."""
        return sum(worker.ready and worker.ticket is None for worker in self._workers)

    def give(self, ticket: int, item: Any) -> None:
        """Give an item to a free worker."""
        worker = next(w for w in self._workers if w.ready and w.ticket is None)
        self._empty(worker)
        # A new name each time: a worker left over from a killed run may still write to its own.
        worker.folder = Path(tempfile.mkdtemp(dir=self._scratch))
        worker.ticket = ticket
        with suppress(OSError):  # it is dead, which `wait` finds out
            worker.pipe.send((item, worker.folder))

    def wait(self) -> list[tuple[int, End | Lost]]:
        """Wait until an item ends, a worker is ready or a worker dies."""
        by_source = {w.pipe: w for w in self._workers} | {
            w.process.sentinel: w for w in self._workers
        }
        happened = {by_source[source].number for source in wait(list(by_source))}  # type: ignore[index]
        ends: list[tuple[int, End | Lost]] = []
        for number in sorted(happened):
            ends += self._look(self._workers[number])
        return ends

    def close(self) -> None:
        """End the workers; those that wait for an item end by themselves."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.ticket is not None or not worker.ready:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.process.close()

    def _look(self, worker: _Worker) -> list[tuple[int, End | Lost]]:
        try:
            said = worker.pipe.recv() if worker.pipe.poll() else None
        except (EOFError, OSError):
            said = None
        if said is None:
            return self._replace(worker)
        if said == _READY:
            worker.ready = True
            self._failures.one_started()
            return []
        assert worker.ticket is not None
        ticket, worker.ticket = worker.ticket, None
        return [(ticket, said)]

    def _replace(self, worker: _Worker) -> list[tuple[int, End | Lost]]:
        worker.pipe.close()
        worker.process.join()
        why = _death(worker.process.exitcode)
        self._empty(worker)
        if not worker.ready:
            self._failures.one_failed(why)
        worker.process.close()
        self._workers[worker.number] = self._start(worker.number)
        return [] if worker.ticket is None else [(worker.ticket, Lost(why))]

    @staticmethod
    def _empty(worker: _Worker) -> None:
        """Remove what an item left; its files were moved away when it was finished."""
        if worker.folder is not None:
            shutil.rmtree(worker.folder, ignore_errors=True)

    def _start(self, number: int) -> _Worker:
        context = get_context("spawn")
        here, there = context.Pipe()
        name = f"engine-{number}"
        process = context.Process(target=_serve, args=(there, self._work), name=name)
        with _environment(self._variables(number)):
            process.start()
        there.close()
        return _Worker(number, process, here)

    def _variables(self, number: int) -> dict[str, str]:
        """One thread a worker, since the workers share the processors, and cards of its own."""
        variables = dict.fromkeys(_THREADS, "1")
        if self._gpus:
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(cards_of(number, self._gpus))
        return variables


def _serve(pipe: Connection, work_bytes: bytes) -> None:
    """Do items until the driver closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's, which ends the workers
    threading.Thread(target=_end_with_driver, daemon=True).start()
    work = pickle.loads(work_bytes)
    try:
        pipe.send(_READY)
        while True:
            item, folder = pipe.recv()
            pipe.send(do_item(work, item, folder))
    except (EOFError, OSError):
        return


def _end_with_driver() -> None:
    driver = parent_process()
    assert driver is not None
    driver.join()
    os._exit(1)


def cards_of(number: int, gpus: float) -> list[str]:
    """Return the graphics cards of a worker, dealt out in turn: two workers share one at 0.5."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        all_cards = [card for card in visible.split(",") if card]
    else:
        all_cards = [str(path.name[6:]) for path in sorted(Path("/dev").glob("nvidia[0-9]*"))]
    if not all_cards:
        return []
    each = max(1, round(gpus))
    first = int(number * gpus) if gpus < 1 else number * each
    return [all_cards[(first + n) % len(all_cards)] for n in range(each)]


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for a process that is started inside; spawned ones inherit them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _death(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"its worker was killed by {signal.Signals(-exitcode).name}"
    return f"its worker ended with exit code {exitcode}"
