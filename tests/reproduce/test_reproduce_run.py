"""A chain skips what is done, repeats what has changed, goes on after a failure or a kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cheap_chain import Cheap
from waiting import until

from flex.problems import InputError
from reproduce.chain import Chain, Step, load_chain
from reproduce.execute import spent_on, tail
from reproduce.record import StepRecord, log_path, read_record, record_path
from reproduce.run import run_chain


class Silent:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def skipped(self, number: int, step: Step) -> None:
        self.told.append(f"{step.name} skipped")

    def started(self, number: int, step: Step, again: str) -> Callable[[float], None]:
        self.told.append(f"{step.name} started {again}".strip())
        return lambda _: None

    def ended(self, number: int, step: Step, record: StepRecord) -> None:
        self.told.append(f"{step.name} {record.state}")


def go(chain: Chain, out: Path, steps: str | None = None) -> tuple[bool, list[str]]:
    shown = Silent()
    return run_chain(chain, out, shown, steps=steps), shown.told


def test_runs_all_and_then_nothing(cheap: Cheap) -> None:
    assert go(cheap.chain(), cheap.folder)[0]
    assert cheap.ran() == ["a", "b", "c"]
    assert (cheap.folder / "c").read_text() == "sabc"
    well, told = go(cheap.chain(), cheap.folder)
    assert well
    assert told == ["a skipped", "b skipped", "c skipped"]
    assert cheap.ran() == []
    record = read_record(cheap.folder, "b")
    assert record is not None
    assert record.state == "done"
    assert record.attempts == 1
    assert record.cpu_s > 0
    assert record.memory_mib > 1
    assert "working on b" in log_path(cheap.folder, "b").read_text()


def test_a_changed_command_runs_again_with_all_that_needs_it(cheap: Cheap) -> None:
    go(cheap.chain(), cheap.folder)
    cheap.ran()
    _, told = go(cheap.chain(b="x"), cheap.folder)
    assert told == ["a skipped", "b started changed", "b done", "c started changed", "c done"]
    assert (cheap.folder / "c").read_text() == "saxc"
    assert (cheap.folder / "old" / "b-1" / "b").read_text() == "sab", "set aside, not lost"
    go(cheap.chain(b="y"), cheap.folder)
    assert (cheap.folder / "old" / "b-2" / "b").read_text() == "sax"


def test_a_changed_input_runs_again(cheap: Cheap) -> None:
    go(cheap.chain(), cheap.folder)
    cheap.ran()
    (cheap.folder / "source").write_text("t")
    assert go(cheap.chain(), cheap.folder)[0]
    assert cheap.ran() == ["a", "b", "c"]
    assert (cheap.folder / "c").read_text() == "tabc"


def test_a_lost_output_is_made_again_and_the_same_bytes_wake_nobody(cheap: Cheap) -> None:
    go(cheap.chain(), cheap.folder)
    cheap.ran()
    (cheap.folder / "a").unlink()
    assert go(cheap.chain(), cheap.folder)[0]
    assert cheap.ran() == ["a"]


def test_goes_on_at_the_step_that_failed(cheap: Cheap) -> None:
    (cheap.folder / "bad-b").touch()
    well, told = go(cheap.chain(), cheap.folder)
    assert not well
    assert told[-1] == "b failed"
    record = read_record(cheap.folder, "b")
    assert record is not None
    assert record.exit_code == 7
    assert "working on b" in tail(log_path(cheap.folder, "b"))
    assert read_record(cheap.folder, "c") is None
    cheap.ran()
    (cheap.folder / "bad-b").unlink()
    well, told = go(cheap.chain(), cheap.folder)
    assert well
    assert told[:2] == ["a skipped", "b started resumed"]
    assert cheap.ran() == ["b", "c"]
    again = read_record(cheap.folder, "b")
    assert again is not None
    assert again.attempts == 2


def test_only_named_steps_run(cheap: Cheap) -> None:
    assert go(cheap.chain(), cheap.folder, "a")[0]
    assert cheap.ran() == ["a"]
    with pytest.raises(InputError, match=r"no step 'bb' \(did you mean b\?\); there are a, b, c"):
        go(cheap.chain(), cheap.folder, "bb")
    with pytest.raises(InputError, match=r"step c: its input .*/b is missing"):
        go(cheap.chain(), cheap.folder, "c")


def one_step(folder: Path, code: str, **fields: Any) -> Chain:
    (folder / "step.py").write_text(code)
    step = {
        "name": "one",
        "title": "One",
        "commands": [f"{{python}} {folder / 'step.py'}"],
        "outputs": ["{out}/made"],
        **fields,
    }
    content = {"title": "t", "note": "n", "simulated": True, "steps": [step]}
    given = {"out": str(folder), "python": sys.executable, "data": str(folder)}
    return Chain.model_validate(content).filled(given)


def test_an_output_that_is_not_written_is_a_failure(tmp_path: Path) -> None:
    well, told = go(one_step(tmp_path, "pass"), tmp_path)
    assert not well
    assert told[-1] == "one failed"
    assert f"not written: {tmp_path}/made" in tail(log_path(tmp_path, "one"))


def test_what_a_command_prints_goes_to_its_file_or_else_to_the_log(tmp_path: Path) -> None:
    chain = one_step(tmp_path, "print('[1]')", stdout="{out}/made")
    assert go(chain, tmp_path)[0]
    assert (tmp_path / "made").read_text() == "[1]\n"
    (tmp_path / "made").unlink()
    failing = one_step(tmp_path, "print('why'); raise SystemExit(2)", stdout="{out}/made")
    assert not go(failing, tmp_path)[0]
    assert not (tmp_path / "made").exists()
    assert tail(log_path(tmp_path, "one"), 1) == "why"


def test_a_command_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    chain = one_step(tmp_path, "", commands=["no-such-program now"])
    assert not go(chain, tmp_path)[0]
    assert "no-such-program cannot be started" in tail(log_path(tmp_path, "one"))


KILLED = """
import os, pathlib, signal
started = pathlib.Path({folder!r}, 'started')
if not started.exists():
    started.touch()
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path({folder!r}, 'made').write_text('whole')
"""


def test_a_step_that_is_killed_goes_on_in_its_folder(tmp_path: Path) -> None:
    chain = one_step(tmp_path, KILLED.format(folder=str(tmp_path)), folders=["{out}/started"])
    assert not go(chain, tmp_path)[0]
    record = read_record(tmp_path, "one")
    assert record is not None
    assert record.exit_code == -signal.SIGKILL
    assert go(chain, tmp_path)[1] == ["one started resumed", "one done"]
    assert (tmp_path / "made").read_text() == "whole"
    assert not (tmp_path / "old").exists()


DRIVER = """
import signal, sys
from pathlib import Path
from reproduce.chain import load_chain
from reproduce.run import run_chain
class Silent:
    def skipped(self, *_): pass
    def started(self, *_): return lambda _: None
    def ended(self, *_): pass
