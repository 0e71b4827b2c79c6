"""`python -m sft bench`: what it switches on, the shape it measures, and a run on the CPU."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flex.config import load_config
from flex.problems import InputError
from sft import machine
from sft.__main__ import app
from sft.bench import Measured, bench, table
from sft.bench_input import random_coach, three_billion, write_clips
from sft.bench_rows import Switches, in_turn, off_in_turn, settings_of
from sft.data import prepare
from sft.flops import Shape
from sft.recipe import Recipe
from vlm.tiny import build_tokenizer

CONFIGS = Path("configs/sft")
PAPER = ["none", "checkpointing", "sdpa", "frame cache", "joined chunks", "feature cache"]


@pytest.fixture
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", list)


@pytest.mark.usefixtures("_no_gpu")
def test_without_a_gpu_the_3b_shape_is_refused_with_a_way_out() -> None:
    done = CliRunner().invoke(app, ["bench"])
    assert isinstance(done.exception, InputError)
    (problem,) = done.exception.problems
    assert problem.place == "--shape"
    assert "needs a GPU" in problem.message
    assert "--shape tiny" in problem.message


def test_each_optimisation_of_a_recipe_is_switched_on_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "_installed", lambda package: package == "liger_kernel")
    paper = list(in_turn(load_config(Recipe, CONFIGS / "paper.yaml", [])))
    assert [one.name for one in paper] == PAPER
    assert paper[0] == Switches()
    assert paper[-1] == Switches("feature cache", "sdpa", True, True, True, True)
    best = load_config(Recipe, CONFIGS / "best.yaml", [])
    assert [one.name for one in in_turn(best)] == [*PAPER, "liger"]
    monkeypatch.setattr(machine, "_installed", lambda package: package == "flash_attn")
    names = [one.name for one in in_turn(best.model_copy(update={"scope": "llm+vision+merger"}))]
    assert names == ["none", "checkpointing", "flash_attention_2", "frame cache"]


def test_a_row_is_the_recipe_but_for_its_switches() -> None:
    recipe = load_config(Recipe, CONFIGS / "best.yaml", [])
    own = settings_of(recipe, Switches(), "3b", steps=5)
    assert (own.attention, own.checkpointing, own.liger, own.feature_cache) == (
        "eager", False, False, None,
    )  # fmt: skip
    assert (own.batch, own.accumulate, own.frames, own.rank) == (4, 2, 16, 32)
    assert (own.steps, own.log_every) == (10, 5)


def test_the_3b_shape_has_the_3b_models_weights() -> None:
    config = three_billion(build_tokenizer(["Hello, coach."], 320))
    assert Shape.of(config).weights == pytest.approx(3.754e9, rel=1e-3)
    assert config.text_config.rope_parameters["mrope_section"] == [16, 24, 24]
    assert config.vision_config.fullatt_block_indexes == [7, 15, 23, 31]


def test_dialogues_have_about_the_tokens_that_were_asked_for(tmp_path: Path) -> None:
    recipe = Recipe(model="random", frames=4, pixels=56 * 56, feature_cache=None,
                    frame_cache=tmp_path / "frames")  # fmt: skip
    coach = random_coach("tiny", recipe, "cpu", "sdpa")
    clips = write_clips(tmp_path / "clips", 2, 512, recipe, coach.processor)
    lengths = [example.length for example in prepare(recipe, coach, clips).examples]
    assert lengths == pytest.approx([512, 512], abs=64)


@pytest.mark.slow
def test_the_tiny_shape_is_measured_on_the_cpu(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    options = ["--config", str(CONFIGS / "paper.yaml"), "--shape", "tiny", "--steps", "2"]
    done = CliRunner().invoke(app, ["bench", *options, "--out", str(out)])
    assert done.exception is None, done.output
    result = json.loads(out.read_text())
    assert (result["shape"], result["device"]) == ("tiny", "CPU")
    assert [row["switches"]["name"] for row in result["rows"]] == PAPER
    for row in result["rows"]:
        assert row["failed"] == ""
        assert row["readings"]["samples_per_s"] > 0
        assert 0 <= row["readings"]["data_wait_percent"] <= 100
    waits = {r["switches"]["name"]: r["readings"]["data_wait_percent"] for r in result["rows"]}
    assert waits["feature cache"] < waits["none"]


def test_a_row_that_ran_out_of_memory_says_so() -> None:
    readings = dict.fromkeys(
        ["samples_per_s", "tokens_per_s", "mfu_percent", "memory_gib", "data_wait_percent"], 2.0
    )
    rows = [
        Measured("best", Switches(), 1024, failed="out of memory"),
        Measured("best", Switches("checkpointing"), 1024, readings),
        Measured("best", Switches("sdpa"), 1024, readings | {"samples_per_s": 3.0}),
    ]
    columns = [list(column.cells) for column in table(rows).columns]
    assert columns[2] == ["out of memory", "2.00", "3.00"]
    assert columns[3] == ["", "", "× 1.50"]


def test_each_optimisation_is_switched_off_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_installed", lambda package: package == "liger_kernel")
    rows = list(off_in_turn(load_config(Recipe, CONFIGS / "best.yaml")))
    used = ["sdpa", "frame cache", "joined chunks", "feature cache", "liger", "checkpointing"]
    names = ["all", *(f"without {name}" for name in used), "with checkpointing"]
    assert [row.name for row in rows] == names
    whole, rest = rows[0], {row.name: row for row in rows[1:]}
    assert whole.fit
    assert whole.liger
    assert (rest["without liger"].liger, rest["without liger"].features) == (False, True)
    bare = rest["without frame cache"]
    assert (bare.frames, bare.features) == (False, False)
    assert not rest["with checkpointing"].fit


def test_when_time_is_up_no_row_is_begun(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    names = ("paper", "best", "small_gpu")
    chosen = [part for n in names for part in ("--config", str(CONFIGS / f"{n}.yaml"))]
    options = ["--shape", "tiny", "--order", "off", "--steps", "1", "--minutes", "0"]
    done = CliRunner().invoke(app, ["bench", *chosen, *options, "--out", str(out)])
    assert done.exception is None, done.output
    rows = json.loads(out.read_text())["rows"]
    assert [row["recipe"] for row in rows[:3]] == list(names)
    assert {row["failed"] for row in rows} == {"no time left"}


@pytest.mark.slow
def test_with_everything_on_a_question_is_answered(tmp_path: Path) -> None:
    recipe = load_config(Recipe, CONFIGS / "best.yaml")
    once = iter([True])
    rows = bench({"best": recipe}, "tiny", 1, tmp_path, order="off", left=lambda: next(once, False))
    assert [row.failed for row in rows] == ["", *["no time left"] * (len(rows) - 1)]
    assert rows[0].answer_s is not None
    assert rows[0].answer_s > 0
    assert rows[0].readings is not None
    assert rows[0].readings["samples_per_s"] > 0
