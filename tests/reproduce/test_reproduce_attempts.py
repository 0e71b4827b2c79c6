"""What a step's record says of attempts that were killed or failed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cheap_chain import Cheap

from reproduce.chain import Step
from reproduce.record import (
    State,
    StepRecord,
    log_path,
    read_record,
    record_path,
    write_record,
)
from reproduce.run import run_chain


class Begun:
    """Keeps the record with which each step begins."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.records: list[StepRecord | None] = []

    def skipped(self, number: int, step: Step) -> None: ...

    def started(self, number: int, step: Step, again: str) -> Callable[[float], None]:
        self.records.append(read_record(self.out, step.name))
        return lambda _: None

    def ended(self, number: int, step: Step, record: StepRecord) -> None: ...


@pytest.mark.parametrize(("state", "lost_s"), [("running", 300), ("failed", 0)])
def test_the_time_of_a_killed_attempt_counts(cheap: Cheap, state: State, lost_s: float) -> None:
    """From its record's time to its log's last line; one that ended has its time written down."""
    out, shown = cheap.folder, Begun(cheap.folder)
    assert run_chain(cheap.chain(), out, shown, steps="a")
    done = read_record(out, "a")
    assert done is not None
    write_record(out, done.model_copy(update={"state": state, "seconds": 1000.0}))
    os.utime(record_path(out, "a"), (50_000, 50_000))
    os.utime(log_path(out, "a"), (50_300, 50_300))
    assert run_chain(cheap.chain(), out, shown, steps="a")
    first, second = shown.records
    assert first is not None
    assert second is not None
    assert (first.seconds, first.attempts) == (0, 1)
    assert (second.seconds, second.attempts) == (1000 + lost_s, 2)
