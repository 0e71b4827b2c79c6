import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from flex.graph_file import load_graph
from flex.matcher import find_errors
from flex.problems import InputError
from pretrain import films
from pretrain.batches import Teacher, patchify
from pretrain.films import draw, load_shard, shards_in
from pretrain.notes import corpus, notes, page
from pretrain.pack import pack
from pretrain.train import train
from vlm.tiny import build_processor


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(films, "CLIPS", 6)
        films._draw_shard(folder, 77)
    return folder


def test_notes_are_read_back_as_the_errors_they_name(drawn: Path) -> None:
    graph = load_graph()
    for record in load_shard(drawn / "77.npz").records:
        found = find_errors(graph, notes(graph, record).answer, record.action)
        assert set(found) == {o.error_type for o in record.occurrences}


def test_pages_cover_standards_and_corrections() -> None:
    graph, draws = load_graph(), random.Random(0)
    kinds = {page(graph, draws).question.split(":")[0] for _ in range(30)}
    assert kinds == {"Manual", "Mend"}


def test_patches_are_those_of_the_processor(drawn: Path) -> None:
    film = np.array(load_shard(drawn / "77.npz").films[0])
    processor = build_processor(["a"], 300)
    theirs = processor.video_processor(
        videos=[film], do_resize=False, do_sample_frames=False, return_tensors="pt"
    )["pixel_values_videos"]
    ours = patchify(torch.from_numpy(film)[None].float() / 255)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_answers_alone_are_learnt(drawn: Path) -> None:
    graph = load_graph()
    tokenizer = build_processor(corpus(graph)).tokenizer
    batch = Teacher(graph, tokenizer, drawn, 0).batch(2, 1)
    ids = batch.inputs["input_ids"]
    for row in range(3):
        learnt = batch.weights[row] > 0
        answer = tokenizer.decode(ids[row][learnt])
        assert answer.endswith("<|im_end|>")
        assert "<|im_start|>" not in answer
    assert (batch.errors <= batch.known).all()


@pytest.mark.slow
def test_a_run_is_logged_goes_on_and_is_packed(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        pack(tmp_path, tmp_path / "out")
    first, second = tmp_path / "first", tmp_path / "second"
    train(drawn, first, minutes=0.02, look=0.5, clips=2, pages=1)
    train(drawn, second, minutes=0.01, look=0.0, clips=2, pages=1, start=first)
    assert json.loads((second / "run.json").read_text())["steps"] >= 1
    pack(second, tmp_path / "base")
    assert "simulated" in (tmp_path / "base" / "README.md").read_text()
    assert (tmp_path / "base" / "model.safetensors").stat().st_size < 16 * 2**20
    assert not (tmp_path / "base" / "heads.safetensors").exists()


def test_a_finished_shard_is_not_drawn_again(drawn: Path) -> None:
    before = (drawn / "77.npz").stat().st_mtime_ns
    draw(drawn, shards=1, seed=77)
    assert (drawn / "77.npz").stat().st_mtime_ns == before
    assert shards_in(drawn) == [drawn / "77.npz"]
