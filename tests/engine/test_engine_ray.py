"""Work on a Ray cluster of two nodes on this machine: whatever dies, the bytes are the same."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from engine_work import Draw, Thing, bytes_of, things
from waiting import until

from engine.run import Outcome, run_all
from engine.where import Engine
from flex.problems import InputError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

# Where the driver of a test finds this project and the work of these tests.
PATHS = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    folder = tmp_path / "flag"
    folder.mkdir()
    return folder


@pytest.fixture
def calm(tmp_path: Path, flag: Path) -> dict[str, bytes]:
    """What local processes make of twelve things."""
    run(things(12), Draw(flag), tmp_path / "calm", Engine(jobs=2))
    for mark in flag.iterdir():
        mark.unlink()
    return bytes_of(tmp_path / "calm")


def run(items: list[Thing], draw: Draw, out: Path, where: Engine) -> Outcome:
    return run_all(items, draw, where=where, out=out, key=lambda thing: thing.name)


def test_ray_gives_the_bytes_of_local_processes(
    ray_cluster: Any, calm: dict[str, bytes], tmp_path: Path, flag: Path
) -> None:
    outcome = run(things(12), Draw(flag), tmp_path / "ray", Engine(ray=ray_cluster.address))
    assert outcome.done == 12
    assert bytes_of(tmp_path / "ray") == calm
    assert len((flag / "loaded.txt").read_text().split()) <= 2  # two actors, loaded once each


def test_a_killed_worker_and_bad_items_end_as_they_do_locally(
    ray_cluster: Any, tmp_path: Path, flag: Path
) -> None:
    items = things(12, thing001="once", thing004="bad", thing005="bug", thing007="once")
    outcome = run(items, Draw(flag), tmp_path / "ray", Engine(ray=ray_cluster.address))
    assert (flag / "fault-thing007").exists()
    assert [row.key for row in outcome.quarantined] == ["thing004", "thing005"]
    run(items, Draw(flag), tmp_path / "local", Engine(jobs=1))
    assert bytes_of(tmp_path / "ray") == bytes_of(tmp_path / "local")


def test_a_full_disk_on_a_node_stops_the_run(ray_cluster: Any, tmp_path: Path, flag: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        run(things(3, thing001="full"), Draw(flag), tmp_path, Engine(ray=ray_cluster.address))


def test_a_killed_driver_goes_on_and_ends_in_the_same_bytes(
    ray_cluster: Any, calm: dict[str, bytes], tmp_path: Path, flag: Path
) -> None:
    out = tmp_path / "out"
    script = (
        "import sys; sys.path[:0] = sys.argv[4:]\n"
        "from pathlib import Path\n"
        "from engine.run import run_all\n"
        "from engine.where import Engine\n"
        "from engine_work import Draw, things\n"
        "run_all(things(12), Draw(Path(sys.argv[2]), seconds=0.3),\n"
        "        where=Engine(ray=sys.argv[3]), out=Path(sys.argv[1]), key=lambda t: t.name)\n"
    )
    (tmp_path / "driver.py").write_text(script)
    arguments = [str(out), str(flag), ray_cluster.address, *PATHS]
    command = [sys.executable, str(tmp_path / "driver.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        until(lambda: len(list(out.glob("*.bin"))) >= 3, driver)
        driver.send_signal(signal.SIGKILL)
    assert len(list(out.glob("*.bin"))) < 12
    outcome = run(things(12), Draw(flag), out, Engine(ray=ray_cluster.address))
    assert outcome.reused >= 2
    assert bytes_of(out) == calm


def test_a_killed_node_loses_nothing(
    ray_cluster: Any, calm: dict[str, bytes], tmp_path: Path, flag: Path
) -> None:
    third = ray_cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    ray_cluster.wait_for_nodes()
    out = tmp_path / "ray"
    left: list[int] = []

    def kill_one() -> None:
        until(lambda: len(list(out.glob("*.bin"))) >= 3)
        ray_cluster.remove_node(third, allow_graceful=False)
        left.append(12 - len(list(out.glob("*.bin"))))

    killer = threading.Thread(target=kill_one)
    killer.start()
    outcome = run(things(12), Draw(flag, seconds=0.5), out, Engine(ray=ray_cluster.address))
    killer.join()
    assert left[0] > 0
    assert (outcome.done, outcome.quarantined) == (12, ())
    assert bytes_of(out) == calm


def test_a_cluster_without_such_cards_is_refused(
    ray_cluster: Any, tmp_path: Path, flag: Path
) -> None:
    where = Engine(ray=ray_cluster.address)
    with pytest.raises(InputError, match="no room for a worker with 1 processor and 1 GPUs"):
        run_all(things(1), Draw(flag), where=where, out=tmp_path, key=lambda t: t.name, gpus=1)


def test_what_is_no_cluster_is_said(tmp_path: Path, flag: Path) -> None:
    with pytest.raises(InputError, match=r"no Ray cluster at 127.0.0.1:1: .*refused"):
        run(things(1), Draw(flag), tmp_path, Engine(ray="127.0.0.1:1"))
    with pytest.raises(InputError, match=r'expected "auto", host:6379 .* found head'):
        run(things(1), Draw(flag), tmp_path, Engine(ray="head"))
