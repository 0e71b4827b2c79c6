"""Loading: by configuration, safetensors only, and what is refused with which words."""

import errno
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from flex.problems import InputError
from flex.video import Sampler
from vlm.card import CARD, TOKENS_PER_SECOND, CoachCard, spread_rate
from vlm.model import Coach, load_coach
from vlm.tiny import tiny_coach_folder


@pytest.fixture
def copied(coach_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(coach_folder, tmp_path / "copied"))


@pytest.fixture
def adapter(coach_folder: Path, coach: Coach, tmp_path: Path) -> Path:
    """A LoRA whose matrices are not zero, so that it changes what the model says."""
    from peft import LoraConfig, get_peft_model

    fresh = load_coach(coach_folder, device="cpu")
    targets = r".*language_model\.layers\.\d+\.self_attn\.(q|v)_proj"
    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=targets, init_lora_weights=False)
    folder = tmp_path / "adapter"
    get_peft_model(fresh.model, config).save_pretrained(folder)
    CoachCard(sampler=Sampler(frames=8), data="d", base=coach.base).write(folder)
    return folder


def logits(coach: Coach) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = coach.model(input_ids=torch.arange(20)[None]).logits
    return out


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_trap_1_another_sampler_than_the_adapters_is_refused(
    coach_folder: Path, adapter: Path
) -> None:
    assert load_coach(coach_folder, adapter, device="cpu").sampler == Sampler(frames=8)
    load_coach(coach_folder, adapter, sampler=Sampler(frames=8), device="cpu")
    with pytest.raises(InputError, match=r"adapter/flex_coach\.json.*frames 16 \(trained with 8\)"):
        load_coach(coach_folder, adapter, sampler=Sampler(), device="cpu")


def test_trap_1_holds_for_a_merged_model_too(copied: Path) -> None:
    CoachCard(sampler=Sampler(pixels=784)).write(copied)
    assert load_coach(copied, device="cpu").sampler == Sampler(pixels=784)
    with pytest.raises(InputError, match="sampled in another way: pixels 12544"):
        load_coach(copied, sampler=Sampler(), device="cpu")


def test_without_a_card_the_sampler_is_free(coach_folder: Path) -> None:
    wanted = Sampler(frames=32)
    assert load_coach(coach_folder, sampler=wanted, device="cpu").sampler == wanted


def test_an_adapter_changes_logits_and_fingerprint(
    coach_folder: Path, coach: Coach, adapter: Path
) -> None:
    tuned = load_coach(coach_folder, adapter, device="cpu")
    assert not torch.allclose(logits(tuned), logits(coach))
    assert tuned.weights != coach.weights
    assert tuned.base == coach.base == coach.weights
    with tuned.model.disable_adapter():
        torch.testing.assert_close(logits(tuned), logits(coach))


def test_an_adapter_of_another_base_is_refused(adapter: Path, tmp_path: Path) -> None:
    other = tiny_coach_folder(tmp_path / "other", seed=5)
    with pytest.raises(InputError, match="was trained on another base"):
        load_coach(other, adapter, device="cpu")


def test_an_adapter_that_does_not_fit_is_refused(
    coach_folder: Path, adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    (adapter / CARD).unlink()
    weights = load_file(adapter / "adapter_model.safetensors")
    wider = {name: torch.cat([value, value]) for name, value in weights.items()}
    save_file(wider, adapter / "adapter_model.safetensors")
    with pytest.raises(InputError, match="does not fit this base"):
        load_coach(coach_folder, adapter, device="cpu")
    with pytest.raises(InputError, match="holds no adapter_config"):
        load_coach(coach_folder, tmp_path, device="cpu")


def test_an_adapter_that_lacks_tensors_or_is_cut_is_refused(
    coach_folder: Path, adapter: Path
) -> None:
    from safetensors.torch import load_file, save_file

    file = adapter / "adapter_model.safetensors"
    weights = load_file(file)
    dropped = next(iter(weights))
    save_file({name: weights[name] for name in weights if name != dropped}, file)
    with pytest.raises(InputError, match=r"adapter: lacks tensors for this base \(1, the first is"):
        load_coach(coach_folder, adapter, device="cpu")
    save_file(weights | {dropped.replace("layers.0", "layers.7"): weights[dropped].clone()}, file)
    with pytest.raises(InputError, match=r"adapter: has too many tensors .*layers\.7"):
        load_coach(coach_folder, adapter, device="cpu")
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: is cut short"):
        load_coach(coach_folder, adapter, device="cpu")


def test_weights_come_through_safetensors_only(copied: Path, adapter: Path) -> None:
    for folder, name in ((copied, "model"), (adapter, "adapter_model")):
        (folder / f"{name}.safetensors").rename(folder / f"{name}.bin")
    with pytest.raises(InputError, match=r"safetensors only; found model\.bin"):
        load_coach(copied, device="cpu")
    (copied / "model.bin").rename(copied / "model.safetensors")
    with pytest.raises(InputError, match=r"safetensors only; found adapter_model\.bin"):
        load_coach(copied, adapter, device="cpu")


def test_the_configuration_says_what_a_model_is(copied: Path) -> None:
    edit(copied / "config.json", model_type="qwen2_vl")
    with pytest.raises(InputError, match=r"model_type is 'qwen2_vl', expected 'qwen2_5_vl'"):
        load_coach(copied, device="cpu")


def test_a_hub_id_is_named_when_there_is_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"someone/nothing: .*hub cannot be reached"):
        load_coach("someone/nothing")
    with pytest.raises(InputError, match="neither a folder nor a hub id"):
        load_coach("some one/nothing")


