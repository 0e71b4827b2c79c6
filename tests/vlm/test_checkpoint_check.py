"""What is said of a checkpoint that is not whole or not the coach's kind, before it is loaded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_folder import tensors_of, write_hub_folder, write_shards

from flex.problems import InputError
from vlm.checkpoint_check import check_checkpoint, stored_dtype
from vlm.model import load_coach

INDEX = "model.safetensors.index.json"
FIRST, LAST = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3998750000\n"
Fault = Callable[[Path], object]


@pytest.fixture
def copied(hub_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(hub_folder, tmp_path / "copied"))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def remove(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink()


def change(folder: Path, changed: Callable[[dict[str, Any]], object]) -> None:
    """Write the tensors again after `changed` has had them."""
    tensors = tensors_of(folder)
    changed(tensors)
    write_shards(folder, tensors)


def quantise(tensors: dict[str, Any]) -> None:
    tensors["model.norm.weight"] = tensors["model.norm.weight"].to(torch.uint8)


def narrow(tensors: dict[str, Any]) -> None:
    tensors["model.norm.weight"] = tensors["model.norm.weight"][:-1]


WEIGHTS: list[tuple[Fault, str]] = [
    (
        lambda f: edit(f, num_hidden_layers=3),
        r"copied: lacks 12 tensors .*all of layer 2: see num_hidden_layers; they would be random",
    ),
    (
        lambda f: edit(f, num_hidden_layers=1),
        r"copied: holds 12 tensors .*knows nothing of, all of layer 1: see num_hidden_layers",
    ),
    (
        lambda f: change(f, lambda t: t.pop("visual.merger.mlp.0.bias")),
        r"copied: lacks the tensor model\.visual\.merger\.mlp\.0\.bias that config\.json calls for",
    ),
    (
        lambda f: change(f, lambda t: t.update({"value_head": torch.zeros(2)})),
        r"copied: holds the tensor value_head that config\.json knows nothing of",
    ),
    (
        lambda f: change(f, narrow),
        r"holds the tensor \S*norm\.weight of another shape .*: 639, expected 640",
    ),
    (lambda f: edit(f, vocab_size=300), r"of another shape than config\.json .*expected 300×640"),
    (
        lambda f: edit(f, tie_word_embeddings=False),
        r"lacks the tensor lm_head\.weight that config\.json calls for",
    ),
    (lambda f: (f / LAST).unlink(), rf"{LAST}: is missing, though {INDEX} names it"),
    (lambda f: cut(f / LAST, 5000), rf"{LAST}: is cut short: its header promises .* it has 5,000"),
    (lambda f: cut(f / LAST, 500), rf"{LAST}: is cut short or no safetensors file"),
    (lambda f: cut(f / FIRST, 0), rf"{FIRST}: is cut short or no safetensors file \(0 bytes\)"),
    (
        lambda f: (f / FIRST).write_bytes((f / FIRST).read_bytes() + b"  "),
        rf"{FIRST}: is damaged: its header promises",
    ),
    (lambda f: (f / FIRST).write_text(POINTER), rf"{FIRST}: is a Git LFS pointer.*git lfs pull"),
    (lambda f: (f / INDEX).unlink(), rf"copied: holds 2 safetensors but no {INDEX}"),
    (lambda f: (f / INDEX).write_text("{"), rf"{INDEX}: has no weight_map"),
    (lambda f: (f / INDEX).write_text("[]"), rf"{INDEX}: has no weight_map"),
    (lambda f: change(f, quantise), r"copied: 1 of 56 tensors are stored as U8 .*quantised"),
]


@pytest.mark.parametrize(("fault", "said"), WEIGHTS)
def test_weights_that_are_not_all_there_are_refused(copied: Path, fault: Fault, said: str) -> None:
    fault(copied)
    with pytest.raises(InputError, match=said):
        load_coach(copied, device="cpu")


OTHERS: list[tuple[dict[str, Any], str]] = [
    (
        {"quantization_config": {"quant_method": "awq", "bits": 4, "version": "gemm"}},
        r"config\.json: quantization_config: .* \(AWQ, 4 bits\).*Qwen/Qwen2\.5-VL-3B-Instruct",
    ),
    ({"quantization_config": {"quant_method": "gptq", "bits": 8}}, r"\(GPTQ, 8 bits\)"),
    (
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}},
        r"\(bitsandbytes, 4 bits\)",
    ),
    ({"quantization_config": {"quant_method": "fp8"}}, r"quantised already \(FP8\)"),
    ({"quantization_config": {"quant_method": "new"}}, r"quantised already \(new\)"),
    (
        {"model_type": "qwen2_vl", "architectures": ["Qwen2VLForConditionalGeneration"]},
        r"'qwen2_vl', expected 'qwen2_5_vl': Qwen2VLForConditionalGeneration is another model",
    ),
    ({"model_type": "qwen3_vl"}, r"model_type is 'qwen3_vl'"),
    ({"model_type": "llama", "architectures": None}, r"'llama', .*: this is another model; take"),
    ({"model_type": None}, r"model_type is None"),
]


@pytest.mark.parametrize(("changes", "said"), OTHERS)
def test_quantised_and_other_models_are_refused_by_name(
    copied: Path, changes: dict[str, Any], said: str
) -> None:
    edit(copied, **changes)
    with pytest.raises(InputError, match=said):
        load_coach(copied, device="cpu")


BESIDE: list[tuple[Fault, str]] = [
    (
        lambda f: remove(f, "tokenizer.json", "merges.txt"),
        r"copied: holds no tokenizer; fetch tokenizer\.json",
    ),
    (
        lambda f: (f / "tokenizer.json").write_text(POINTER),
        r"tokenizer\.json: is a Git LFS pointer",
    ),
    (lambda f: edit(f, video_token_id=9), r"config\.json: video_token_id is 9, but the tokenizer"),
    (lambda f: (f / "preprocessor_config.json").unlink(), r"copied: has no usable processor"),
    (lambda f: (f / "config.json").write_text("{"), r"config\.json: is not JSON"),
    (lambda f: (f / "config.json").write_text("[]"), r"config\.json: is no JSON object"),
    (lambda f: edit(f, vision_config=3), r"config\.json: describes no model that can be built"),
    (lambda f: edit(f, num_attention_heads=0), r"config\.json: describes no model that can be"),
    (
        lambda f: (f / "config.json").rename(f / "adapter_config.json"),
        "copied: holds an adapter, no model; name its base",
    ),
]


@pytest.mark.parametrize(("fault", "said"), BESIDE)
def test_what_lies_beside_the_weights_is_checked(copied: Path, fault: Fault, said: str) -> None:
    fault(copied)
    with pytest.raises(InputError, match=said):
        load_coach(copied, device="cpu")


def test_a_model_without_a_chat_template_is_refused(copied: Path) -> None:
    (copied / "chat_template.json").unlink()
    path = copied / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    settings.pop("chat_template")
    path.write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"copied: has no chat template; fetch chat_template"):
        load_coach(copied, device="cpu")


def test_nothing_is_loaded_before_the_check(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safetensors.safe_open", lambda *_, **__: pytest.fail("opened"))
    monkeypatch.setattr("vlm.model._load_weights", lambda *_: pytest.fail("loaded"))
    edit(copied, num_hidden_layers=3)
    with pytest.raises(InputError, match="lacks 12 tensors"):
        load_coach(copied, device="cpu")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_every_spelling_of_a_whole_checkpoint_passes(
    nested: bool, tied: bool, tmp_path: Path
) -> None:
    folder = write_hub_folder(tmp_path / "hub", nested=nested, tied=tied)
    check_checkpoint(folder)
    tensors = tensors_of(folder)
    write_shards(folder, tensors, 1)
    (folder / "model-00001-of-00001.safetensors").rename(folder / "model.safetensors")
    (folder / INDEX).unlink()
    check_checkpoint(folder)
    assert stored_dtype(folder) == "bfloat16"
    embedded = next(name for name in tensors if name.endswith("embed_tokens.weight"))
    write_shards(folder, tensors | {"lm_head.weight": tensors[embedded].clone()})
    check_checkpoint(folder)  # tied weights may be stored twice


def test_old_names_under_a_nested_configuration_pass(hub_folder: Path, tmp_path: Path) -> None:
    folder = write_hub_folder(tmp_path / "hub", nested=True)
    write_shards(folder, tensors_of(hub_folder))
    check_checkpoint(folder)