# Whoever runs the tests in the background of a shell script has Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
out = sys.argv[1]
chain = load_chain(Path(sys.argv[2])).filled({"out": out, "python": sys.executable})
run_chain(chain, Path(out), Silent())
"""
SLOW = """
title: slow
note: n
simulated: true
steps:
  - name: one
    title: One
    commands: ["{python} {out}/slow.py"]
    outputs: ["{out}/made"]
"""


def test_a_killed_run_leaves_no_second_step_beside_the_first(tmp_path: Path) -> None:
    """The step of a killed run holds the lock until it ends; then the next run goes on."""
    (tmp_path / "slow.py").write_text(
        "import pathlib, time, os\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / 'pid').write_text(str(os.getpid()))\n"
        "while not (here / 'go').exists(): time.sleep(.02)\n"
        "(here / 'made').write_text('whole')\n"
    )
    (tmp_path / "chain.yaml").write_text(SLOW)
    words = [sys.executable, "-c", DRIVER, str(tmp_path), str(tmp_path / "chain.yaml")]
    with subprocess.Popen(words) as driver:
        until((tmp_path / "pid").exists)
        driver.kill()
    record = read_record(tmp_path, "one")
    assert record is not None
    assert record.state == "running"
    given = {"out": str(tmp_path), "python": sys.executable}
    chain = load_chain(tmp_path / "chain.yaml").filled(given)
    with pytest.raises(InputError, match="a step that a killed run left behind"):
        go(chain, tmp_path)
    (tmp_path / "go").touch()
    until((tmp_path / "made").exists)
    until(lambda: not alive(int((tmp_path / "pid").read_text())))
    assert go(chain, tmp_path)[1] == ["one started resumed", "one done"]


def test_ctrl_c_ends_the_step_and_the_next_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\n"
        "here = pathlib.Path(__file__).parent\n"
        "if (here / 'begun').exists():\n"
        "    (here / 'made').touch()\n"
        "else:\n"
        "    (here / 'begun').touch()\n"
        "    time.sleep(3600)\n"
    )
    (tmp_path / "chain.yaml").write_text(SLOW)
    words = [sys.executable, "-c", DRIVER, str(tmp_path), str(tmp_path / "chain.yaml")]
    with subprocess.Popen(words, start_new_session=True, stderr=subprocess.DEVNULL) as driver:
        until((tmp_path / "begun").exists)
        os.killpg(driver.pid, signal.SIGINT)
    record = read_record(tmp_path, "one")
    assert record is not None
    assert (record.state, record.exit_code) == ("failed", 130)
    chain = load_chain(tmp_path / "chain.yaml")
    filled = chain.filled({"out": str(tmp_path), "python": sys.executable})
    assert go(filled, tmp_path)[1] == ["one started resumed", "one done"]


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_damaged_record_means_not_done(cheap: Cheap) -> None:
    go(cheap.chain(), cheap.folder)
    cheap.ran()
    record_path(cheap.folder, "b").write_text("{")
    assert go(cheap.chain(), cheap.folder)[0]
    assert cheap.ran() == ["b"]


def test_money_is_read_from_the_ledger(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "answers.sqlite"
    assert spent_on(path) is None
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE requests (cost REAL, currency TEXT)")
        connection.executemany("INSERT INTO requests VALUES (?, ?)", [(0.25, "EUR"), (0.5, "EUR")])
    connection.close()
    assert spent_on(path) == (0.75, "EUR")


def test_a_moved_file_in_a_folder_changes_it(tmp_path: Path) -> None:
    from reproduce.fingerprint import ClipHashes

    folder = tmp_path / "data"
    (folder / "A01").mkdir(parents=True)
    (folder / "A01" / "x").write_text("1")
    before = ClipHashes().of_path(folder)
    assert ClipHashes().of_path(folder) == before
    (folder / ".lock").touch()
    assert ClipHashes().of_path(folder) == before, "hidden files are no data"
    os.rename(folder / "A01" / "x", folder / "A01" / "y")
    assert ClipHashes().of_path(folder) != before


def test_only_what_a_step_wrote_is_looked_at_anew(tmp_path: Path) -> None:
    from reproduce.fingerprint import ClipHashes

    for name in ("data", "made"):
        (tmp_path / name).mkdir()
    prints = ClipHashes()
    before = [prints.of_path(tmp_path / name) for name in ("data", "made")]
    for name in ("data", "made"):
        (tmp_path / name / "new").touch()
    prints.forget([str(tmp_path / "made" / "new")])
    after = [prints.of_path(tmp_path / name) for name in ("data", "made")]
    assert after[0] == before[0], "a large folder is listed once"
    assert after[1] != before[1]
