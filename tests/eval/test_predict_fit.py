"""Batches that do not fit, answers that are cut, clips that are looked at once: a tiny coach."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from test_predict import QUESTIONS, dialogue, film

from eval import predict
from eval.answers import read_answers
from eval.options import CACHE
from eval.predict_fit import FittingGenerator, is_out_of_memory
from flex.problems import InputError
from flex.video import Sampler
from vlm.generate import Conversation, Decoding, Reply

pytest.importorskip("transformers")
SAMPLER = Sampler(frames=4, pixels=56 * 56)
CLIPS = 5


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five test clips and a random tiny coach."""
    from vlm.tiny import tiny_coach_folder

    root = tmp_path_factory.mktemp("fit")
    lines = []
    for number in range(CLIPS):
        clip = f"A16/{number:03}"
        film(root / "data" / clip / "View-1.mp4", 40 * number)
        lines.append(json.dumps(dialogue(clip)) + "\n")
    (root / "dialogues.jsonl").write_text("".join(lines))
    tiny_coach_folder(root / "tiny", list(QUESTIONS.values()))
    return root


def run(world: Path, out: Path, *modes: str, **options: Any) -> dict[str, Any]:
    options = {"batch": 4, "cache": world / "cache", "max_new_tokens": 5, **options}
    predict.run(
        model=str(world / "tiny"),
        modes=modes or ("pretrained",),
        data=world / "data",
        dialogues=world / "dialogues.jsonl",
        out=out,
        sampler=SAMPLER,
        **options,
    )
    record: dict[str, Any] = json.loads((out / "predict-pretrained.json").read_text())
    return record


def no_room_above(most: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let passes of more than `most` rows run out of memory; returns the rows of every prompt."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration as Model

    tried: list[int] = []
    forward = Model.forward

    @functools.wraps(forward)
    def forward_if_it_fits(self: Any, input_ids: Any = None, *values: Any, **options: Any) -> Any:
        if input_ids.shape[1] > 1:
            tried.append(len(input_ids))
        if len(input_ids) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return forward(self, input_ids, *values, **options)

    monkeypatch.setattr(Model, "forward", forward_if_it_fits)
    return tried


def test_a_batch_that_does_not_fit_is_halved_once_and_for_the_rest(
    world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(world, tmp_path / "whole")
    capsys.readouterr()
    tried = no_room_above(2, monkeypatch)
    run(world, tmp_path / "halved")
    answers = [
        read_answers(tmp_path / name / "answers-pretrained.jsonl") for name in ("whole", "halved")
    ]
    assert answers[0] == answers[1]
    assert tried == [4, *[2, 2] * 4, *[1] * 4], "four clips in pairs, then the fifth"
    assert capsys.readouterr().err.replace("\n", " ").count("out of memory with 4 clips") == 1


def test_one_that_does_not_fit_names_the_settings(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = no_room_above(0, monkeypatch)
    with pytest.raises(InputError, match=r"--batch: not even one .* lower --max-new-tokens \(it i"):
        run(world, tmp_path)
    assert tried == [4, 2, 1]


def test_what_means_that_memory_ran_out() -> None:
    import torch

    for error in (
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ):
        assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


def test_another_fault_is_not_taken_for_lack_of_memory() -> None:
    class Broken:
        def generate(self, some: Sequence[Conversation], decoding: Decoding) -> list[Reply]:
            raise RuntimeError("shapes do not match")

    broken: Any = Broken()
    with pytest.raises(RuntimeError, match="shapes"):
        FittingGenerator(broken).generate([Conversation((), [])], Decoding())


def test_a_clip_is_decoded_and_looked_at_once_for_all_modes_and_runs(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as modeling

    looked: list[int] = []
    tower = modeling.Qwen2_5_VisionTransformerPretrainedModel
    forward = tower.forward

    def count(self: Any, *values: Any, **options: Any) -> Any:
        looked.append(1)
        return forward(self, *values, **options)

    monkeypatch.setattr(tower, "forward", count)
    cache = tmp_path / "cache"
    run(world, tmp_path / "one", "pretrained", "prompted", cache=cache)
    assert len(looked) == CLIPS
    monkeypatch.setattr("vlm.cache.sample", lambda *_: pytest.fail("decoded again"))
    record = run(world, tmp_path / "two", cache=cache, max_new_tokens=4)
    assert (record["reused"], len(looked)) == (0, CLIPS)


def test_frames_and_features_are_those_that_training_keeps(world: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from eval.predict_model import open_local
    from sft.lora import add_lora
    from sft.recipe import Recipe
    from vlm.cache import FrameCache
    from vlm.features import FeatureCache
    from vlm.model import load_coach

    recipe = Recipe(model=str(world / "tiny"), frames=4, pixels=56 * 56)
    assert recipe.frame_cache == CACHE / "frames"
    assert recipe.feature_cache == CACHE / "features"
    clip = world / "data/A16/000/View-1.mp4"
    frames = FrameCache(tmp_path / "frames").get(clip, recipe.sampler)
    trained = load_coach(recipe.model, sampler=recipe.sampler)
    trained.model = add_lora(trained.model, recipe)
    theirs = FeatureCache(tmp_path, trained).entry(frames)
    ours, _ = open_local(recipe.model, None, SAMPLER, tuned=False, features=tmp_path)
    assert ours.features is not None
    assert ours.features.entry(frames) == theirs


def test_answers_that_are_cut_are_marked_counted_and_kept_so(world: Path, tmp_path: Path) -> None:
    record = run(world, tmp_path)
    answers = read_answers(tmp_path / "answers-pretrained.jsonl")
    cut = [answer.cut for answer in answers]
    assert record["cut"] == sum(cut) > 0, "random weights do not end within five tokens"
    again = run(world, tmp_path)
    assert (again["reused"], again["cut"]) == (record["answers"], record["cut"])
    assert [one.cut for one in read_answers(tmp_path / "answers-pretrained.jsonl")] == cut
