"""The traps of fine-tuning, one test each, named for it."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small import Small, row, write_rows

from flex.problems import InputError
from sft import machine
from sft.data import clips_of, prepare
from sft.lora import SCOPES, Movement, add_lora, check_modules, planned_modules, tuned_modules
from sft.merge import probe_logits
from sft.recipe import Recipe
from sft.train import train
from vlm.model import load_coach

TrainerOf = Callable[[Recipe], Any]


def adapters(model: Any) -> dict[str, torch.Tensor]:
    return {n: p.detach().clone() for n, p in model.named_parameters() if "lora_" in n}


def test_trap_4_a_dialogue_that_is_too_long_is_refused_and_named(small: Small) -> None:
    recipe = small.recipe(max_tokens=150)
    coach = load_coach(recipe.model, sampler=recipe.sampler)
    coach.model.requires_grad_(False)
    with pytest.raises(InputError, match=r"A01/002 View-1: the dialogue has \d+ tokens") as caught:
        prepare(recipe, coach, clips_of(recipe, small.data, small.dialogues))
    assert "never cut" in str(caught.value)


def test_trap_6_every_lora_matrix_moves_by_step_2(small: Small, trainer_of: TrainerOf) -> None:
    trainer = trainer_of(small.recipe(steps=2, scope="llm+vision+merger"))
    before = adapters(trainer.model)
    trainer.train()
    after = adapters(trainer.model)
    assert len(before) == 2 * (2 * 7 + 3 * 5 + 2)
    assert not [name for name in before if torch.equal(before[name], after[name])]


def test_trap_6_an_adapter_without_gradient_stops_the_run(
    small: Small, trainer_of: TrainerOf
) -> None:
    trainer = trainer_of(small.recipe(steps=3))
    name, weight = next((n, p) for n, p in trainer.model.named_parameters() if "lora_B" in n)
    weight.register_hook(torch.zeros_like)
    with pytest.raises(InputError, match="gets no gradient") as caught:
        trainer.train()
    assert name in str(caught.value)


def test_trap_6_warmup_starts_at_zero_and_is_no_false_alarm(
    small: Small, trainer_of: TrainerOf
) -> None:
    trainer_of(small.recipe(steps=4, warmup=0.5, schedule="linear")).train()


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_trap_7_lora_is_on_the_listed_modules_only(small: Small, scope: str) -> None:
    model = load_coach(small.base).model
    planned = planned_modules(model.config, scope)
    linear = {n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    assert planned <= linear
    if scope != "llm":
        assert linear - planned == {"lm_head"}
    model.requires_grad_(False)
    assert tuned_modules(add_lora(model, small.recipe(scope=scope))) == planned


def test_trap_7_a_module_that_nobody_listed_is_named(small: Small) -> None:
    model = load_coach(small.base).model
    planned = planned_modules(model.config, "llm")
    model.requires_grad_(False)
    tuned = add_lora(model, small.recipe(scope="llm+vision+merger"))
    with pytest.raises(InputError, match=r"model\.visual\.merger\.mlp\.0: has an adapter"):
        check_modules(tuned, planned)


def test_trap_8_two_by_four_equals_eight_by_one(small: Small, trainer_of: TrainerOf) -> None:
    weights, losses = [], []
    for batch, accumulate in ((1, 6), (3, 2), (6, 1)):
        settings = {"batch": batch, "accumulate": accumulate, "length_grouped": False}
        trainer = trainer_of(small.recipe(steps=3, **settings))
        trainer.train()
        weights.append(adapters(trainer.model))
        losses.append([r["loss"] for r in trainer.state.log_history if "loss" in r])
    assert weights[0]
    assert len(losses[0]) == 3
    for other, loss in zip(weights[1:], losses[1:], strict=True):
        assert loss == pytest.approx(losses[0], rel=1e-5)
        for name, weight in weights[0].items():
            torch.testing.assert_close(other[name], weight, rtol=1e-3, atol=2e-5)


def test_trap_9_speed_ups_are_used_where_installed_and_never_required(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small.recipe(attention="auto", liger=True)
    monkeypatch.setattr(machine, "_installed", lambda _: False)
    assert (machine.attention_of(recipe), machine.liger_of(recipe)) == ("sdpa", False)
    monkeypatch.setattr(machine, "_installed", lambda _: True)
    assert (machine.attention_of(recipe), machine.liger_of(recipe)) == ("flash_attention_2", True)
    optional = {"flash_attn", "liger_kernel", "tensorboard", "bitsandbytes", "deepspeed"}
    sources = list(Path(machine.__file__).parent.glob("*.py"))
    assert Path(machine.__file__) in sources
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not optional & {name.split(".")[0] for name in names}, path


def test_trap_10_a_broken_clip_is_named_and_stops_the_run_unless_allowed(
    small: Small, tmp_path: Path
) -> None:
    broken = small.data / "A01/200/View-1.mp4"
    broken.parent.mkdir(exist_ok=True)
    broken.write_bytes(b"this is no video")
    dialogues = tmp_path / "dialogues.jsonl"
    clips = ["A01/000", "A01/200", "A01/201", "A01/001"]
    write_rows(dialogues, [row(clip, "P0", "train") for clip in clips])
    with pytest.raises(InputError, match="allow_broken=true") as caught:
        train(small.recipe(steps=1), small.data, dialogues, tmp_path / "run")
    places = [problem.place for problem in caught.value.problems]
    assert places == ["A01/200 View-1", "A01/201 View-1", "allow_broken"]
    run = train(
        small.recipe(steps=2, allow_broken=True), small.data, dialogues, tmp_path / "allowed"
    )
    assert "A01/200 View-1" in (run / "broken.txt").read_text()
    assert "2 of the split" in (run / "README.md").read_text()


def test_trap_11_a_subject_or_clip_of_two_splits_is_refused(small: Small, tmp_path: Path) -> None:
    dialogues = tmp_path / "dialogues.jsonl"
    rows = [row("A01/000", "P0", "train"), row("A01/001", "P0", "test")]
    write_rows(dialogues, [*rows, row("A01/000", "P1", "validation")])
    with pytest.raises(InputError) as caught:
        clips_of(small.recipe(), small.data, dialogues)
    found = str(caught.value)
    assert "clip A01/000 is in split 'train' and in another one" in found
    assert "subject P0 is in 'train' and in another split" in found
    write_rows(dialogues, rows)
    assert len(clips_of(small.recipe(shared_subjects=True), small.data, dialogues)) == 1


def test_trap_14_an_adapter_is_applied(small: Small, tmp_path: Path) -> None:
    run = train(small.recipe(steps=4), small.data, small.dialogues, tmp_path / "run")
    base = probe_logits(load_coach(small.base, sampler=small.recipe().sampler))
    coach = load_coach(small.base, run)
    tuned = probe_logits(coach)
    assert (tuned - base).abs().max() > 1e-2
    with coach.model.disable_adapter():
        torch.testing.assert_close(probe_logits(coach), base)


def test_movement_names_what_stands_still(small: Small) -> None:
    model = load_coach(small.base).model
    model.requires_grad_(False)
    tuned = add_lora(model, small.recipe())
    movement = Movement(tuned)
    assert len(movement.still(tuned)) == 2 * len(planned_modules(model.config, "llm"))


@pytest.mark.parametrize("sharded", ["", "true"])
def test_adapters_keep_32_bits_on_a_base_of_16(
    small: Small, monkeypatch: pytest.MonkeyPatch, sharded: str
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", sharded)
    model = load_coach(small.base).model.to(torch.bfloat16)
    model.requires_grad_(False)
    found = adapters(add_lora(model, small.recipe()))
    assert {weight.dtype for weight in found.values()} == {torch.float32}
