"""What an adapter's two cards say of how it is asked: `flex_coach.json` and `README.md`."""

import json
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from small import Small

from sft.merge import merge
from sft.train import train
from vlm.card import CARD_VERSION, CoachCard, read_card
from vlm.model import load_coach
from vlm.serving import serve_command


def peft_folder(folder: Path, rank: int, modules: str = "language_model") -> Path:
    folder.mkdir()
    settings = {"r": rank, "target_modules": f".*{modules}.*"}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def test_the_command_has_positions_and_the_next_rank(tmp_path: Path) -> None:
    card = CoachCard(tokens_per_second=8, base_tokens_per_second=2)
    adapter = peft_folder(tmp_path / "my coach", 20)
    words = shlex.split(serve_command(card, adapter, "Qwen/Qwen2.5-VL-3B-Instruct"))
    words = [word for word in words if word != "\n"]
    options = dict(pairwise(words))
    assert words[:3] == ["vllm", "serve", "Qwen/Qwen2.5-VL-3B-Instruct"]
    assert json.loads(options["--hf-overrides"]) == {"vision_config": {"tokens_per_second": 8}}
    assert options["--max-lora-rank"] == "32"
    assert options["--lora-modules"] == f"my coach={adapter}"
    assert json.loads(options["--limit-mm-per-prompt"]) == {"image": 0, "video": 1}
    assert "--enable-tower-connector-lora" not in words


def test_the_command_leaves_out_what_is_not_needed(tmp_path: Path) -> None:
    same = CoachCard(tokens_per_second=2, base_tokens_per_second=2)
    command = serve_command(same, peft_folder(tmp_path / "a", 8, "visual"), "base")
    assert "--hf-overrides" not in command
    assert "--max-lora-rank 8 --enable-tower-connector-lora" in command


@pytest.mark.slow
def test_a_run_on_a_published_base_learns_and_keeps_its_positions(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row M2: from training through card, reload and merge."""
    monkeypatch.setattr("vlm.model.is_tiny_folder", lambda _: False)
    base = Path(shutil.copytree(small.base, tmp_path / "base"))
    config = json.loads((base / "config.json").read_text())
    config["vision_config"]["tokens_per_second"] = 2
    (base / "config.json").write_text(json.dumps(config))
    recipe = small.recipe(model=str(base), steps=2, feature_cache=None)
    run = train(recipe, small.data, small.dialogues, tmp_path / "run")
    card = read_card(run)
    assert card is not None
    assert (card.version, card.tokens_per_second) == (CARD_VERSION, 8)
    assert (card.base_tokens_per_second, card.words_follow) == (2, "video")
    assert load_coach(base, run, device="cpu").rate == 8
    shown = (run / "README.md").read_text()
    assert serve_command(card, run, str(base)) in shown
    assert "model.config.vision_config.tokens_per_second = 8" in shown
    merge(run, tmp_path / "merged", dtype="float32")
    merged = load_coach(tmp_path / "merged", device="cpu")
    assert (merged.rate, merged.own_rate) == (8, 8)
    asked = small.recipe(model=str(base), steps=2, feature_cache=None, tokens_per_second=2)
    own = train(asked, small.data, small.dialogues, tmp_path / "own")
    assert load_coach(base, own, device="cpu").rate == 2
