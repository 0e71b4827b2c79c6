"""The card: all that decides what a model sees, refused by name and value where it differs."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from vlm_clips import MakeFrames

from flex.problems import InputError
from flex.video import Sampler
from vlm.card import CARD, CARD_VERSION, CoachCard, input_of, read_card
from vlm.chat import encode_prompt
from vlm.generate import model_inputs
from vlm.model import Coach, load_coach
from vlm.positions import give_rule, rule_of

QUESTION = [{"role": "user", "content": "How was it?"}]
SAMPLER = Sampler(frames=16)


def edit(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.fixture(scope="module")
def published(coach_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with two positions a second, as Qwen publishes it, and the rule of words it has."""
    folder = tmp_path_factory.mktemp("published") / "base"
    shutil.copytree(coach_folder, folder)
    edit(folder / "config.json", lambda c: c["vision_config"].update(tokens_per_second=2))
    return folder


@pytest.fixture(scope="module")
def adapter(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from peft import LoraConfig, get_peft_model

    coach = load_coach(published, sampler=SAMPLER, device="cpu")
    coach.rate = 8
    give_rule(coach.plain, "video")
    card = coach.card("dialogues")
    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    folder = tmp_path_factory.mktemp("adapter")
    get_peft_model(coach.model, config).save_pretrained(folder)
    card.write(folder)
    return folder


def logits(coach: Coach, make_frames: MakeFrames) -> torch.Tensor:
    row = encode_prompt(coach.processor, [make_frames(16, side=56)], QUESTION)
    with torch.no_grad():
        found: torch.Tensor = coach.model(**model_inputs(coach, [row])).logits
    return found


def test_a_card_holds_all_that_is_seen(published: Path, adapter: Path) -> None:
    card = read_card(adapter)
    assert card is not None
    assert card.version == CARD_VERSION
    assert (card.tokens_per_second, card.base_tokens_per_second) == (8, 2)
    assert (card.words_follow, card.sampler, card.data) == ("video", SAMPLER, "dialogues")
    assert card.input is not None
    assert card.input.system == "You are a helpful assistant."
    assert card.input.pixels["temporal_patch_size"] == 2
    assert card.notes(2) == []
    assert load_coach(published, adapter, device="cpu").card("dialogues") == card


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("system", "You are a coach."), "system message 'You are a coach.'; this base has 'You"),
        (("prompt", "0123"), "prompt hash '0123'; this base has '"),
        (("pixels", {"image_mean": [0, 0, 0]}), r"image_mean \[0, 0, 0\]; this base has \[0.48"),
    ],
)
def test_another_input_is_refused_by_name_and_value(
    published: Path, adapter: Path, tmp_path: Path, change: tuple[str, Any], told: str
) -> None:
    other = Path(shutil.copytree(adapter, tmp_path / "other"))
    edit(other / CARD, lambda card: card["input"].update([change]))
    with pytest.raises(InputError, match=f"flex_coach.json: was trained with {told}"):
        load_coach(published, other, device="cpu")


def test_a_changed_chat_template_is_another_prompt(coach: Coach) -> None:
    before = input_of(coach.processor)
    template = coach.processor.chat_template
    try:
        coach.processor.chat_template = template.replace("assistant\\n", "coach\\n")
        changed = input_of(coach.processor)
    finally:
        coach.processor.chat_template = template
    assert changed.prompt != before.prompt
    assert changed.system == before.system


def test_pretrained_is_the_published_model_and_tuned_the_cards(
    published: Path, adapter: Path, make_frames: MakeFrames
) -> None:
    """Row M2: one loaded model answers as either, and PEFT alone does once it is told."""
    from peft import PeftModel

    base = load_coach(published, device="cpu")
    assert base.rate == 2
    give_rule(base.plain, base.own_rule)
    both = load_coach(published, adapter, device="cpu")
    assert (both.rate, both.own_rate) == (8, 2)
    with both.answering(tuned=False):
        torch.testing.assert_close(
            logits(both, make_frames), logits(base, make_frames), rtol=0, atol=0
        )
    with both.answering(tuned=True):
        tuned = logits(both, make_frames)
    assert not torch.equal(tuned, logits(base, make_frames))
    base.model = PeftModel.from_pretrained(base.model, str(adapter)).eval()
    assert not torch.equal(tuned, logits(base, make_frames)), "positions of the base"
    base.rate = 8
    give_rule(base.plain, "video")
    torch.testing.assert_close(logits(base, make_frames), tuned, rtol=0, atol=0)


def test_the_other_mode_waits_until_the_model_is_free(published: Path, adapter: Path) -> None:
    both = load_coach(published, adapter, device="cpu")
    seen: list[tuple[int, str]] = []

    def ask() -> None:
        with both.answering(tuned=True):
            seen.append((both.rate, rule_of(both.plain)))

    other = threading.Thread(target=ask)
    with both.answering(tuned=False):
        other.start()
        assert (both.rate, rule_of(both.plain)) == (2, both.own_rule)
        assert seen == []
    other.join()
    assert seen == [(8, "video")]


def test_an_old_card_is_read_with_a_note(published: Path, adapter: Path, tmp_path: Path) -> None:
    old = Path(shutil.copytree(adapter, tmp_path / "old"))
    kept = ("sampler", "data", "base")
    card = json.loads((old / CARD).read_text())
    (old / CARD).write_text(json.dumps({name: card[name] for name in kept}))
    told = (
        r"flex_coach\.json is from an earlier version and lacks tokens_per_second, which is taken "
        r"as 8; words_follow, which is taken as 'frame'; system message, prompt hash and pixels"
    )
    with pytest.warns(UserWarning, match=told):
        coach = load_coach(published, old, device="cpu")
    assert (coach.rate, rule_of(coach.plain), coach.sampler) == (8, "frame", SAMPLER)


def test_a_card_of_a_later_version_is_refused(tmp_path: Path) -> None:
    CoachCard(version=CARD_VERSION + 1).write(tmp_path)
    with pytest.raises(InputError, match="install a newer one"):
        read_card(tmp_path)
