"""From a data folder to a model, its predictions and a report; leaks, resuming, baselines."""

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_emg
import torch
from safetensors.torch import load_file

from emg import task as emg_task
from emg.baselines import MEAN, PHASE_MEAN, fit_baselines, positions
from emg.clips import ReadyClip, fit_scales, read_trials, ready_clips
from emg.features import Features
from emg.losses import masked_loss
from emg.model import Model, load_model
from emg.network import Stream
from emg.predict import predict_clip, write_csv
from emg.report import run as report
from emg.task import EmgTask
from emg.train import train
from flex.problems import InputError
from flex.semg_columns import MIRRORED, MUSCLE_INDEX

POSE: Mapping[str, Any] = {"mirror": True, "lookahead": 2, "epochs": 30, "lr": 1e-2}
CPU = torch.device("cpu")


def run_of(root: Path, name: str, settings: Mapping[str, Any]) -> Path:
    """Train once for all tests of this file."""
    run = root / "runs" / name
    if not run.is_dir():
        train(small_emg.recipe(root / "cache", **settings), name, root / "data", run)
    return run


@pytest.fixture
def pose(emg_root: Path) -> Path:
    return run_of(emg_root, "pose", POSE)


def clips_of(root: Path, **settings: Any) -> list[ReadyClip]:
    store, samples = small_emg.store(root, **settings)
    scales = fit_scales(read_trials(samples, store), store.recipe)
    features = Features(store, None, CPU)
    return ready_clips(samples, store, features, scales, mirror=True)


def test_it_learns_what_drives_the_muscles(pose: Path) -> None:
    model = load_model(pose)
    assert model.facts["validation"]["r"] > 0.6
    assert model.taught == tuple(
        f"{side} {muscle}"
        for muscle in ("biceps femoris", "vastus lateralis", "latissimus dorsi")
        for side in ("left", "right")
    )


def test_normalisation_uses_no_test_trial(emg_root: Path, tmp_path: Path) -> None:
    store, samples = small_emg.store(emg_root, calibration="typical")
    before = fit_scales(read_trials(samples, store), store.recipe)
    assert before.fitted_on == tuple(s.id for s in samples if s.part == "train")
    shutil.copytree(emg_root / "data", tmp_path / "data")
    for sample in samples:
        if sample.part != "train":
            path = tmp_path / "data/EMG" / sample.id / "EMG.csv"
            np.savetxt(path, 50 * np.loadtxt(path, delimiter=","), delimiter=",", fmt="%.4f")
    store, louder = small_emg.store(tmp_path, calibration="typical")
    assert fit_scales(read_trials(louder, store), store.recipe) == before


def test_calibration_trials_are_not_judged(emg_root: Path, pose: Path, tmp_path: Path) -> None:
    scales = load_model(pose).scales
    assert scales.calibrated_on
    report(runs=[pose], out=tmp_path, resamples=20)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    store, samples = small_emg.store(emg_root)
    test = [s.id for s in samples if s.part == "test"]
    assert found["clips"] == len(set(test) - set(scales.calibrated_on)) == len(test) // 2
    data = tmp_path / "data"
    small_emg.build(data, store.graph, repetitions=1)
    recipe = small_emg.recipe(tmp_path / "cache", epochs=1)
    train(recipe, "once", data, tmp_path / "once")
    with pytest.raises(InputError, match="holds first repetitions only"):
        report(runs=[tmp_path / "once"], out=tmp_path)


