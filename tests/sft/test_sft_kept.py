"""Examples in memory: none while the caches are filled, then as many as there is room for."""

from collections.abc import Iterator
from typing import Any

import pytest
from small import Small

from sft.data import Clip, Dialogues, clips_of, prepare
from vlm.model import Coach, load_coach


@pytest.fixture
def coach(small: Small) -> Coach:
    coach = load_coach(small.base, sampler=small.recipe().sampler, device="cpu")
    coach.model.requires_grad_(False)
    return coach


def test_nothing_is_kept_before_all_caches_are_filled(
    small: Small, coach: Coach, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    make, keep = Dialogues.make, Dialogues.keep

    def making(self: Dialogues, clip: Clip) -> Any:
        events.append("make")
        return make(self, clip)

    def keeping(self: Dialogues, clips: Any) -> None:
        events.append("keep")
        keep(self, clips)

    monkeypatch.setattr(Dialogues, "make", making)
    monkeypatch.setattr(Dialogues, "keep", keeping)
    clips = clips_of(small.recipe(), small.data, small.dialogues)
    prepared = prepare(small.recipe(), coach, clips)
    count = len(clips)
    assert events == ["make"] * count + ["keep"] + ["make"] * count
    for number in range(count):
        assert prepared.dataset[number] is prepared.dataset[number]
    assert len(events) == 2 * count + 1  # read from memory, no cache asked


def test_what_has_no_room_comes_from_the_caches(small: Small, coach: Coach) -> None:
    recipe = small.recipe()
    clips = clips_of(recipe, small.data, small.dialogues)
    one = Dialogues(clips, recipe, coach).make(clips[0]).vision.features.nbytes
    dataset = Dialogues(clips, recipe, coach, kept_bytes=one)

    asked: list[Clip] = []

    def watched() -> Iterator[Clip]:
        for clip in clips:
            asked.append(clip)
            yield clip

    dataset.keep(watched())
    assert dataset[0] is dataset[0]
    assert dataset[1] is not dataset[1]
    assert len(asked) == 2  # it stops at the first that has no room
    assert dataset[1].input_ids == dataset[1].input_ids
