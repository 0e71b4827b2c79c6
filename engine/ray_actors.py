"""Workers that are actors of a Ray cluster: one item each, one model replica each.

Actors that die with their process or node are replaced where there is room, and get items only
once they are ready; when nodes join, more actors are started. Files travel through Ray's object
store to the driver, so no disk has to be shared.
"""

import os
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.one_item import NO_PLACE, End, Finished, Lost, Stopped, do_item
from engine.pool import StartFailures
from engine.where import Engine
from flex.cli import err
from flex.problems import InputError, Problem
from flex.processors import processors

_LOOK_EVERY_S = 5.0  # how often the cluster is asked whether nodes have joined

_CONNECT_S = 10.0


@dataclass
class _Actor:
    handle: Any
    ready: bool = False
    ticket: int | None = None


class RayPool:
    """Actors of a Ray cluster."""

    def __init__(self, work: Any, where: Engine, most: int, *, gpus: float = 0.0) -> None:
        """Join the cluster and start actors.

        Args:
            work: see `engine.run.Work`.
            where: the address, and how many actors at most.
            most: how many items there are; more actors are never started.
            gpus: graphics cards an actor.

        Raises:
            InputError: Ray is not installed, there is no such cluster, or no room for one actor.
        """
        self._ray = ray = _require_ray()
        assert where.ray is not None
        self._joined_here = _join(where.ray)
        self._most = min(most, where.jobs or most)
        self._gpus = gpus
        self._class = ray.remote(_Worker).options(num_cpus=1, num_gpus=gpus, max_restarts=0)
        self._work = ray.put(work)
        self._failures = StartFailures(where.attempts)
        self._actors: dict[Any, _Actor] = {}  # by what they are waited for
        self._idle: list[_Actor] = []
        self._looked_at = 0.0
        try:
            if self._room() == 0:
                message = f"the cluster has no room for a worker with 1 processor and {gpus:g} GPUs"
                raise InputError([Problem("--ray", message)])
            self._grow()
        except BaseException:
            self.close()
            raise

    def free(self) -> int:
        """Return how many items may be given now."""
        return len(self._idle)

    def give(self, ticket: int, item: Any) -> None:
        """Give an item to a free worker."""
        actor = self._idle.pop()
        actor.ticket = ticket
        self._actors[actor.handle.do.remote(item)] = actor

    def wait(self) -> list[tuple[int, End | Lost]]:
        """Wait until an item ends, an actor is ready or one dies; a few seconds at most."""
        refs = list(self._actors)
        done, _ = self._ray.wait(refs, num_returns=1, timeout=_LOOK_EVERY_S) if refs else ([], [])
        ends: list[tuple[int, End | Lost]] = []
        for ref in done:
            ends += self._look(ref, self._actors.pop(ref))
        if time.monotonic() - self._looked_at > _LOOK_EVERY_S:
            self._grow()
        return ends

    def close(self) -> None:
        """End the actors, and leave the cluster if it was joined here."""
        for actor in [*self._actors.values(), *self._idle]:
            self._ray.kill(actor.handle)
        if self._joined_here:
            self._ray.shutdown()

    def _look(self, ref: Any, actor: _Actor) -> list[tuple[int, End | Lost]]:
        try:
            end = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            return self._replace(actor, error)
        ticket, actor.ticket = actor.ticket, None
        self._idle.append(actor)
        if not actor.ready:
            actor.ready = True
            self._failures.one_started()
        return [] if ticket is None else [(ticket, end)]

    def _replace(self, actor: _Actor, error: Exception) -> list[tuple[int, End | Lost]]:
        self._ray.kill(actor.handle)  # it may only be out of reach, and hold its processor
        if not actor.ready:
            self._failures.one_failed(str(error))
        self._start()
        return (
            []
            if actor.ticket is None
            else [(actor.ticket, Lost(f"its worker is gone ({type(error).__name__})"))]
        )

    def _grow(self) -> None:
        self._looked_at = time.monotonic()
        wanted = min(self._most, self._room())
        for _ in range(wanted - len(self._actors) - len(self._idle)):
            self._start()

    def _room(self) -> int:
        """Return how many actors the whole cluster holds."""
        has = self._ray.cluster_resources()
        by_processor = int(has.get("CPU", 0))
        return (
            min(by_processor, int(has.get("GPU", 0) / self._gpus)) if self._gpus else by_processor
        )

    def _start(self) -> None:
        actor = _Actor(self._class.remote(self._work))
        self._actors[actor.handle.ready.remote()] = actor


class _Worker:
    """What an actor runs."""

    def __init__(self, work: Any) -> None:
        self._work = work

    def ready(self) -> None:
        """Return as soon as the work was unpickled."""

    def do(self, item: Any) -> End:
        """Do one item; its files are returned by content, since the driver may lie elsewhere."""
        try:
            with tempfile.TemporaryDirectory(prefix="engine-") as folder:
                end = do_item(self._work, item, Path(folder))
                if not isinstance(end, Finished):
                    return end
                held = {name: (Path(folder) / name).read_bytes() for name in end.files}
                return Finished(end.result, held)
        except OSError as error:
            if error.errno not in NO_PLACE:
                raise
            return Stopped(error.errno)


def _require_ray() -> Any:
    """Return Ray, or raise an `InputError` that says how to install it."""
    try:
        import ray
    except ImportError as error:
        message = "Ray is not installed: pip install 'flex-coach[cluster]'"
        raise InputError([Problem("--ray", message)]) from error
    return ray


def _join(address: str) -> bool:
    """Join a cluster unless this process is in one already; return whether it was joined now."""
    ray = _require_ray()
    if ray.is_initialized():
        return False
    quiet = {"logging_level": "warning", "log_to_driver": False}
    if address != "auto":
        _require_listener(address)
    try:
        ray.init(address=address, **quiet)
    except ConnectionError as error:
        if address != "auto":
            raise InputError([Problem("--ray", f"no Ray cluster at {address}: {error}")]) from error
        count = processors()
        err.print(f"no Ray cluster runs here; one is started with {count} processors")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Never one that another program has started in the meantime: that has its own processors.
        ray.init(address="local", num_cpus=count, include_dashboard=False, **quiet)
    return True


def _require_listener(address: str) -> None:
    """Raise an `InputError` where nothing listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        message = f'expected "auto", host:6379 or ray://host:10001, found {address}'
        raise InputError([Problem("--ray", message)])
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        raise InputError([Problem("--ray", f"no Ray cluster at {address}: {error}")]) from error
