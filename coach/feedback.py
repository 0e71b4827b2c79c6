"""What users say of answers, kept as one JSON object a line: `runs/coach/feedback.jsonl`.

    add_feedback(FEEDBACK_FILE, Feedback(clip="squat.mp4", sha=upload.sha, verdict="wrong", …))

Any number of threads and processes may write; a line is whole or is not there, and is on the disk
when the call returns. The review queue reads the same file.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from filelock import FileLock, Timeout
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from flex.problems import InputError, Problem
from flex.records import read_records
from qa_gen.dialogue import Stage

FEEDBACK_FILE = Path("runs/coach/feedback.jsonl")
_WAIT_S = 10.0


class Feedback(BaseModel):
    """One "helpful" or "wrong".

    Attributes:
        clip: name or id of the clip, for show.
        sha: SHA-256 of its bytes.
        note: what the user adds, plain text.
        stage: what was asked; `None` for a free question.
        model: who answered.
        time: when, with its zone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: Annotated[str, Field(min_length=1, max_length=200)]
    sha: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    verdict: Literal["helpful", "wrong"]
    note: Annotated[str, Field(max_length=4000)] = ""
    stage: Stage | None = None
    question: str
    answer: str
    model: str
    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


def add_feedback(path: Path, feedback: Feedback) -> None:
    """Append one line.

    Raises:
        InputError: another process holds the file for ten seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = feedback.model_dump_json().encode() + b"\n"
    try:
        # A lock of its own for each call: one that is shared lets its own thread in again.
        with FileLock(path.with_suffix(".lock"), timeout=_WAIT_S):
            _append(path, line)
    except Timeout as error:
        message = f"is held by another process for {_WAIT_S:g} s; try again"
        raise InputError([Problem(str(path), message)]) from error


def read_feedback(path: Path) -> list[Feedback]:
    """Return all feedback, the oldest first; none if there is no file.

    Raises:
        InputError: every line that is not feedback.
    """
    return read_records(path, Feedback) if path.exists() else []


def _append(path: Path, line: bytes) -> None:
    with path.open("ab+") as stream:
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            # A line that broke off, when the machine did, stays a bad line of its own.
            line = line if stream.read(1) == b"\n" else b"\n" + line
        stream.write(line)
        stream.flush()
        os.fsync(stream.fileno())
