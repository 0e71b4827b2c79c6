"""Runs work over many items: on this machine's processes or on Ray, with the same bytes.

    def cut(clip: Clip, folder: Path) -> int:          # top-level, or a picklable dataclass
        (folder / f"{clip.id}.csv").write_text(...)
        return 103

    outcome = run_all(clips, cut, where=Engine(jobs=4), out=root, key=lambda clip: clip.id)
    for key, frames in outcome.results(): ...

Only the driver, the process that calls `run_all`, writes into `out`: an item's files are moved
there when the item is finished, then its line goes on the done list. Whatever is killed, a worker,
a node or the driver, the same call goes on where it was and ends in the same bytes.
"""

import errno
import os
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from filelock import FileLock, Timeout
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.book import Book
from engine.lists import DONE, QUARANTINE, KeyedList, Quarantined
from engine.one_item import Finished, Lost, Refused, Stopped
from engine.pool import Pool
from engine.where import Engine
from flex.cli import err
from flex.files import hash_text
from flex.problems import InputError, Problem
from flex.processors import processors

Item = TypeVar("Item")
T_contra = TypeVar("T_contra", contravariant=True)
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


class Work(Protocol[T_contra]):
    """What is done with one item; picklable, and sent to each worker once.

    A frozen dataclass with `__call__` may hold a model in a `functools.cached_property`: it is
    then loaded once a worker.
    """

    def __call__(self, item: T_contra, folder: Path, /) -> Any:
        """Write the item's files under `folder`, which is empty, and return a small result.

        Files are named as they shall be named under `out`; two items never share a name. The
        result is anything that JSON holds, `None` included. The bytes depend on the item alone.

        Raises:
            InputError: the item cannot be used; it goes to quarantine, the others go on.
        """


@dataclass(frozen=True)
class Outcome:
    """What became of the items.

    Attributes:
        done: how many were done in this run.
        reused: how many were done before.
        quarantined: those that cannot be done, those of earlier runs included.
    """

    done: int
    reused: int
    quarantined: tuple[Quarantined, ...]
    _keys: tuple[str, ...]
    _list: KeyedList

    def results(self) -> Iterator[tuple[str, Any]]:
        """Yield key and result of each item that is done, in the order of the items."""
        for key in self._keys:
            row = self._list.get(key)
            if row is not None:
                yield key, row["result"]


def run_all(
    items: Sequence[Item],
    work: Work[Item],
    *,
    where: Engine,
    out: Path,
    key: Callable[[Item], str],
    stamp: Callable[[Item], str] | None = None,
    log: Path | None = None,
    title: str = "items",
    shown: bool = True,
    gpus: float = 0.0,
) -> Outcome:
    """Do some work with every item that is not done yet.

    An item that raises, or that takes its worker down `where.attempts` times, goes to
    quarantine; it is tried again when its stamp changes or with `where.retry`.

    Args:
        items: picklable, and small: what a worker needs to find its input (paths, not frames).
        work: see `Work`.
        where: processes here or Ray, and whether quarantined items are tried again.
        out: the folder that the items' files go to.
        key: an item's name, unique; what the done and quarantine lists call it.
        stamp: hash of what else an item's files depend on (bytes of its inputs, settings); an
            item that was done with another stamp is done anew. Default: the key alone.
        log: the folder of `done.jsonl` and `quarantine.jsonl`, by default `out`; another one
            for each step where several write into one `out`.
        title: what the progress bar says.
        shown: whether there is a progress bar; of many ranks at work, one shows it.
        gpus: graphics cards that each worker has for itself, such as 1 or 0.5.

    Returns:
        What was done, reused and quarantined, and the results in the order of the items.

    Raises:
        InputError: two items of one key; `out` cannot be written to; another run is at work on
            the same lists; Ray is not installed or there is no such cluster.
        OSError: the disk is full, on a worker or here; what is done stays done.
        RuntimeError: no worker gets ready.
    """
    keys = tuple(map(key, items))
    _require_unique(keys)
    stamps = [stamp(item) if stamp else "" for item in items]
    log = log or out
    done = 0
    with _alone(out, log) as scratch:
        book = Book(out, KeyedList(log / DONE), KeyedList(log / QUARANTINE))
        states = list(map(book.state, keys, stamps))
        again = ("todo", "quarantined") if where.retry else ("todo",)
        todo = [n for n, state in enumerate(states) if state in again]
        if todo:
            with (
                _progress(title, len(keys), len(keys) - len(todo), shown) as step,
                _open_pool(work, where, len(todo), scratch, gpus) as pool,
            ):
                for n, end in _ends(pool, items, todo, where.attempts):
                    book.enter(keys[n], stamps[n], end)
                    done += isinstance(end, Finished)
                    step()
        book.done.settle(keys)
        book.quarantine.settle(keys)
    rows = filter(None, map(book.quarantine.get, keys))
    quarantined = tuple(Quarantined(**row) for row in rows)
    return Outcome(done, states.count("done"), quarantined, keys, book.done)


def _ends(
    pool: Pool, items: Sequence[Any], todo: Sequence[int], attempts: int
) -> Iterator[tuple[int, Finished | Refused]]:
    """Yield how each item ends; what was lost with its worker is given to another one."""
    queue, running, losses = deque(todo), 0, Counter[int]()
    while queue or running:
        while queue and pool.free():
            n = queue.popleft()
            pool.give(n, items[n])
            running += 1
        for n, end in pool.wait():
            running -= 1
            if isinstance(end, Stopped):
                raise OSError(end.errno, os.strerror(end.errno))
            if isinstance(end, Lost):
                losses[n] += 1
                if losses[n] < attempts:
                    queue.append(n)
                    continue
                end = Refused(f"{end.reason}; so {attempts} workers went away with it")
            yield n, end


@contextmanager
def _open_pool(work: Any, where: Engine, count: int, scratch: Path, gpus: float) -> Iterator[Pool]:
    pool: Pool
    if where.ray is None:
        from engine.processes import ProcessPool

        jobs = min(count, where.jobs or processors())
        pool = ProcessPool(work, jobs, scratch, attempts=where.attempts, gpus=gpus)
    else:
        from engine.ray_actors import RayPool

        pool = RayPool(work, where, count, gpus=gpus)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _alone(out: Path, log: Path) -> Iterator[Path]:
    """Hold the lists for this run; give an empty folder for files in the making."""
    making = f".making-{hash_text(str(log.absolute()))}-"
    try:
        for folder in (out, log):
            folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(log / ".engine.lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        message = "another run is at work here; wait for it, or choose another folder"
        raise InputError([Problem(str(log), message)]) from error
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        message = f"cannot be written to: {error.strerror}"
        raise InputError([Problem(str(error.filename or out), message)]) from error
    try:
        # A worker that outlives a killed run may still write to the folder of that run.
        for left in out.glob(f"{making}*"):
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=making, dir=out.absolute()))
        yield scratch
    finally:
        for left in out.glob(f"{making}*"):
            shutil.rmtree(left, ignore_errors=True)
        lock.release()


@contextmanager
def _progress(title: str, total: int, before: int, shown: bool) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, disable=not shown) as bar:
        task = bar.add_task(title, total=total, completed=before)
        yield lambda: bar.advance(task)


def _require_unique(keys: Sequence[str]) -> None:
    twice = [name for name, count in Counter(keys).items() if count > 1]
    if twice:
        raise InputError([Problem(name, "two items have this key") for name in twice])
