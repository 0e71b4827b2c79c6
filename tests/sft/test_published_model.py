"""All that touches a model, on one as the hub has it: tuned, merged, evaluated, served, talked to.

The weights are random and two layers deep; files, names and precision are those of the 3B.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub_folder import REAL_TOKENIZER, tensors_of, write_hub_folder
from small import TURNS, row, write_clip, write_rows
from typer.testing import CliRunner

from coach.talk import Mode, open_local_talker
from eval.__main__ import app as eval_app
from flex.video import Frames, Sampler
from sft.__main__ import app as sft_app
from vlm.generate import Conversation, Decoding, generate
from vlm.model import load_coach

pytestmark = pytest.mark.slow
SMALL = {"device": "cpu", "frames": 4, "pixels": 56 * 56, "steps": 2, "log_every": 1}
SMALL |= {"save_every": 2, "workers": 0, "batch": 2, "accumulate": 1, "lr": 1e-2, "dropout": 0.0}
MODES = ("pretrained", "prompted", "tuned")
KINDS = [
    "flattened",
    "nested",
    pytest.param(
        "real tokenizer",
        marks=pytest.mark.skipif(not REAL_TOKENIZER.exists(), reason="is not installed"),
    ),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips to learn from and two to be judged on."""
    root = tmp_path_factory.mktemp("world")
    rows = []
    for number in range(6):
        clip, split = f"A16/{number:03d}", "train" if number < 4 else "test"
        write_clip(root / "data" / clip / "View-1.mp4", number)
        facts = {"errors": [], "labelled": [["AK44", "ET056"]], "score": 80.0}
        made = row(clip, f"P{number}", split) | {"action": "A16", "skill": "novice"}
        rows.append(made | {"facts": facts})
    write_rows(root / "dialogues.jsonl", rows)
    return root


@pytest.fixture(scope="module", params=KINDS)
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A checkpoint in one of its forms, its context so short that one exercise's rules fit only."""
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "-")) / "Qwen2.5-VL"
    tokenizer = REAL_TOKENIZER if request.param == "real tokenizer" else None
    texts = [text for _, *texts in TURNS for text in texts]
    write_hub_folder(folder, nested=request.param == "nested", texts=texts, tokenizer=tokenizer)
    config = json.loads((folder / "config.json").read_text())
    config.get("text_config", config)["max_position_embeddings"] = 4096
    (folder / "config.json").write_text(json.dumps(config))
    yield folder
    shutil.rmtree(folder)


def call(app: Any, *words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def tune(recipe: str, model: Path, world: Path, out: Path, **changes: Any) -> Path:
    """Tune by a recipe as it is shipped, but for what makes it small."""
    caches = {"frame_cache": world / "frames", "feature_cache": world / "features"}
    settings = {**SMALL, **caches, "model": model, **changes}
    given = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    where = ["--data", world / "data", "--dialogues", world / "dialogues.jsonl", "--out", out]
    call(sft_app, "train", "--config", f"configs/sft/{recipe}.yaml", *where, *given)
    return out


@pytest.fixture(scope="module")
def adapter(model: Path, world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tune("best", model, world, tmp_path_factory.mktemp("best") / "adapter")


@pytest.mark.parametrize("recipe", ["best", "paper"])
def test_shipped_recipes_train_on_it(
    recipe: str, model: Path, world: Path, adapter: Path, tmp_path: Path
) -> None:
    run = adapter if recipe == "best" else tune(recipe, model, world, tmp_path / "run")
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [one["step"] for one in rows] == [1, 2]
    assert all(one["loss"] > 0 for one in rows)
    settings = json.loads((run / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(model)
    tuned, base = load_coach(model, run, device="cpu"), load_coach(model, device="cpu")
    assert tuned.base == base.weights != tuned.weights


def test_a_merged_model_keeps_precision_and_ends(
    model: Path, adapter: Path, tmp_path: Path
) -> None:
    assert "differ by at most" in call(sft_app, "merge", adapter, "--out", tmp_path / "merged")
    merged = tmp_path / "merged"
    assert {tensor.dtype for tensor in tensors_of(merged).values()} == {torch.bfloat16}
    config = json.loads((merged / "config.json").read_text())
    assert (config.get("dtype") or config["torch_dtype"]) == "bfloat16"
    before = json.loads((model / "generation_config.json").read_text())
    after = json.loads((merged / "generation_config.json").read_text())
    assert after["eos_token_id"] == before["eos_token_id"]
    assert not {"repetition_penalty", "temperature", "do_sample"} & set(after)
    load_coach(merged, device="cpu")


def test_it_is_evaluated_in_three_modes(
    model: Path, adapter: Path, world: Path, tmp_path: Path
) -> None:
    out = tmp_path / "eval"
    where = ["--data", world / "data", "--dialogues", world / "dialogues.jsonl", "--out", out]
    call(eval_app, "predict", "--adapter", adapter, *where, "--max-new-tokens", 4)
    for mode in MODES:
        assert len((out / f"answers-{mode}.jsonl").read_text().splitlines()) == 2 * len(TURNS)
        record = json.loads((out / f"predict-{mode}.json").read_text())
        assert record["sampler"] | {"frames": 4, "pixels": 56 * 56} == record["sampler"]
    said = [(out / f"answers-{mode}.jsonl").read_text() for mode in ("pretrained", "tuned")]
    assert said[0] != said[1]


def test_the_coach_talks_with_and_without_the_adapter(model: Path, adapter: Path) -> None:
    sampler = Sampler(frames=4, pixels=56 * 56)
    talker = open_local_talker(str(model), adapter, sampler)
    seen = Frames(np.zeros((4, 56, 56, 3), np.uint8), (0, 1, 2, 3), 4.0, 4)
    asked = Conversation((seen,), [{"role": "user", "content": TURNS[0][1]}])
    decoding = Decoding(max_new_tokens=4)
    modes: dict[Mode, Path | None] = {"base": None, "tuned": adapter}
    for mode, used in modes.items():
        alone = load_coach(model, used, sampler=sampler, device="cpu")
        assert (
            "".join(talker.stream(asked, mode, decoding)) == generate(alone, [asked], decoding)[0]
        )
    rated = [talker.rate(asked, mode, [TURNS[0][2]])[0] for mode in modes]
    assert rated[0] != rated[1]


def test_an_endpoint_is_evaluated_like_it(
    world: Path, tmp_path: Path, chat_server: Callable[..., AbstractContextManager[Any]]
) -> None:
    out = tmp_path / "eval"
    where = ["--data", world / "data", "--dialogues", world / "dialogues.jsonl", "--out", out]
    with chat_server() as (address, asked):
        call(eval_app, "predict", "--endpoint", address, "--model", "coach", *where)
    assert len((out / "answers-pretrained.jsonl").read_text().splitlines()) == 2 * len(TURNS)
    assert {body["model"] for body in asked} == {"coach"}


def test_the_page_loads_it(hub_folder: Path, tmp_path: Path, free_port: int) -> None:
    """`coach demo` in a process of its own, until it says that the model is there."""
    pytest.importorskip("gradio")
    command = [sys.executable, "-m", "coach", "demo", "--model", str(hub_folder)]
    command += ["--port", str(free_port), "--feedback", str(tmp_path / "feedback.jsonl")]
    command += ["--log", str(tmp_path / "log.jsonl")]
    with _running(command) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "The model is there" in line or "error" in line:
                break
    assert "The model is there" in said[-1], "".join(said)


@contextmanager
def _running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)
