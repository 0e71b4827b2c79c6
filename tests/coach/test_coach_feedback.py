"""Feedback: nothing is lost or torn, whoever writes at the same time."""

import multiprocessing
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from pydantic import ValidationError

from coach import feedback as module
from coach.feedback import Feedback, add_feedback, read_feedback
from flex.problems import InputError

SHA = "0" * 64
LONG = "long answer\n" * 2000


def say(note: str) -> Feedback:
    return Feedback(
        clip="squat.mp4",
        sha=SHA,
        verdict="wrong",
        note=note,
        stage="evaluate",
        question="Well?",
        answer=LONG,
        model="tiny",
    )


def write_many(path: Path, who: int, count: int) -> None:
    for number in range(count):
        add_feedback(path, say(f"{who}-{number}"))


def test_several_processes_and_threads_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "coach" / "feedback.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=write_many, args=(path, who, 15)) for who in range(3)]
    threads = [threading.Thread(target=write_many, args=(path, who, 15)) for who in range(3, 6)]
    writers: list[Any] = [*workers, *threads]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    notes = [feedback.note for feedback in read_feedback(path)]
    assert sorted(notes) == sorted(f"{who}-{number}" for who in range(6) for number in range(15))
    assert all(feedback.answer == LONG for feedback in read_feedback(path))


def test_a_line_that_broke_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    add_feedback(path, say("first"))
    with path.open("ab") as stream:
        stream.write(b'{"clip": "half')
    add_feedback(path, say("second"))
    lines = path.read_text().splitlines()
    assert [Feedback.model_validate_json(lines[n]).note for n in (0, 2)] == ["first", "second"]
    with pytest.raises(InputError, match=r"feedback\.jsonl:2"):
        read_feedback(path)


def test_the_time_has_a_zone_and_no_file_is_no_feedback(tmp_path: Path) -> None:
    assert say("").time.utcoffset() is not None
    assert read_feedback(tmp_path / "none.jsonl") == []
    with pytest.raises(ValidationError, match="timezone"):
        Feedback.model_validate(say("").model_dump() | {"time": datetime(2026, 1, 1)})


@pytest.mark.parametrize(
    "wrong", [{"verdict": "meh"}, {"sha": "12"}, {"note": "x" * 5000}, {"clip": ""}, {"more": 1}]
)
def test_wrong_feedback_is_not_written(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Feedback.model_validate(say("").model_dump() | wrong)


def test_a_file_that_stays_locked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_S", 0.05)
    path = tmp_path / "feedback.jsonl"
    with FileLock(tmp_path / "feedback.lock"), pytest.raises(InputError, match="another process"):
        add_feedback(path, say(""))