def test_a_mistyped_folder_is_not_looked_for_on_the_hub(
    coach_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("asked"))
    near = str(coach_folder.parent / "timy")
    with pytest.raises(InputError, match=rf"timy: there is no such folder.*{coach_folder.name}"):
        load_coach(near)
    with pytest.raises(InputError, match=r"no such folder; .*no/such does not exist either$"):
        load_coach(str(tmp_path / "no" / "such" / "folder"))
    with pytest.raises(InputError, match=r"no such folder; .* has its owner before it"):
        load_coach("Qwen2.5-VL-3B-Instruct")
    with pytest.raises(InputError, match="is a file; name the folder"):
        load_coach(str(coach_folder / "config.json"))


def test_what_may_be_a_folder_is_named_as_one_when_the_hub_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "models" / "tiny-coach-base").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    expected = r"there is no such folder \(did you mean tiny-coach-base\?\)$"
    with pytest.raises(InputError, match=expected):
        load_coach("models/tiny-coach-bas")


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("RepositoryNotFoundError", 404, "is not on the hub, and there is no such folder"),
        ("RepositoryNotFoundError", 401, "if it is private, log in"),
        ("GatedRepoError", 403, "is gated on the hub; accept its terms"),
        ("HfHubHTTPError", 401, r"does not know this token \(401\); log in"),
        ("HfHubHTTPError", 403, r"forbidden by the hub for this token \(403\)"),
        ("HfHubHTTPError", 429, "after too many requests"),
        ("HfHubHTTPError", 503, r"hub cannot be reached \(status 503\)"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_the_hub_answers_is_said(
    kind: str, status: int, said: str, wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import errors

    response: Any = SimpleNamespace(headers={}, request=None, status_code=status)
    answer = getattr(errors, kind)("no", response=response)
    if wrapped and kind == "HfHubHTTPError":  # as `snapshot_download` does with most
        outer = errors.LocalEntryNotFoundError("no")
        outer.__cause__, answer = answer, outer

    def refuse(*_: object, **__: object) -> None:
        raise answer

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(InputError, match=f"someone/nothing: .*{said}"):
        load_coach("someone/nothing")


def test_a_model_that_cannot_be_used_is_not_downloaded(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fetched(_: str, allow_patterns: list[str]) -> str:
        asked.append(allow_patterns)
        return str(copied)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    edit(copied / "config.json", quantization_config={"quant_method": "awq", "bits": 4})
    with pytest.raises(InputError, match="quantised already"):
        load_coach("someone/something")
    assert asked == [["config.json"]]


def test_a_full_disk_is_not_taken_for_a_missing_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(InputError, match=r"hub's cache .*No space left"):
        load_coach("someone/nothing")


def test_a_broken_card_is_named(copied: Path) -> None:
    (copied / CARD).write_text("{")
    with pytest.raises(InputError, match=r"flex_coach\.json: not valid JSON"):
        load_coach(copied, device="cpu")
    (copied / CARD).write_text('{"sampler": {"frames": 7}}')
    with pytest.raises(InputError, match="even number"):
        load_coach(copied, device="cpu")


def test_only_coarse_times_are_spread() -> None:
    assert [spread_rate(own) for own in (2, 4, 25)] == [TOKENS_PER_SECOND, 4, 25]
