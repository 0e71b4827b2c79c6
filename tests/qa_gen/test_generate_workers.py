"""Dialogues by many workers are those of one process, byte for byte, whatever is killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from fake_endpoint import Body, FakeEndpoint, completion, content, good_answer, status
from llm_clips import KEY, settings
from typer.testing import CliRunner
from waiting import until

from engine.where import Engine
from flex.annotations import ANNOTATIONS_FILE, load_annotations, read_annotations
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.sample import Annotation
from qa_gen.__main__ import app
from qa_gen.cache import Cache
from qa_gen.generate import Generator, generate, versions
from qa_gen.generate_workers import SHARDS, generate_by_workers
from qa_gen.llm_config import Prices
from qa_gen.runs import DIALOGUES, FLAGGED, RUN, RunRecord, read_run
from qa_gen.writer_choice import CACHE, Chosen, open_writer
from sim.settings import load_settings
from sim.study import Study
from sim.write import write_labels

GRAPH = load_graph()
TEMPLATES = Chosen(None, "as asked")
CLIPS, SHARD, IN_FLIGHT = 24, 5, 8
FILES = (DIALOGUES, FLAGGED, RUN)
RECORD = RunRecord(
    data="labels",
    graph=GRAPH.version,
    graph_name=GRAPH.name,
    writer="test",
    seed=3,
    split="subject",
    prompts="",
    versions=versions(),
)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("labels")
    write_labels(Study(GRAPH, load_settings(), 0), root, 70)
    return root


@pytest.fixture(scope="module")
def lifts(labels: Path) -> list[Annotation]:
    return load_annotations(labels / ANNOTATIONS_FILE, GRAPH)[:CLIPS]


def part(annotation: Annotation) -> str:
    return "test" if annotation.clip.endswith("1") else "train"


def model(endpoint: FakeEndpoint, **changes: Any) -> Chosen:
    few = {"concurrency": IN_FLIGHT, "concurrency_max": IN_FLIGHT, "max_retries": 0, **changes}
    return Chosen(settings(endpoint, **few), "as configured")


def alone(chosen: Chosen, lifts: Sequence[Annotation], out: Path) -> RunRecord:
    """Write with this process."""

    async def write() -> RunRecord:
        async with open_writer(chosen, GRAPH, out, seed=RECORD.seed) as writer:
            generator = Generator(GRAPH, writer, seed=RECORD.seed, part_of=part)
            return await generate(generator, lifts, out, RECORD, progress=lambda _: None)

    return asyncio.run(write())


def shared(
    chosen: Chosen, lifts: Sequence[Annotation], out: Path, where: Engine | None = None
) -> RunRecord:
    """Write with two processes, or as told."""
    where = where or Engine(jobs=2)
    return generate_by_workers(chosen, GRAPH, lifts, part, out, RECORD, where=where, size=SHARD)


def bytes_of(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES}


def half_spoiled(body: Body) -> Any:
    """Answer every other request badly; which ones depends on clip and attempt alone."""
    if body["seed"] % 2:
        return content("no JSON")(body)
    return completion(body, json.dumps(good_answer(body)))


def requests_in(out: Path) -> int:
    with Cache(out / CACHE) as ledger:
        return ledger.spent().requests


@pytest.mark.slow
def test_two_processes_write_the_templates_of_one(labels: Path, tmp_path: Path) -> None:
    for name, options in (("one", []), ("two", ["--jobs", "2"])):
        words = ["--data", str(labels), "--writer", "template", "--out", str(tmp_path / name)]
        done = CliRunner().invoke(app, ["generate", *words, *options])
        assert done.exit_code == 0, done.output
    assert "70 dialogues, 0 flagged" in done.output
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")
    assert {path.name for path in (tmp_path / "two").iterdir()} == {*FILES, ".lock"}


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_actors_write_the_templates_of_one(
    ray_cluster: Any,
    lifts: list[Annotation],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster.address)
    shared(TEMPLATES, lifts, tmp_path / "ray", Engine(ray="auto"))
    alone(TEMPLATES, lifts, tmp_path / "one")
    assert bytes_of(tmp_path / "ray") == bytes_of(tmp_path / "one")


@pytest.mark.slow
def test_two_processes_ask_a_model_as_one_does(
    endpoint: FakeEndpoint, lifts: list[Annotation], tmp_path: Path
) -> None:
    endpoint.always, endpoint.latency_s = half_spoiled, 0.05
    finished = alone(model(endpoint), lifts, tmp_path / "one")
    assert finished.flagged > 0 < finished.dialogues
    asked = len(endpoint.requests)
    endpoint.most_in_flight = 0
    shared(model(endpoint), lifts, tmp_path / "two")
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")
    assert len(endpoint.requests) == 2 * asked > 2 * CLIPS
    assert requests_in(tmp_path / "two") == asked
    assert 1 < endpoint.most_in_flight <= IN_FLIGHT
    shared(model(endpoint), lifts, tmp_path / "two", Engine(jobs=1))  # all of it is in the cache
    assert len(endpoint.requests) == 2 * asked
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")


@pytest.mark.slow
def test_more_workers_than_requests_in_flight_are_not_started(
    endpoint: FakeEndpoint, lifts: list[Annotation], tmp_path: Path
) -> None:
    endpoint.latency_s = 0.05
    one_at_a_time = model(endpoint, concurrency=1, concurrency_max=1)
    shared(one_at_a_time, lifts[:12], tmp_path, Engine(jobs=2))
    assert endpoint.most_in_flight == 1


@pytest.mark.slow
def test_a_killed_worker_loses_what_it_had_in_flight(
    endpoint: FakeEndpoint, lifts: list[Annotation], tmp_path: Path
) -> None:
    alone(model(endpoint), lifts, tmp_path / "one")
    endpoint.requests.clear()
    endpoint.latency_s = 0.2
    killed: list[int] = []

    def kill_one() -> None:
        until(lambda: len(endpoint.requests) >= 2 * IN_FLIGHT)
        children = psutil.Process(os.getpid()).children()
        worker = next(one for one in children if "spawn_main" in " ".join(one.cmdline()))
        worker.send_signal(signal.SIGKILL)
        killed.append(worker.pid)

    killer = threading.Thread(target=kill_one)
    killer.start()
    shared(model(endpoint), lifts, tmp_path / "two")
    killer.join()
    assert killed
    assert bytes_of(tmp_path / "two") == bytes_of(tmp_path / "one")
    assert CLIPS <= len(endpoint.requests) <= CLIPS + IN_FLIGHT // 2
    assert requests_in(tmp_path / "two") == CLIPS


RUN_HERE = """
import os
import sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from pathlib import Path
from fake_endpoint import FakeEndpoint
from test_generate_workers import ANNOTATIONS_FILE, CLIPS, GRAPH, load_annotations, model, shared
endpoint = FakeEndpoint()
endpoint.port = int(sys.argv[2])
shared(model(endpoint), load_annotations(Path(sys.argv[3]) / ANNOTATIONS_FILE, GRAPH)[:CLIPS],
       Path(sys.argv[4]))
