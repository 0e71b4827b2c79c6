"""From a data folder to predictions: CoRe and the graph head, cached and end to end."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_flex
import torch

from aqa import core_task
from aqa.build import build_encoder
from aqa.clip_store import ClipStore
from aqa.error_columns import ErrorColumns
from aqa.feature_store import cached_features
from aqa.model import Model, load_model
from aqa.predict import predict_clips
from aqa.predict_folder import predict_folder
from aqa.predictions import Prediction, read_predictions
from aqa.samples import load_samples
from aqa.score_clip import sample_of, told
from aqa.train import train
from aqa.verdicts import expected_scores
from flex.annotations import load_annotations
from flex.graph import Graph
from flex.problems import InputError
from learn.ranks import Ranks

FULL: Mapping[str, Any] = {"views": ("View-1", "View-2"), "pose": True}
CORE: Mapping[str, Any] = {**FULL, "semg": "peak_share", "voters": 2}
GRAPH: Mapping[str, Any] = {**FULL, "head": "graph", "semg": "envelope", "missing": "mask"}


def run_of(root: Path, name: str, settings: Mapping[str, Any]) -> Path:
    """Train once for all tests of this file."""
    run = root / "runs" / name
    if not run.is_dir():
        train(small_flex.recipe(root / "cache", **settings), name, root / "data", run)
    return run


@pytest.fixture
def core(flex_root: Path) -> Path:
    return run_of(flex_root, "mv_pose_emg", CORE)


@pytest.fixture
def errors(flex_root: Path) -> Path:
    return run_of(flex_root, "graph", GRAPH)


def scores(rows: list[Prediction]) -> dict[str, float]:
    return {row.clip: row.score for row in rows}


def test_core_predicts_validation_and_test_clips(core: Path) -> None:
    rows = read_predictions(core / "predictions.jsonl")
    assert {row.part for row in rows} == {"validation", "test"}
    subjects = {
        part: {r.subject for r in rows if r.part == part} for part in ("validation", "test")
    }
    assert not subjects["validation"] & subjects["test"]
    model = load_model(core)
    learnt = {row.clip: row for row in model.exemplars}
    for row in rows:
        assert row.clip not in learnt
        assert len(set(row.voters)) == len(row.votes) == 2
        assert all(learnt[voter].action == row.action for voter in row.voters)
        assert row.score == pytest.approx(np.mean(row.votes), abs=1e-3)
        assert row.variant == "mv_pose_emg"
        assert row.truth is not None


def test_a_loaded_model_says_the_same(core: Path, errors: Path, flex_root: Path) -> None:
    for run in (core, errors):
        before = scores(
            [r for r in read_predictions(run / "predictions.jsonl") if r.part == "test"]
        )
        after = scores(predict_folder(load_model(run), flex_root / "data"))
        assert after.keys() == before.keys()
        assert after
        for clip, score in after.items():
            assert score == pytest.approx(before[clip], abs=1e-2)


def test_one_clip_at_a_time_equals_a_batch(core: Path, flex_root: Path, graph: Graph) -> None:
    model = load_model(core)
    samples = [s for s in load_samples(flex_root / "data", model.recipe, graph) if s.part == "test"]
    assert samples
    together = predict_clips(model, samples, ClipStore(model.recipe, graph))
    for sample, row in zip(samples, together, strict=True):
        alone = predict_clips(model, [sample], ClipStore(model.recipe, graph))[0]
        assert alone.voters == row.voters
        assert alone.votes == pytest.approx(row.votes, abs=1e-3)


def test_voters_are_the_same_for_any_worker_count_and_order(
    core: Path, flex_root: Path, graph: Graph
) -> None:
    model = load_model(core)
    samples = [s for s in load_samples(flex_root / "data", model.recipe, graph) if s.part == "test"]
    found = []
    for workers, order in ((1, samples), (4, samples[::-1])):
        store = ClipStore(model.recipe.model_copy(update={"workers": workers}), graph)
        found.append(
            {row.clip: (row.voters, row.score) for row in predict_clips(model, order, store)}
        )
    assert {clip: v for clip, (v, _) in found[0].items()} == {
        clip: v for clip, (v, _) in found[1].items()
    }
    assert found[0].keys() == {sample.record.clip for sample in samples} != set()
    for clip, (_, score) in found[0].items():
        assert score == pytest.approx(found[1][clip][1], abs=1e-3)


def test_the_graph_head_scores_by_the_graph(errors: Path, graph: Graph) -> None:
    model, columns = load_model(errors), ErrorColumns(graph)
    rows = read_predictions(errors / "predictions.jsonl")
    assert any(row.errors for row in rows)
    for row in rows:
        known = {str(o) for o in graph.occurrences(row.action)}
        assert set(row.probabilities) | set(row.abstained) == known
        assert row.abstained, "breathing cannot be seen"
        claimed = {name for name, p in row.probabilities.items() if p >= model.threshold - 1e-6}
        assert set(row.errors) <= claimed
        at = columns.rows([row.action])
        claims = np.zeros((1, len(columns)))
        rates = model.head.base_rate.numpy()
        for o in graph.occurrences(row.action):
            [column] = columns.of([o])
            claims[0, column] = row.probabilities.get(str(o), rates[at[0], column])
        assert row.score == pytest.approx(expected_scores(columns, at, claims)[0], abs=1e-3)


def test_a_clip_without_a_stream_is_scored_without_it(
    errors: Path, flex_root: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(flex_root / "data", tmp_path / "data"))
    (data / "Skeleton/A16/001/skeleton_points.csv").unlink()
    model = load_model(errors)
    text = told(model, sample_of("A16/001", data, model))
    assert "Judged without pose" in text
    assert "Cannot be seen from this recording" in text


def test_a_video_of_ones_own(errors: Path, core: Path, flex_root: Path) -> None:
    model = load_model(errors)
    clip = flex_root / "data/A16/001/View-2.mp4"
    text = told(model, sample_of(str(clip), flex_root, model, action="squat", view="View-2"))
    assert "Squat: score" in text
    assert "Judged without View-1, pose, semg" in text
    with pytest.raises(InputError, match="say what is lifted"):
        sample_of(str(clip), flex_root, model)
    with pytest.raises(InputError, match="not View-9"):
        sample_of(str(clip), flex_root, model, action="A16", view="View-9")
    other = load_model(core)
    message = "reads View-1, View-2, pose, semg; the clip has View-1. Take a run for these"
    with pytest.raises(InputError, match=message):
        told(other, sample_of(str(clip), flex_root, other, action="A16"))


def test_core_tells_whom_it_compares_with(core: Path, flex_root: Path) -> None:
    model = load_model(core)
    row = next(r for r in read_predictions(core / "predictions.jsonl") if r.part == "test")
    text = told(model, sample_of(row.clip, flex_root / "data", model))
    assert row.voters
    assert all(f"Compared with {voter}: " in text for voter in row.voters)
    assert f"(label: {row.truth:.1f})" in text


def test_a_checkpoint_for_other_modalities_is_refused(core: Path) -> None:
    expected = load_model(core).recipe.model_copy(update={"pose": False})
    with pytest.raises(InputError, match="checkpoint for View-1, View-2, pose, semg"):
        load_model(core, expect=expected)


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        load_model(tmp_path)


def test_another_recipe_does_not_go_on_in_the_same_folder(core: Path, flex_root: Path) -> None:
    changed = small_flex.recipe(flex_root / "cache", **{**CORE, "lr": 0.5})
    with pytest.raises(InputError, match=r"lr was 0\.001 in this run and is 0\.5 now"):
        train(changed, "mv_pose_emg", flex_root / "data", core)


def test_a_stopped_training_goes_on_to_the_same_scores(
    core: Path, flex_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = core_task.CoreTask.batches

    def stop(self: core_task.CoreTask, epoch: int) -> list[Any]:
        if epoch == 1:
            raise KeyboardInterrupt
        return real(self, epoch)

    recipe = small_flex.recipe(flex_root / "cache", **CORE)
    with monkeypatch.context() as patched:
        patched.setattr(core_task.CoreTask, "batches", stop)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, "mv_pose_emg", flex_root / "data", tmp_path / "run")
    train(recipe, "mv_pose_emg", flex_root / "data", tmp_path / "run")
    paths = [run / "predictions.jsonl" for run in (core, tmp_path / "run")]
    assert paths[0].read_text() == paths[1].read_text()


def test_the_same_data_must_lie_where_a_run_goes_on(
    core: Path, flex_root: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(flex_root / "data", tmp_path / "data"))
    run = Path(shutil.copytree(core, tmp_path / "run"))
    small_flex.change(data, "A01/001", errors=[], score=None)
    with pytest.raises(InputError, match="of other data"):
        train(small_flex.recipe(flex_root / "cache", **CORE), "mv_pose_emg", data, run)


def test_clips_that_were_trained_on_are_no_test(core: Path, flex_root: Path) -> None:
    model: Model = load_model(core)
    moved = model.recipe.model_copy(update={"split_seed": 1})
    changed = Model(**{**vars(model), "recipe": moved})
    with pytest.raises(InputError, match="were trained on"):
        predict_folder(changed, flex_root / "data")


def test_other_data_may_number_its_clips_alike(core: Path, flex_root: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(flex_root / "data", tmp_path / "data"))
    model = load_model(core)
    moved = model.recipe.model_copy(update={"split_seed": 1})
    for row in model.exemplars:
        small_flex.change(data, row.clip, errors=[], score=None)
    assert predict_folder(replace(model, recipe=moved), data)


def test_too_few_clips_for_the_voters(flex_root: Path, tmp_path: Path) -> None:
    recipe = small_flex.recipe(flex_root / "cache", **{**CORE, "voters": 50})
    with pytest.raises(InputError, match="A01: has 8 training clips; 50 voters need more"):
        train(recipe, "many", flex_root / "data", tmp_path / "run")


def test_i3d_does_not_start_from_chance(flex_root: Path, tmp_path: Path) -> None:
    recipe = small_flex.recipe(flex_root / "cache", backbone="i3d")
    with pytest.raises(InputError, match="I3D starts from its Kinetics weights"):
        train(recipe, "sv", flex_root / "data", tmp_path / "run")


@pytest.mark.parametrize("settings", [{"head": "graph"}, {"models": "one", "voters": 2}])
def test_end_to_end_tunes_the_backbone(
    flex_root: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    common = {"views": ("View-1",), "epochs": 1, "precision": "bf16", **settings}
    frozen = small_flex.recipe(flex_root / "cache", **common)
    tuned = small_flex.recipe(flex_root / "cache", **common, end_to_end=True)
    train(frozen, "sv", flex_root / "data", tmp_path / "frozen")
    rows = train(tuned, "sv", flex_root / "data", tmp_path / "tuned")
    assert rows
    before, after = (load_model(tmp_path / run).encoder.state_dict() for run in ("frozen", "tuned"))
    moved = [k for k in before if k.endswith("weight") and not torch.equal(before[k], after[k])]
    assert len(moved) == len([k for k in before if k.endswith("weight")])


def test_end_to_end_is_a_run_for_each_action(flex_root: Path, tmp_path: Path) -> None:
    recipe = small_flex.recipe(flex_root / "cache", end_to_end=True)
    with pytest.raises(InputError, match=r"add actions=\[A01\]"):
        train(recipe, "sv", flex_root / "data", tmp_path / "run")


def test_the_graph_head_needs_labelled_errors(
    flex_root: Path, tmp_path: Path, graph: Graph
) -> None:
    data = Path(shutil.copytree(flex_root / "data", tmp_path / "data"))
    small_flex.release(data, load_annotations(data / "annotations.jsonl", graph))
    shared: dict[str, Any] = {"views": ("View-1",), "cache": tmp_path / "c", "split": "released"}
    settings = {**shared, "head": "graph", "pose_target": 1.0}
    with pytest.raises(InputError, match="hold no labelled errors"):
        train(small_flex.recipe(**settings), "graph", data, tmp_path / "graph")
    settings = {**shared, "pose_target": 0.0}
    with pytest.raises(InputError, match="learns from labelled errors or skeletons"):
        train(small_flex.recipe(**settings), "sv", data, tmp_path / "sv")


def test_ranks_share_the_features(flex_root: Path, tmp_path: Path, graph: Graph) -> None:
    class Second(Ranks):
        def __init__(self) -> None:
            self.world, self.rank = 2, 1

        def wait(self) -> None:
            pass

    recipe = small_flex.recipe(tmp_path / "cache", views=("View-1",))
    samples = load_samples(flex_root / "data", recipe, graph)[:4]
    encoder, store = build_encoder(recipe), ClipStore(recipe, graph)
    # The main rank has not done its half yet.
    with pytest.raises(InputError, match="A01/001: its View-1 was another process's"):
        cached_features(samples, store, encoder, ranks=Second())
    assert len(list((tmp_path / "cache/features").rglob("*.npy"))) == 2
    cached_features(samples[::2], store, encoder)
    assert cached_features(samples, store, encoder, ranks=Second()).has("View-1").all()
