"""Work on processes of this machine: what is killed or broken costs nothing else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from engine_work import Draw, Thing, bytes_of, things
from waiting import PATIENCE_S, until

from engine.processes import cards_of
from engine.run import Outcome, run_all
from engine.where import Engine
from flex.problems import InputError

# Where the driver of a test finds this project and the work of these tests.
PATHS = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    folder = tmp_path / "flag"
    folder.mkdir()
    return folder


def run(
    items: list[Thing], draw: Draw, out: Path, *, jobs: int = 1, retry: bool = False
) -> Outcome:
    where = Engine(jobs=jobs, retry=retry)
    return run_all(items, draw, where=where, out=out, key=lambda thing: thing.name)


def test_two_workers_give_the_bytes_of_one(tmp_path: Path, flag: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    outcome = run(things(12), Draw(flag), one)
    assert len((flag / "loaded.txt").read_text().split()) == 1  # once a worker, not once an item
    run(things(12), Draw(flag), two, jobs=2)
    assert bytes_of(one) == bytes_of(two)
    assert len(bytes_of(one)) == 2 * 12 + 1
    assert (one / "thing011.bin").read_bytes() == bytes(range(8))
    assert [key for key, _ in outcome.results()] == [f"thing{n:03}" for n in range(12)]
    assert (outcome.done, outcome.reused, outcome.quarantined) == (12, 0, ())


def test_what_is_done_is_not_done_again(tmp_path: Path, flag: Path) -> None:
    out = tmp_path / "out"
    run(things(3), Draw(flag), out)
    (flag / "started-thing001").unlink()
    before = bytes_of(out)
    outcome = run(things(5), Draw(flag), out)
    assert (outcome.done, outcome.reused) == (2, 3)
    assert not (flag / "started-thing001").exists()
    assert before.items() <= {**bytes_of(out), "done.jsonl": before["done.jsonl"]}.items()


def test_a_file_that_was_deleted_or_cut_is_made_again(tmp_path: Path, flag: Path) -> None:
    out = tmp_path / "out"
    run(things(4), Draw(flag), out)
    before = bytes_of(out)
    (out / "thing000.bin").unlink()
    (out / "text" / "thing002.txt").write_text("cut")
    outcome = run(things(4), Draw(flag), out)
    assert (outcome.done, outcome.reused) == (2, 2)
    assert bytes_of(out) == before


def test_another_stamp_does_an_item_anew_and_leaves_nothing_stale(
    tmp_path: Path, flag: Path
) -> None:
    def run_stamped(draw: Draw, out: Path) -> Outcome:
        where, stamp = Engine(jobs=1), str(draw.factor)
        return run_all(
            things(2), draw, where=where, out=out, key=lambda t: t.name, stamp=lambda t: stamp
        )

    run_stamped(Draw(flag), tmp_path / "out")
    outcome = run_stamped(Draw(flag, factor=2), tmp_path / "out")
    assert outcome.done == 2
    run_stamped(Draw(flag, factor=2), tmp_path / "fresh")
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "fresh")


def test_a_killed_worker_loses_nothing(tmp_path: Path, flag: Path) -> None:
    run(things(8), Draw(flag), tmp_path / "calm")
    faulty = things(8, thing002="once", thing005="once")
    outcome = run(faulty, Draw(flag), tmp_path / "killed", jobs=2)
    assert (flag / "fault-thing002").exists()
    assert (outcome.done, outcome.quarantined) == (8, ())
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "calm")


def test_bad_items_go_to_quarantine_and_the_others_go_on(tmp_path: Path, flag: Path) -> None:
    out = tmp_path / "out"
    outcome = run(things(6, thing001="bad", thing003="kill", thing004="bug"), Draw(flag), out)
    reasons = {row.key: row.reason for row in outcome.quarantined}
    assert outcome.done == 3
    assert reasons["thing001"] == "thing001: is damaged"
    assert reasons["thing003"] == (
        "its worker was killed by SIGKILL; so 3 workers went away with it"
    )
    assert reasons["thing004"].startswith("ValueError: not foreseen (engine_work.py:")
    rows = [json.loads(line) for line in (out / "quarantine.jsonl").read_text().splitlines()]
    assert [row["key"] for row in rows] == ["thing001", "thing003", "thing004"]
    assert not (out / "text" / "thing001.txt").exists()  # half-made files stay out


def test_quarantine_is_tried_again_only_when_asked(tmp_path: Path, flag: Path) -> None:
    out, items = tmp_path / "out", things(3, thing001="mended")
    assert len(run(items, Draw(flag), out).quarantined) == 1
    (flag / "mended").touch()
    again = run(items, Draw(flag), out)
    assert (again.done, len(again.quarantined)) == (0, 1)
    retried = run(items, Draw(flag), out, retry=True)
    assert (retried.done, retried.reused, retried.quarantined) == (1, 2, ())
    assert not (out / "quarantine.jsonl").exists()
    run(things(3), Draw(flag), tmp_path / "fresh")
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")


def test_a_full_disk_stops_the_run_and_keeps_what_is_done(tmp_path: Path, flag: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OSError, match="No space left"):
        run(things(4, thing002="full"), Draw(flag), out)
    outcome = run(things(4), Draw(flag), out)
    assert outcome.reused == 2
    assert outcome.done == 2
    assert not list(out.glob(".making-*"))


def test_a_killed_driver_goes_on_and_ends_in_the_same_bytes(tmp_path: Path, flag: Path) -> None:
    out = tmp_path / "out"
    script = (
        "import sys; sys.path[:0] = sys.argv[3:]\n"
        "from pathlib import Path\n"
        "from engine.run import run_all\n"
        "from engine.where import Engine\n"
        "from engine_work import Draw, things\n"
        "if __name__ == '__main__':\n"
        "    run_all(things(30), Draw(Path(sys.argv[2]), seconds=0.1), where=Engine(jobs=2),\n"
        "            out=Path(sys.argv[1]), key=lambda thing: thing.name)\n"
    )
    (tmp_path / "driver.py").write_text(script)
    command = [sys.executable, str(tmp_path / "driver.py"), str(out), str(flag), *PATHS]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as driver:
        until(lambda: len(list(out.glob("*.bin"))) >= 3, driver)
        driver.send_signal(signal.SIGKILL)
    assert len(list(out.glob("*.bin"))) < 30
    outcome = run(things(30), Draw(flag), out, jobs=2)
    assert outcome.reused >= 2
    run(things(30), Draw(flag), tmp_path / "calm")
    assert bytes_of(out) == bytes_of(tmp_path / "calm")


def test_workers_end_with_their_driver(tmp_path: Path, flag: Path) -> None:
    """However it was killed, and in the middle of an item."""
    script = (
        "import sys; sys.path[:0] = sys.argv[3:]\n"
        "from pathlib import Path\n"
        "from engine.run import run_all\n"
        "from engine.where import Engine\n"
        "from engine_work import Draw, things\n"
        "if __name__ == '__main__':\n"
        "    run_all(things(2), Draw(Path(sys.argv[2]), seconds=3600), where=Engine(jobs=2),\n"
        "            out=Path(sys.argv[1]), key=lambda thing: thing.name)\n"
    )
    (tmp_path / "driver.py").write_text(script)
    out = tmp_path / "out"
    command = [sys.executable, str(tmp_path / "driver.py"), str(out), str(flag), *PATHS]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as driver:
        until(lambda: len(list(flag.glob("started-*"))) == 2, driver)
        workers = psutil.Process(driver.pid).children()
        assert len(workers) >= 2
        driver.send_signal(signal.SIGKILL)
    assert psutil.wait_procs(workers, PATIENCE_S)[1] == []


def test_a_done_line_that_was_cut_off_is_dropped(tmp_path: Path, flag: Path) -> None:
    out = tmp_path / "out"
    run(things(3), Draw(flag), out)
    before = bytes_of(out)
    done = out / "done.jsonl"
    done.write_bytes(done.read_bytes()[:-20])
    assert run(things(3), Draw(flag), out).reused == 2
    assert bytes_of(out) == before


def test_what_cannot_be_is_said(tmp_path: Path, flag: Path) -> None:
    with pytest.raises(InputError, match=r"--jobs: expected 1 or more, found 0"):
        Engine(jobs=0)
    with pytest.raises(InputError, match=r"thing000: two items have this key"):
        run([*things(1), *things(2)], Draw(flag), tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written to: Not a directory"):
        run(things(1), Draw(flag), tmp_path / "file" / "out")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "done.jsonl").write_text("no JSON\n")
    with pytest.raises(InputError, match=r'expected an object with "key"'):
        run(things(1), Draw(flag), tmp_path / "odd")


def test_two_runs_do_not_share_their_lists(tmp_path: Path, flag: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".engine.lock"), pytest.raises(InputError, match="another run"):
        run(things(1), Draw(flag), tmp_path)


def surroundings(item: int, folder: Path) -> list[str]:
    return [os.environ["CUDA_VISIBLE_DEVICES"], os.environ["OMP_NUM_THREADS"]]


def test_a_worker_has_one_thread_and_its_own_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    outcome = run_all([0], surroundings, where=Engine(jobs=1), out=tmp_path, key=str, gpus=1)
    assert list(outcome.results()) == [("0", ["2", "1"])]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert [cards_of(worker, 1) for worker in range(3)] == [["2"], ["5"], ["2"]]
    assert [cards_of(worker, 0.5) for worker in range(4)] == [["2"], ["2"], ["5"], ["5"]]
    assert cards_of(0, 2) == ["2", "5"]


class NeverReady:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit(3)",)

    def __call__(self, item: Thing, folder: Path) -> None:
        raise AssertionError


def test_workers_that_never_get_ready_end_the_run(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"no worker gets ready, tried 3 times.*exit code 3"):
        run_all(
            things(2),
            NeverReady(),
            where=Engine(jobs=1),
            out=tmp_path,
            key=lambda thing: thing.name,
        )