"""


@pytest.mark.slow
def test_a_killed_driver_goes_on_at_no_further_cost(
    endpoint: FakeEndpoint, labels: Path, lifts: list[Annotation], tmp_path: Path
) -> None:
    alone(model(endpoint), lifts, tmp_path / "one")
    endpoint.requests.clear()
    endpoint.latency_s = 0.2
    out = tmp_path / "two"
    here = Path(__file__).parent
    paths = os.pathsep.join(map(str, (here, here.parent)))
    words = [paths, str(endpoint.port), str(labels), str(out)]
    command = [sys.executable, "-c", RUN_HERE, *words]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as driver:
        until(lambda: list(out.glob(f"{SHARDS}/*/{DIALOGUES}")), driver)
        driver.send_signal(signal.SIGKILL)
    assert not (out / DIALOGUES).exists()
    shared(model(endpoint), lifts, out)
    assert bytes_of(out) == bytes_of(tmp_path / "one")
    assert CLIPS <= len(endpoint.requests) <= CLIPS + IN_FLIGHT
    assert not (out / SHARDS).exists()


@pytest.mark.slow
def test_a_refused_key_stops_all_workers_and_keeps_what_was_paid(
    endpoint: FakeEndpoint, lifts: list[Annotation], tmp_path: Path
) -> None:
    alone(model(endpoint), lifts, tmp_path / "one")
    endpoint.requests.clear()

    def refused_later(body: Body) -> Any:
        if len(endpoint.requests) > 12:
            return status(401)(body)
        return completion(body, json.dumps(good_answer(body)))

    endpoint.always, out = refused_later, tmp_path / "two"
    stopped = shared(model(endpoint), lifts, out)
    assert not stopped.complete
    assert "does not accept the key" in str(stopped.stopped)
    assert read_run(out) == stopped
    whole, begun = (tmp_path / "one" / DIALOGUES).read_bytes(), (out / DIALOGUES).read_bytes()
    assert stopped.dialogues < CLIPS
    assert whole.startswith(begun)
    paid = requests_in(out)
    assert 0 < paid <= 12
    assert len(endpoint.requests) <= 12 + 2 * IN_FLIGHT  # the other shards were not begun
    endpoint.always = None
    assert shared(model(endpoint), lifts, out).complete
    assert bytes_of(out) == bytes_of(tmp_path / "one")
    assert requests_in(out) == CLIPS


@pytest.mark.slow
def test_the_key_is_in_no_file(
    endpoint: FakeEndpoint, lifts: list[Annotation], tmp_path: Path
) -> None:
    endpoint.always = status(401, f"bad key {KEY}")
    shared(model(endpoint), lifts[:6], tmp_path, Engine(jobs=1))
    assert endpoint.keys == {f"bearer {KEY}"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"quarantine.jsonl", "stopped.txt"} <= {path.name for path in files}
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_clip_that_fails_is_named_and_the_others_are_kept(
    lifts: list[Annotation], tmp_path: Path
) -> None:
    alone(TEMPLATES, lifts, tmp_path)
    before = bytes_of(tmp_path)
    unknown = lifts[7].model_copy(update={"action": "A99"})
    with pytest.raises(InputError, match="A99") as one:
        alone(TEMPLATES, [*lifts[:7], unknown], tmp_path / "one")
    with pytest.raises(InputError) as two:
        shared(TEMPLATES, [*lifts[:7], unknown, *lifts[8:]], tmp_path)
    (problem,) = two.value.problems
    assert problem.place == f"the clips from {lifts[5].clip} on"
    assert problem.message == "; ".join(map(str, one.value.problems))
    assert bytes_of(tmp_path) == before
    assert len(list((tmp_path / SHARDS).glob(f"*/{DIALOGUES}"))) == 4
    shared(TEMPLATES, lifts, tmp_path)
    assert bytes_of(tmp_path) == before


def test_bad_annotations_write_nothing(labels: Path, tmp_path: Path) -> None:
    lines = (labels / ANNOTATIONS_FILE).read_text().splitlines()
    lines[5] = lines[5][:40]
    broken = tmp_path / ANNOTATIONS_FILE
    broken.write_text("\n".join(lines))
    with pytest.raises(InputError, match=":6: not valid JSON"):
        generate_by_workers(
            TEMPLATES,
            GRAPH,
            read_annotations(broken, GRAPH),
            part,
            tmp_path / "out",
            RECORD,
            where=Engine(jobs=1),
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "where", "named"),
    [
        ({"budget": 5.0}, Engine(jobs=2), "--budget: workers do not see"),
        ({}, Engine(ray="auto"), "--ray: the key of a language model"),
    ],
)
def test_what_workers_cannot_share_is_refused(
    endpoint: FakeEndpoint, tmp_path: Path, changes: dict[str, Any], where: Engine, named: str
) -> None:
    chosen = model(endpoint, prices=Prices(input=1.0, output=4.0), **changes)
    with pytest.raises(InputError, match=named):
        shared(chosen, [], tmp_path, where)
    assert not list(tmp_path.iterdir())


def test_the_commands_refuse_before_they_ask(
    endpoint: FakeEndpoint, labels: Path, tmp_path: Path
) -> None:
    config = tmp_path / "model.yaml"
    config.write_text(f"base_url: {endpoint.base_url}\nmodel: m\napi_key_env: FAKE_KEY\n")
    words = ["--data", str(labels), "--config", str(config), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["generate", *words, "--jobs", "2", "--budget", "1"])
    assert isinstance(done.exception, InputError)
    assert "leave out --jobs" in str(done.exception)
    assert not (tmp_path / "out").exists()
    assert not endpoint.requests