def test_the_report_names_baselines_muscles_and_reasons(pose: Path, tmp_path: Path) -> None:
    page = report(runs=[pose], out=tmp_path, resamples=50).read_text(encoding="utf-8")
    for text in (
        "**Simulated data.**",
        "Baseline: per-phase mean",
        "| vastus lateralis (legs) |",
        "0.1655",
    ):
        assert text in page
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(found["methods"]) == {MEAN, PHASE_MEAN, "pose"}
    figures = found["methods"]["pose"]["figures"]
    assert figures["mae"]["value"] < found["methods"][MEAN]["figures"]["mae"]["value"]
    assert figures["rmse_mv"]["value"] > figures["mae_mv"]["value"] > 0
    leads = found["leads"]["pose"]
    assert leads
    beaten = all(one["mae"]["value"] < 0 < one["r"]["value"] for one in leads.values())
    assert ("beats the per-phase mean on MAE and r for every muscle" in page) == beaten
    for muscle, one in leads.items():
        missed = one["mae"]["value"] >= 0 or one["r"]["value"] <= 0
        assert (f"- {muscle}: " in page) == missed
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "http" not in html.replace("http-equiv", "")
    assert 'id="figure8"' in html


def test_runs_with_other_targets_are_not_compared(emg_root: Path, pose: Path) -> None:
    other = run_of(emg_root, "mean", {**POSE, "epochs": 1, "average": "mean"})
    with pytest.raises(InputError, match="average is 'mean', in pose it is 'rms'"):
        report(runs=[pose, other], out=emg_root / "never")
    assert not (emg_root / "never").exists()


def test_resumed_is_as_straight(
    emg_root: Path, pose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = small_emg.recipe(emg_root / "cache", **POSE)
    steps = 0
    real = emg_task.EmgTask.batches

    def stops(self: EmgTask, epoch: int) -> list[Any]:
        nonlocal steps
        steps += 1
        if steps > 3:
            raise KeyboardInterrupt
        return real(self, epoch)

    monkeypatch.setattr(EmgTask, "batches", stops)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, "pose", emg_root / "data", tmp_path / "run")
    monkeypatch.undo()
    train(recipe, "pose", emg_root / "data", tmp_path / "run")
    straight, resumed = (
        load_file(folder / "model.safetensors") for folder in (pose, tmp_path / "run")
    )
    assert all(torch.equal(straight[key], resumed[key]) for key in straight)
    other = recipe.model_copy(update={"hidden": 16})
    with pytest.raises(InputError, match="hidden was 8 in this run"):
        train(other, "pose", emg_root / "data", tmp_path / "run")


def test_a_stream_says_what_predict_says(emg_root: Path, pose: Path) -> None:
    model = load_model(pose)
    prediction = predict_clip(model, "A18/002", emg_root / "data")
    store, samples = small_emg.store(emg_root)
    sample = next(s for s in samples if s.id == "A18/002")
    x = torch.from_numpy(Features(store, None, CPU).of(sample))
    stream = Stream(model.network)
    said = [stream.push(frame[None]) for frame in x]
    answers = [one for one in said if one is not None] + stream.finish()
    together = torch.cat(answers).clamp(min=0).numpy()
    assert together == pytest.approx(prediction.predicted, abs=1e-5)


def test_a_prediction_and_its_file(emg_root: Path, pose: Path, tmp_path: Path) -> None:
    model = load_model(pose)
    prediction = predict_clip(model, "A18/002", emg_root / "data")
    lats = [MUSCLE_INDEX[f"{side} latissimus dorsi"] for side in ("left", "right")]
    assert np.flatnonzero(prediction.mask).tolist() == lats
    assert (prediction.predicted >= 0).all()
    assert prediction.true is not None
    assert np.isfinite(prediction.true).any(axis=0).sum() == 2
    write_csv(prediction, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == [
        "time_s",
        *("left latissimus dorsi", "left latissimus dorsi measured"),
        *("right latissimus dorsi", "right latissimus dorsi measured"),
    ]
    assert len(rows) == len(prediction.times_s) == 17
    assert float(rows[5][1]) == pytest.approx(prediction.predicted[5, lats[0]], rel=1e-3)


def test_a_clip_without_semg_is_predicted_all_the_same(
    emg_root: Path, pose: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(emg_root / "data", data)
    (data / "EMG/A18/002/EMG.csv").unlink()
    model = load_model(pose)
    prediction = predict_clip(model, "A18/002", data)
    assert prediction.true is None
    before = predict_clip(model, "A18/002", emg_root / "data")
    assert np.array_equal(prediction.predicted, before.predicted)
    (data / "Skeleton/A18/002/skeleton_points.csv").unlink()
    with pytest.raises(InputError, match="has no skeleton file, which this model reads"):
        predict_clip(model, "A18/002", data)


def test_batches_hold_every_clip_once_and_follow_seed_and_epoch(emg_root: Path) -> None:
    clips = clips_of(emg_root)
    recipe = small_emg.recipe(emg_root / "cache", mirror=True, subjects=True, batch=5)
    task = EmgTask(recipe, clips, [], CPU)
    batches = task.batches(3)
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(clips)))
    assert batches == task.batches(3) != task.batches(4)
    people = {person for batch in batches for person in batch.people}
    assert 0 in people
    assert len(people) > 1
    assert task.validate() is None


