"""Runs a chain: skips what is done, says what failed, and goes on there the next time.

A step is done when its last run ended well, its commands and what it reads are as they were then,
and its outputs exist. A step that is killed goes on in its own folder; one that has changed starts
anew, and what it had made lies under `OUT/old`.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from flex.problems import InputError, Problem
from reproduce.chain import Chain, Step
from reproduce.execute import Usage, run_commands, spent_on
from reproduce.fingerprint import ClipHashes
from reproduce.machine import commit, gpu_names, versions
from reproduce.record import StepRecord, log_path, now, read_record, record_path, write_record


class Shown(Protocol):
    """How a run is told to people."""

    def skipped(self, number: int, step: Step) -> None:
        """A step is done already."""

    def started(self, number: int, step: Step, again: str) -> Callable[[float], None]:
        """A step starts, `again` after an attempt or a change; return what is told the time."""

    def ended(self, number: int, step: Step, record: StepRecord) -> None:
        """A step has ended, well or not."""


def run_chain(chain: Chain, out: Path, shown: Shown, *, steps: str | None = None) -> bool:
    """Run the steps of a filled chain that are not done; return whether all went well.

    Args:
        chain: with its names filled in.
        out: folder of records and logs.
        shown: is told what happens.
        steps: names as in "qa,sft"; `None` for all. Others are neither run nor looked at.

    Raises:
        InputError: an unknown step, an input that is missing, or a run at work in this folder.
    """
    wanted = {step.name for step in chain.only(steps)}
    python = chain.names["python"]
    prints = ClipHashes()
    before: dict[str, str] = {}
    with _sole(out) as lock:
        for number, step in enumerate(chain.steps, 1):
            known = read_record(out, step.name)
            if step.name not in wanted:
                before[step.name] = known.fingerprint if known else ""
                continue
            fingerprint = prints.of_step(step, before, python)
            before[step.name] = fingerprint
            if known and is_done(step, known, fingerprint):
                shown.skipped(number, step)
                continue
            if known and known.fingerprint != fingerprint:
                _set_aside(step, out)
            same = known if known and known.fingerprint == fingerprint else None
            again = "" if known is None else "resumed" if same else "changed"
            record = _run(
                step, _first(step, fingerprint, same, out), out, lock, shown, number, again
            )
            shown.ended(number, step, record)
            prints.forget([*step.outputs, *step.folders])
            if record.state != "done":
                return False
    return True


def is_done(step: Step, record: StepRecord, fingerprint: str) -> bool:
    """Say whether a step need not be run."""
    return (
        record.state == "done"
        and record.fingerprint == fingerprint
        and all(Path(path).exists() for path in step.outputs)
    )


def _first(step: Step, fingerprint: str, same: StepRecord | None, out: Path) -> StepRecord:
    """Return the record of an attempt that begins, on top of earlier ones of the same work."""
    record = StepRecord(
        name=step.name,
        title=step.title,
        fingerprint=fingerprint,
        state="running",
        commands=step.commands,
        started=now(),
        gpus=len(gpu_names()) if step.uses == "gpu" else 0,
        commit=commit(),
        versions=versions(),
    )
    if same is None:
        log_path(out, step.name).unlink(missing_ok=True)
        return record
    lost_s = _killed_after(same, out) if same.state == "running" else 0.0
    return record.model_copy(
        update={
            "started": same.started,
            "attempts": same.attempts + 1,
            "seconds": same.seconds + lost_s,
            "cpu_s": same.cpu_s,
            "memory_mib": same.memory_mib,
        }
    )


def _killed_after(record: StepRecord, out: Path) -> float:
    """Return how long a killed attempt ran: from its record's time to its log's last line."""
    try:
        began = record_path(out, record.name).stat().st_mtime
        return max(0.0, log_path(out, record.name).stat().st_mtime - began)
    except OSError:
        return 0.0


def _run(
    step: Step, record: StepRecord, out: Path, lock: int, shown: Shown, number: int, again: str
) -> StepRecord:
    write_record(out, record)
    watch = shown.started(number, step, again)
    began = time.monotonic()
    try:
        used = run_commands(step, log_path(out, step.name), lock, watch)
    except KeyboardInterrupt:
        used = Usage(130, time.monotonic() - began, 0.0, 0.0)
        write_record(out, _ended(step, record, used))
        raise
    lacking = [] if used.code else [path for path in step.outputs if not Path(path).exists()]
    if lacking:
        with log_path(out, step.name).open("a", encoding="utf-8") as log:
            log.write(f"\nnot written: {', '.join(lacking)}\n")
    ended = _ended(step, record, used, lacking=bool(lacking))
    write_record(out, ended)
    return ended


def _ended(step: Step, record: StepRecord, used: Usage, *, lacking: bool = False) -> StepRecord:
    spent = spent_on(Path(step.ledger)) if step.ledger else None
    return record.model_copy(
        update={
            "state": "failed" if used.code or lacking else "done",
            "exit_code": used.code or None,
            "seconds": round(record.seconds + used.seconds, 1),
            "cpu_s": round(record.cpu_s + used.cpu_s, 2),
            "memory_mib": round(max(record.memory_mib, used.memory_mib)),
            "money": spent[0] if spent else None,
            "currency": spent[1] if spent else None,
        }
    )


def _set_aside(step: Step, out: Path) -> None:
    """Move what a step had made before it changed; its run could not go on in there."""
    for folder in map(Path, step.folders):
        if not folder.exists():
            continue
        number = 1
        while (target := out / "old" / f"{step.name}-{number}" / folder.name).exists():
            number += 1
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder, target)


@contextmanager
def _sole(out: Path) -> Iterator[int]:
    """Hold the folder's lock; commands inherit it, and hold it if this process is killed.

    Raises:
        InputError: somebody else holds it.
    """
    out.mkdir(parents=True, exist_ok=True)
    handle = os.open(out / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = "a run, or a step that a killed run left behind, is at work here; wait for it"
            raise InputError([Problem(str(out), message)]) from error
        yield handle
    finally:
        os.close(handle)
