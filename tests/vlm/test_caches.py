"""The caches of frames and of vision features: same results, keyed by what they depend on."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from vlm_clips import MakeFrames

from flex.problems import InputError
from flex.sample import PhaseSpan
from flex.video import Sampler, sample
from vlm.cache import FrameCache
from vlm.chat import encode, see
from vlm.collate import Collator
from vlm.dialogues import Turn
from vlm.features import FeatureCache, tower_fingerprint, with_encoder_outputs
from vlm.generate import Conversation, Decoding, generate
from vlm.model import Coach, load_coach


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> Any:
    def start() -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("decoded again")

        monkeypatch.setattr("vlm.cache.sample", refuse)

    return start


def test_a_clip_is_decoded_once(
    clip: Path, small: Sampler, tmp_path: Path, no_decoding: Any
) -> None:
    first = FrameCache(tmp_path / "cache").get(clip, small)
    no_decoding()
    again = FrameCache(tmp_path / "cache").get(clip, small)
    np.testing.assert_array_equal(again.pixels, sample(clip, small).pixels)
    assert again.pixels.dtype == np.uint8
    assert (again.indices, again.fps, again.total) == (first.indices, first.fps, first.total)
    assert (again.indices, again.fps, again.total) == ((7, 22, 37, 52), 30.0, 60)


def test_an_entry_depends_on_bytes_and_sampler_and_phases(
    clip: Path, small: Sampler, tmp_path: Path
) -> None:
    cache = FrameCache(tmp_path)
    moved = Path(shutil.copy(clip, tmp_path / "moved.mp4"))
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(clip.read_bytes() + b"\0")
    assert cache.entry(moved, small) == cache.entry(clip, small)
    assert cache.entry(changed, small) != cache.entry(clip, small)
    assert cache.entry(clip, Sampler()) != cache.entry(clip, small)
    spans = [PhaseSpan(phase="concentric", start_s=0, end_s=1)]
    phased = Sampler(kind="phases")
    assert cache.entry(clip, small, spans) == cache.entry(clip, small)
    assert cache.entry(clip, phased, spans) != cache.entry(clip, phased)
    before = cache.entry(changed, small)
    changed.write_bytes(clip.read_bytes())
    assert cache.entry(changed, small) != before, "a file that changes is read again"


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped"])
def test_a_corrupt_entry_is_named_and_made_again(
    clip: Path, small: Sampler, tmp_path: Path, damage: str
) -> None:
    cache = FrameCache(tmp_path / "cache")
    whole = cache.get(clip, small)
    entry = cache.entry(clip, small)
    content = bytearray(entry.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    entry.write_bytes({"empty": b"", "cut": bytes(content[:5000])}.get(damage, bytes(content)))
    with pytest.warns(UserWarning, match=entry.name):
        again = cache.get(clip, small)
    np.testing.assert_array_equal(again.pixels, whole.pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.get(clip, small)


def test_trap_10_a_clip_that_does_not_decode_leaves_no_entry(
    clip: Path, small: Sampler, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:700])
    cache = FrameCache(tmp_path / "cache")
    with pytest.raises(InputError, match=r"broken\.mp4: "):
        cache.get(broken, small)
    assert not cache.entry(broken, small).exists()
    with pytest.raises(InputError, match=r"gone\.mp4: "):
        cache.get(tmp_path / "gone.mp4", small)


def test_a_folder_of_frames_is_keyed_by_its_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "View-1"
    folder.mkdir()
    for number in range(2):
        (folder / f"img_{number:05d}.JPG").write_bytes(bytes([number]))
    cache = FrameCache(tmp_path)
    before = cache.clip_hash(folder)
    (folder / "img_00001.JPG").write_bytes(b"longer")
    assert cache.clip_hash(folder) != before


@pytest.fixture
def frozen(coach_folder: Path) -> Coach:
    coach = load_coach(coach_folder, device="cpu")
    coach.model.requires_grad_(False)
    return coach


def test_features_give_the_logits_of_pixels(
    frozen: Coach, tmp_path: Path, make_frames: MakeFrames, turns: tuple[Turn, ...]
) -> None:
    cache = FeatureCache(tmp_path, frozen)
    clips = [make_frames(16, seed=1), make_frames(8, side=56, seed=2)]
    cached = [cache.get(frames) for frames in clips]
    stored = [FeatureCache(tmp_path, frozen).get(frames) for frames in clips]
    for mine, theirs in zip(cached, stored, strict=True):
        torch.testing.assert_close(mine.features, theirs.features, rtol=0, atol=0)
    collate = Collator.of(frozen.processor)
    outputs = []
    for visions in ([see(frozen.processor, [frames]) for frames in clips], stored):
        batch = collate([encode(frozen.processor, vision, turns) for vision in visions])
        del batch["stage_ids"]
        with torch.no_grad():
            outputs.append(frozen.model(**with_encoder_outputs(batch)))
    torch.testing.assert_close(outputs[0].logits, outputs[1].logits, rtol=0, atol=0)
    assert outputs[0].loss == outputs[1].loss


def test_features_give_the_answers_of_pixels(
    frozen: Coach, tmp_path: Path, make_frames: MakeFrames
) -> None:
    frames = make_frames()
    messages = [{"role": "user", "content": "How was it?"}]
    decoding = Decoding(max_new_tokens=12)
    vision = FeatureCache(tmp_path, frozen).get(frames)
    with_pixels = generate(frozen, [Conversation((frames,), messages)], decoding)
    assert generate(frozen, [Conversation(vision, messages)], decoding) == with_pixels


def test_features_depend_on_tower_pixels_and_times(
    frozen: Coach, tmp_path: Path, make_frames: MakeFrames
) -> None:
    cache = FeatureCache(tmp_path, frozen)
    entries = {cache.entry(make_frames(16)), cache.entry(make_frames(16, seed=1))}
    entries.add(cache.entry(make_frames(16, fps=60)))
    before = tower_fingerprint(frozen.model.model.visual)
    with torch.no_grad():
        frozen.model.model.visual.merger.ln_q.weight += 1
    assert tower_fingerprint(frozen.model.model.visual) != before
    entries.add(FeatureCache(tmp_path, frozen).entry(make_frames(16)))
    assert len(entries) == 4


def test_a_corrupt_feature_entry_is_named_and_made_again(
    frozen: Coach, tmp_path: Path, make_frames: MakeFrames
) -> None:
    cache = FeatureCache(tmp_path, frozen)
    whole = cache.get(make_frames(4))
    cache.entry(make_frames(4)).write_bytes(b"broken")
    with pytest.warns(UserWarning, match="cannot be read"):
        again = cache.get(make_frames(4))
    torch.testing.assert_close(again.features, whole.features, rtol=0, atol=0)


def test_features_of_a_tower_in_training_are_refused(coach_folder: Path, tmp_path: Path) -> None:
    trained = load_coach(coach_folder, device="cpu")
    trained.model.requires_grad_(True)
    with pytest.raises(InputError, match="vision tower: is trained"):
        FeatureCache(tmp_path, trained)