def test_a_mirrored_clip_has_mirrored_targets(
    emg_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = clips_of(emg_root)
    recipe = small_emg.recipe(emg_root / "cache", mirror=True)
    task = EmgTask(recipe, clips[:1], [], CPU)
    seen: list[torch.Tensor] = []

    def spy(kind: Any, said: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        seen.append(true)
        return masked_loss(kind, said, true)

    monkeypatch.setattr("emg.task.masked_loss", spy)
    for flip in (False, True):
        task.loss(emg_task.Draw([0], [flip], [0]))
    plain, mirrored = seen
    torch.testing.assert_close(mirrored, plain[..., list(MIRRORED)], equal_nan=True)


def test_baselines_are_means_of_training_clips(emg_root: Path) -> None:
    clips = clips_of(emg_root)
    train_clips = [clip for clip in clips if clip.sample.part == "train"]
    test = next(c for c in clips if c.sample.part == "test" and c.sample.record.action == "A16")
    found = fit_baselines(train_clips)
    muscle = MUSCLE_INDEX["left vastus lateralis"]
    every = np.concatenate([c.y[:, muscle] for c in train_clips])
    assert found[MEAN](test)[:, muscle] == pytest.approx(np.nanmean(every), rel=1e-5)
    place = positions(test.sample.record, test.times_s)[4]
    same = np.concatenate(
        [
            c.y[positions(c.sample.record, c.times_s) == place, muscle]
            for c in train_clips
            if c.sample.record.action == "A16"
        ]
    )
    assert found[PHASE_MEAN](test)[4, muscle] == pytest.approx(same.mean(), rel=1e-5)
    gap = {name: np.nanmean(np.abs(tell(test) - test.y)) for name, tell in found.items()}
    assert gap[PHASE_MEAN] < gap[MEAN]


def test_positions_run_through_the_phases(emg_root: Path) -> None:
    clip = clips_of(emg_root)[0]
    record = clip.sample.record
    edges = [record.phases[0].start_s, record.phases[1].start_s, record.phases[2].end_s]
    assert positions(record, np.array(edges)).tolist() == [0, 10, 29]
    plain = record.model_copy(update={"phases": ()})
    assert positions(plain, np.array([0.0, 0.4, 0.8])).tolist() == [0, 15, 29]


def test_one_clip_alone_is_as_among_four(emg_root: Path, pose: Path) -> None:
    model: Model = load_model(pose)
    inputs = [clip.x for clip in clips_of(emg_root)[:4]]
    inputs[2] = inputs[2][:9]
    together = emg_task.predict(model.network, inputs, CPU)
    for one, x in zip(together, inputs, strict=True):
        assert one == pytest.approx(emg_task.predict(model.network, [x], CPU)[0], abs=1e-5)


def test_no_finished_run(tmp_path: Path, pose: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        load_model(tmp_path)
    shutil.copytree(pose, tmp_path / "run")
    facts = json.loads((tmp_path / "run/model.json").read_text(encoding="utf-8"))
    facts["recipe"]["hiden"] = 3
    (tmp_path / "run/model.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(InputError, match="unknown key 'hiden'"):
        load_model(tmp_path / "run")
