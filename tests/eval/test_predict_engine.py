"""Prediction by workers with a replica of the model each: the answers are those of one process."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_predict import QUESTIONS, dialogue, film
from waiting import until

from engine.where import Engine
from eval import predict
from flex.problems import InputError
from flex.video import Sampler

SAMPLER = Sampler(frames=4, pixels=56 * 56)
MODES = ("pretrained", "prompted")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five clips, of which one does not decode and one has no file, and a random tiny coach."""
    pytest.importorskip("transformers")
    from vlm.tiny import tiny_coach_folder

    root = tmp_path_factory.mktemp("workers")
    clips = [f"A16/{number:03}" for number in range(5)]
    for number, clip in enumerate(clips[:4]):
        film(root / "data" / clip / "View-1.mp4", 40 * number)
    (root / "data" / clips[2] / "View-1.mp4").write_bytes(b"no film")
    lines = (json.dumps(dialogue(clip)) + "\n" for clip in clips)
    (root / "dialogues.jsonl").write_text("".join(lines))
    tiny_coach_folder(root / "tiny", list(QUESTIONS.values()))
    return root


@pytest.fixture(scope="module")
def alone(world: Path) -> Iterator[Path]:
    """What this process answers, with as many threads as a worker has."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run(world, world / "alone")
    yield world / "alone"
    torch.set_num_threads(before)


def run(
    world: Path, out: Path, where: Engine | None = None, modes: tuple[str, ...] = MODES
) -> None:
    predict.run(
        model=str(world / "tiny"),
        modes=modes,
        data=world / "data",
        dialogues=world / "dialogues.jsonl",
        out=out,
        cache=world / "cache",
        batch=2,
        max_new_tokens=6,
        sampler=SAMPLER,
        where=where,
    )


def assert_same(one: Path, other: Path, modes: tuple[str, ...] = MODES) -> None:
    for mode in modes:
        name = f"answers-{mode}.jsonl"
        assert (one / name).read_bytes() == (other / name).read_bytes()
        records = [json.loads((run / f"predict-{mode}.json").read_text()) for run in (one, other)]
        for record in records:
            assert record.pop("seconds") > 0
        assert records[0] == records[1]


@pytest.mark.slow
def test_two_processes_answer_as_one(world: Path, alone: Path, tmp_path: Path) -> None:
    run(world, tmp_path / "two", Engine(jobs=2))
    record = json.loads((alone / "predict-prompted.json").read_text())
    assert (record["clips"], record["answers"], len(record["broken"])) == (3, 12, 2)
    assert_same(alone, tmp_path / "two")
    run(world, tmp_path / "two", Engine(jobs=1))  # nothing is asked again
    record = json.loads((tmp_path / "two/predict-prompted.json").read_text())
    assert (record["answers"], record["reused"]) == (12, 12)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_replica_on_each_actor_answers_as_one(
    ray_cluster: Any, world: Path, alone: Path, tmp_path: Path
) -> None:
    run(world, tmp_path / "ray", Engine(ray=ray_cluster.address), ("prompted",))
    assert_same(alone, tmp_path / "ray", ("prompted",))


@pytest.mark.slow
def test_a_driver_that_was_killed_goes_on(world: Path, alone: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["predict", "--model", str(world / "tiny"), "--data", str(world / "data")]
    arguments += ["--dialogues", str(world / "dialogues.jsonl"), "--out", str(out), "--batch", "2"]
    arguments += ["--cache", str(world / "cache")]
    arguments += ["--max-new-tokens", "6", "--frames", "4", "--pixels", str(56 * 56)]
    arguments += ["--mode", "prompted", "--jobs", "1"]
    command = [sys.executable, "-m", "eval", *arguments]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as driver:
        until(lambda: list(out.glob("engine/prompted/*.jsonl")), driver)
        driver.send_signal(signal.SIGKILL)
    assert not (out / "answers-prompted.jsonl").exists()
    run(world, out, Engine(jobs=1), ("prompted",))
    name = "answers-prompted.jsonl"
    assert (out / name).read_bytes() == (alone / name).read_bytes()


def test_workers_for_an_endpoint_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a server runs its replicas itself"):
        predict.run(
            model="served",
            endpoint="http://localhost:1/v1",
            out=tmp_path,
            where=Engine(jobs=1),
        )
