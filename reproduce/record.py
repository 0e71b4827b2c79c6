"""What is known of a step that was run: `OUT/steps/NAME.json`, written when it starts and ends."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flex.files import write_text

State = Literal["running", "failed", "done"]


class StepRecord(BaseModel):
    """One step's last run.

    Attributes:
        fingerprint: hash of its commands and of what it read.
        state: "running" after a kill, too.
        seconds: on the clock, over all attempts since the fingerprint changed.
        cpu_s: of processor time, over the attempts that came to an end.
        memory_mib: the most that one process held at once.
        money: what requests to a language model cost, with its currency; `None` for none.
        gpus: how many GPUs the machine had, for a step that uses one.
        exit_code: of the command that failed.
        commit: of the code that ran, `None` where no git tells it.
        versions: of the packages that decide the results.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    fingerprint: str
    state: State
    commands: tuple[str, ...]
    started: str
    attempts: int = 1
    seconds: float = 0.0
    cpu_s: float = 0.0
    memory_mib: float = 0.0
    money: float | None = None
    currency: str | None = None
    gpus: int = 0
    exit_code: int | None = None
    commit: str | None = None
    versions: dict[str, str] = {}


def now() -> str:
    """Return this moment, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def record_path(out: Path, name: str) -> Path:
    """Return where the record of a step lies."""
    return out / "steps" / f"{name}.json"


def log_path(out: Path, name: str) -> Path:
    """Return where the log of a step lies."""
    return out / "logs" / f"{name}.log"


def write_record(out: Path, record: StepRecord) -> None:
    """Write a record, atomically."""
    write_text(record_path(out, record.name), record.model_dump_json(indent=1) + "\n")


def read_record(out: Path, name: str) -> StepRecord | None:
    """Return the record of a step; `None` if there is none that can be read: it runs again then."""
    try:
        return StepRecord.model_validate_json(record_path(out, name).read_bytes())
    except (OSError, ValidationError):
        return None
