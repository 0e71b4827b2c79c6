"""What a run leaves, merging it, and the errors a user meets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small import Small
from typer.testing import CliRunner

from flex.config import load_config
from flex.problems import InputError
from flex.video import Sampler
from sft import machine
from sft.__main__ import app
from sft.data import Example
from sft.flops import Shape, step_flops
from sft.machine import Gpu, choose
from sft.merge import merge, probe_logits
from sft.order import Order
from sft.recipe import Recipe
from sft.report import estimate, histogram
from sft.train import train
from vlm.model import load_coach

CONFIGS = Path("configs/sft")


@pytest.fixture(scope="module")
def run(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "tuned"
    return train(small.recipe(steps=4), small.data, small.dialogues, out)


def test_a_run_leaves_a_peft_folder_card_and_log(small: Small, run: Path) -> None:
    kept = json.loads((run / "flex_coach.json").read_text())
    assert kept["sampler"] == {"kind": "uniform", "frames": 4, "pixels": 56 * 56}
    assert kept["base"] == load_coach(small.base).weights
    assert len(kept["data"]) == 16
    settings = json.loads((run / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == str(small.base)
    card = (run / "README.md").read_text()
    assert kept["data"] in card
    assert "**simulated**" in card
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    names = ["loss_recognise", "loss_standard", "loss_evaluate", "loss_score", "samples_per_s"]
    names += ["video_tokens_per_s", "data_wait_percent", "mfu_percent", "memory_gib"]
    assert not set(names) - set(rows[0])
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_merged_adapter_and_reloaded_logits_agree_and_differ_from_base(
    small: Small, run: Path, tmp_path: Path
) -> None:
    parity = merge(run, tmp_path / "merged", dtype="float32")
    assert parity.merged < 1e-4
    assert parity.base > 1e-2
    merged = load_coach(tmp_path / "merged")
    assert merged.sampler == Sampler(frames=4, pixels=56 * 56)
    tuned = probe_logits(load_coach(small.base, run))
    torch.testing.assert_close(probe_logits(merged), tuned, rtol=1e-4, atol=1e-4)
    with pytest.raises(InputError, match="exists already"):
        merge(run, tmp_path / "merged")


def test_a_merge_of_an_adapter_without_effect_is_refused(
    small: Small, tmp_path: Path, trainer_of: Callable[[Recipe], Any]
) -> None:
    recipe = small.recipe()
    model = trainer_of(recipe).model
    model.peft_config["default"].base_model_name_or_path = recipe.model
    model.save_pretrained(tmp_path / "untrained")
    with pytest.raises(InputError, match="is not merged"):
        merge(tmp_path / "untrained", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_finished_run_is_only_written_again(small: Small, tmp_path: Path) -> None:
    recipe = small.recipe(steps=3, log_every=2, save_every=2)
    run = train(recipe, small.data, small.dialogues, tmp_path / "run")
    log = (run / "metrics.jsonl").read_text()
    weights = (run / "adapter_model.safetensors").read_bytes()
    assert [json.loads(line)["step"] for line in log.splitlines()] == [2, 3]
    train(recipe, small.data, small.dialogues, run)
    assert (run / "metrics.jsonl").read_text() == log
    assert (run / "adapter_model.safetensors").read_bytes() == weights
    origin = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**origin, "data": "other clips"}))
    with pytest.raises(InputError, match="data was 'other clips' when the run began"):
        train(recipe, small.data, small.dialogues, run)


def test_merge_names_a_folder_that_is_no_adapter(small: Small, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no adapter"):
        merge(small.data, tmp_path / "merged")


def test_paper_needs_a_gpu_and_says_what_else_to_do(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    recipe = load_config(Recipe, CONFIGS / "paper.yaml")
    with pytest.raises(InputError, match=r"needs a GPU.*tiny\.yaml"):
        train(recipe, small.data, small.dialogues, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_out_of_memory_says_what_to_lower(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("sft.train._get_set", full)
    with pytest.raises(InputError, match=r"lower batch .*batch=2"):
        train(small.recipe(), small.data, small.dialogues, tmp_path / "run")
    assert machine.memory_problem(RuntimeError("something else"), small.recipe()) is None


def test_a_base_that_is_not_there_is_named(small: Small, tmp_path: Path) -> None:
    recipe = small.recipe(model=str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="nothing"):
        train(recipe, small.data, small.dialogues, tmp_path / "run")


@pytest.mark.parametrize(
    ("found", "config", "why"),
    [
        ([], "tiny", "no GPU"),
        ([Gpu("NVIDIA H20", 96)], "best", "NVIDIA H20 of 96 GiB"),
        ([Gpu("NVIDIA A100-SXM4-80GB", 80)] * 2, "best", "2 × NVIDIA A100"),
        ([Gpu("NVIDIA H100", 80)], "best", "enough"),
        ([Gpu("NVIDIA H100", 80)] * 4, "best", "torchrun --nproc_per_node 4 -m sft auto"),
        ([Gpu("NVIDIA GeForce RTX 4060 Ti", 15.6)], "small_gpu", "less than the 20 GiB"),
        ([Gpu("NVIDIA GeForce RTX 3060", 11.6)], "small_gpu", "4 bits"),
        ([Gpu("NVIDIA GeForce RTX 3070", 7.6)], "tiny", "less than"),
        ([Gpu("NVIDIA T4", 15, bf16=False)], "tiny", "bf16"),
    ],
)
def test_the_recipe_suits_the_machine(found: list[Gpu], config: str, why: str) -> None:
    path, said = choose(found)
    assert path == CONFIGS / f"{config}.yaml"
    assert why in said
    load_config(Recipe, path)


def test_eight_ranks_take_the_recipe_for_eight_gpus() -> None:
    path, said = choose([Gpu("NVIDIA H100", 80)] * 8, ranks=8)
    eight, best = load_config(Recipe, path), load_config(Recipe, CONFIGS / "best.yaml")
    assert path == CONFIGS / "eight_gpus.yaml"
    assert "on 8 ranks" in said
    assert eight.batch * eight.accumulate * 8 == best.batch * best.accumulate
    same = {"batch", "accumulate"}
    assert eight.model_dump(exclude=same) == best.model_dump(exclude=same)


def test_the_small_gpus_recipe_is_the_best_in_four_bits() -> None:
    small, best = (load_config(Recipe, CONFIGS / f"{n}.yaml") for n in ("small_gpu", "best"))
    assert small.four_bit
    same = {"four_bit", "workers"}
    assert small.model_dump(exclude=same) == best.model_dump(exclude=same)


def test_the_papers_recipe_is_the_papers() -> None:
    paper = load_config(Recipe, CONFIGS / "paper.yaml")
    assert paper.model == "Qwen/Qwen2.5-VL-3B-Instruct"
    assert (paper.rank, paper.alpha, paper.dropout, paper.rslora) == (8, 16, 0.05, False)
    assert (paper.lr, paper.schedule, paper.clip, paper.warmup) == (5e-5, "cosine", 1.0, 0.0)
    assert (paper.batch, paper.accumulate, paper.epochs, paper.dtype) == (2, 4, 2, "bfloat16")
    for name in ("best", "tiny"):
        load_config(Recipe, CONFIGS / f"{name}.yaml")


def test_an_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    command = ["train", "--config", str(CONFIGS / "tiny.yaml"), "--set", "rnak=3"]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, InputError)
    assert "did you mean rank?" in str(result.exception)


def test_the_order_is_of_the_epoch_and_groups_by_length() -> None:
    lengths = list(range(100, 142))
    order = Order(lengths, group=4, grouped=True, seed=3)
    first, again = list(order), list(order)
    order.epoch = 1
    assert first == again
    assert first != list(order)
    assert sorted(first) == list(range(42))
    spans = [
        max(lengths[i] for i in first[at : at + 4]) - min(lengths[i] for i in first[at : at + 4])
        for at in range(0, 42, 4)
    ]
    assert max(spans) <= 3


def test_histogram_counts_every_dialogue_once() -> None:
    rows = histogram([5, 5, 9, 30])
    assert sum(count for _, _, count in rows) == 4
    assert rows[0][0] == 5
    assert rows[-1][1] >= 30
    assert histogram([7]) == [(7, 7, 1)]


def test_the_estimate_counts_what_is_held_already(small: Small) -> None:
    shape = Shape.of(load_coach(small.base).model.config)
    said = estimate(
        [Example("A01/001 View-1", length=100, learnt=40, video_tokens=20)],
        small.recipe(),
        shape,
        steps=1,
        ranks=1,
        trained=10,
        peak=0.0,
        before=8 * 2**30,
    )
    assert said.startswith("estimated: about 8.0 GiB")


def test_operations_by_hand() -> None:
    shape = Shape(2, 8, 100, 50, 1, 4, 30, 20, 4, wide=16, vision_wide=8)
    linear, attention = 4 * (2 * 100 * 10 + 50 * 8 * 3), 6 * 2 * 8 * (36 + 16)
    assert step_flops(shape, [6, 4], 3, 2, vision_cached=True) == linear + attention
    vision = 2 * (30 * 8 + 20 * 2)
    assert step_flops(shape, [6, 4], 3, 2) == linear + attention + vision
    assert step_flops(shape, [6, 4], 3, 2, vision_tuned=True) == linear + attention + 2 * vision
