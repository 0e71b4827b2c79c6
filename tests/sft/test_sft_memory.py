"""The estimate of memory beside what autograd keeps, and what a GPU's memory decides."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small import Small

from flex.config import load_config
from flex.problems import InputError
from sft import machine
from sft.bench_input import three_billion
from sft.data import Example
from sft.fit import fitted, heaviest_pass, keep_fit, kept_fit
from sft.flops import Shape
from sft.lora import add_lora
from sft.memory import Load, layer_bytes, step_bytes, weight_bytes
from sft.precision import autocast, leave_casts_to_autocast
from sft.recipe import Recipe
from sft.train import train
from vlm.tiny import build_config, build_tokenizer

CONFIGS = Path("configs/sft")
TOKENS = (2, 256)
GIB = 2**30
# What M10's arithmetic is about: dialogues of 1,170 tokens, of which about 350 are learnt.
DIALOGUES = [Example(f"A01/{n:03}", 1170, 350, 512) for n in range(16)]
TRAINED = 59_867_136  # rank 32 on all linear layers of the 3B model


def kept_by(layers: int, recipe: Recipe, hidden: int, wide: int) -> int:
    """Return the bytes that autograd keeps in a forward pass of so many decoder layers."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    config = build_config(build_tokenizer(["Hello, coach."], 320), hidden=hidden, layers=2)
    text = config.text_config
    text.num_hidden_layers, text.layer_types = layers, ["full_attention"] * layers
    text.intermediate_size = wide
    model = Qwen2_5_VLForConditionalGeneration._from_config(
        config, dtype=getattr(torch, recipe.dtype), attn_implementation="sdpa"
    )
    model.requires_grad_(False)
    model = add_lora(model, recipe).train()
    if recipe.dtype != "float32":
        leave_casts_to_autocast(model)
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ids = torch.randint(20, 250, TOKENS)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda it: it), autocast(recipe, "cpu"):
        model(input_ids=ids, use_cache=False, logits_to_keep=1)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_layer_keeps_what_the_estimate_says(dtype: str, dropout: float) -> None:
    recipe = Recipe(model="m", dtype=dtype, dropout=dropout, rank=8)
    four, two = (kept_by(layers, recipe, hidden=192, wide=1024) for layers in (4, 2))
    measured = (four - two) / 2 / (TOKENS[0] * TOKENS[1])
    mask = 2 if dtype == "bfloat16" else 4
    estimated = layer_bytes(192, 1024, recipe, fused=False, mask=mask)
    assert estimated == pytest.approx(measured, rel=0.1)


def three_b() -> Shape:
    return Shape.of(three_billion(build_tokenizer(["Hello, coach."], 320)))


def test_the_3b_models_weights_and_a_pass_in_gib() -> None:
    best = load_config(Recipe, CONFIGS / "best.yaml")
    assert weight_bytes(three_b(), best) == pytest.approx(7.509e9, rel=0.001)
    assert weight_bytes(three_b(), best.model_copy(update={"four_bit": True})) < 3.5 * GIB
    two = best.model_copy(update={"batch": 2})
    held = step_bytes(three_b(), heaviest_pass(DIALOGUES, 2), TRAINED, two)
    again = two.model_copy(update={"checkpointing": True})
    less = step_bytes(three_b(), heaviest_pass(DIALOGUES, 2), TRAINED, again)
    assert less < 13 * GIB < 20 * GIB < held < 24 * GIB
    fused = step_bytes(three_b(), heaviest_pass(DIALOGUES, 2), TRAINED, two, fused=True)
    assert fused < held
    tower = two.model_copy(update={"scope": "llm+vision+merger"})
    assert step_bytes(three_b(), heaviest_pass(DIALOGUES, 2), TRAINED, tower) > held


def test_the_heaviest_pass_is_padded_to_the_longest() -> None:
    examples = [Example("a", 10, 4, 2), Example("b", 30, 8, 2), Example("c", 20, 6, 2)]
    assert heaviest_pass(examples, 2) == Load(tokens=60, learnt=14, video_tokens=4)


@pytest.mark.parametrize(
    ("memory", "batch", "checkpointing"),
    [(141, 8, False), (80, 8, False), (48, 4, False), (24, 1, False), (16, 2, True), (2, 1, True)],
)
def test_the_gpus_memory_decides_batch_and_checkpointing(
    memory: float, batch: int, checkpointing: bool
) -> None:
    best = load_config(Recipe, CONFIGS / "best.yaml")
    assert (best.fit, best.batch * best.accumulate) == ("auto", 8)
    own = fitted(best, three_b(), DIALOGUES, TRAINED, memory * GIB)
    assert (own.batch, own.checkpointing) == (batch, checkpointing)
    assert own.batch * own.accumulate == 8
    assert fitted(best, three_b(), DIALOGUES, TRAINED, None) == best
    fixed = best.model_copy(update={"fit": "fixed"})
    assert fitted(fixed, three_b(), DIALOGUES, TRAINED, memory * GIB) == fixed


def test_a_resumed_run_keeps_the_fit_that_it_began_with(tmp_path: Path) -> None:
    recipe = Recipe(model="m", fit="auto", batch=4, accumulate=2)
    assert kept_fit(recipe, tmp_path) is None
    small = recipe.model_copy(update={"batch": 2, "accumulate": 4, "checkpointing": True})
    keep_fit(small, tmp_path)
    assert kept_fit(recipe, tmp_path) == small
    assert kept_fit(recipe.model_copy(update={"fit": "fixed"}), tmp_path) is None


@pytest.mark.slow
def test_a_fitted_run_trains_with_what_was_chosen(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory_of", lambda _: 1.0)  # nothing fits: the smallest
    recipe = small.recipe(batch=2, fit="auto", steps=1)
    run = train(recipe, small.data, small.dialogues, tmp_path / "run")
    assert "1 steps of 1 × 2" in (run / "README.md").read_text()
    assert (run / "fitted.json").is_file()
    with pytest.raises(InputError, match="batch was 2"):
        train(recipe.model_copy(update={"batch": 4}), small.data, small.dialogues, run)


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"batch": 4, "accumulate": 2}, "--set batch=2 --set accumulate=4"),
        ({"batch": 1}, "--set checkpointing=true"),
        ({"batch": 1, "checkpointing": True}, "--set four_bit=true"),
        ({"batch": 1, "checkpointing": True, "four_bit": True, "frames": 16}, "--set frames=8"),
        ({"fit": "auto"}, "--set fit=fixed --set batch=1 --set checkpointing=true"),
    ],
)
def test_out_of_memory_names_the_next_setting(changes: dict[str, Any], hint: str) -> None:
    error = torch.OutOfMemoryError("CUDA out of memory")
    problem = machine.memory_problem(error, Recipe(model="m", **changes))
    assert str(problem).endswith(f"first try {hint}")
