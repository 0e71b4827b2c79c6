"""The report on runs and on an ablation, from a small trained run to the page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import small_flex
import torch
import typer
from typer.testing import CliRunner

from aqa.ablate import ablate, retrained, smaller, subsets
from aqa.ablate_command import ablate as ablate_command
from aqa.clip_store import ClipStore
from aqa.evaluate_command import evaluate as evaluate_command
from aqa.feature_store import cached_features
from aqa.figures import as_svg, scatter_figure
from aqa.layout import Layout
from aqa.model import Model, load_model
from aqa.predict import predict
from aqa.predictions import PREDICTIONS_FILE, Prediction, read_predictions, write_predictions
from aqa.report import run as report
from aqa.samples import load_samples
from aqa.streams import Streams
from aqa.train import train
from flex.problems import InputError
from learn.sample import Sample

app = typer.Typer()
app.command("evaluate")(evaluate_command)
app.command("ablate")(ablate_command)


@pytest.fixture(scope="module")
def graph_run(flex_root: Path) -> Path:
    """A run of the graph head on two views, pose and sEMG."""
    recipe = small_flex.recipe(
        flex_root / "cache",
        head="graph",
        views=("View-1", "View-2"),
        pose=True,
        semg="peak_share",
        missing="mask",
    )
    train(recipe, "graph", flex_root / "data", flex_root / "graph")
    return flex_root / "graph"


@pytest.fixture(scope="module")
def asked(graph_run: Path, flex_root: Path) -> tuple[Model, list[Sample], Streams]:
    model = load_model(graph_run)
    every = load_samples(flex_root / "data", model.recipe, model.graph)
    samples = [sample for sample in every if sample.part == "test"]
    store = ClipStore(model.recipe, model.graph)
    return model, samples, cached_features(samples, store, model.encoder)


def call(*arguments: object) -> None:
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output


def sets(variant: str = "mv", seed: int = 0) -> list[Prediction]:
    random = np.random.default_rng(seed)
    return [
        Prediction(
            clip=f"A01/{10 * person + repetition:03d}",
            action="A01",
            subject=f"P{person}",
            repetition=repetition,
            part="test",
            variant=variant,
            head="core",
            seed=seed,
            score=float(80 - 2 * repetition + random.normal(0, 3)),
            truth=90.0 - 2 * repetition - person,
        )
        for person in range(3)
        for repetition in range(1, 7)
    ]


def test_a_report_holds_runs_baselines_and_the_papers_figures_apart(
    graph_run: Path, flex_root: Path, tmp_path: Path
) -> None:
    data, out = flex_root / "data", tmp_path / "out"
    call("evaluate", graph_run, "--data", data, "--out", out, "--mlp", graph_run, "--resamples", 40)
    found = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert found["simulated"] == "all"
    names = ["graph", "baseline_mean", "baseline_ridge", "baseline_mlp"]
    assert list(found["variants"]) == names
    rows = [row for row in read_predictions(graph_run / PREDICTIONS_FILE) if row.part == "test"]
    assert found["clips"] == len(rows)
    lost = np.mean([abs(row.score - (row.truth or 0)) for row in rows])
    assert found["variants"]["graph"]["figures"]["mae"]["value"] == pytest.approx(lost)
    # A constant guess ranks nothing: null, never NaN.
    assert found["variants"]["baseline_mean"]["figures"]["rho"]["value"] is None
    for name in ("report.md", "report.html"):
        text = (out / name).read_text(encoding="utf-8")
        ours, heading, theirs = text.partition("What the paper reports")
        assert heading
        assert "0.8069" in theirs
        assert "0.8069" not in ours
        assert "imulated data" in ours
        assert "Baseline: ridge on skeleton statistics" in ours
        assert "Graph head" not in theirs
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    for name in ("scatter", "reliability"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_whole_sets_are_studied_and_names_are_escaped(tmp_path: Path) -> None:
    rows = [*sets("<b>x</b>"), *sets("<b>x</b>", seed=1)]
    write_predictions(tmp_path / "some.jsonl", rows)
    page = report(runs=[tmp_path / "some.jsonl"], data=tmp_path, out=tmp_path / "out", resamples=20)
    text = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;x" in text
    assert "<b>x" not in text
    found = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    study = found["repetitions"]["<b>x</b>"]
    assert study["true"]["slope"] == pytest.approx(-2)
    assert len(study["sets"]) == 3
    assert found["simulated"] == ""
    assert "simulated" not in page.with_name("report.md").read_text(encoding="utf-8").lower()


def test_predictions_that_do_not_fit_are_refused(
    graph_run: Path, flex_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="is missing; run `python -m aqa predict`"):
        report(runs=[tmp_path], out=tmp_path)
    with pytest.raises(InputError, match="predicts no clip of the part train"):
        report(runs=[graph_run], data=flex_root / "data", out=tmp_path, part="train")
    rows = read_predictions(graph_run / PREDICTIONS_FILE)
    wrong = [row.model_copy(update={"part": "test"}) for row in rows if row.part == "validation"]
    write_predictions(tmp_path / PREDICTIONS_FILE, wrong)
    recipe = (graph_run / "recipe.yaml").read_bytes()
    (tmp_path / "recipe.yaml").write_bytes(recipe)
    with pytest.raises(InputError, match="is not in the part test of the run's split"):
        report(runs=[tmp_path], data=flex_root / "data", out=tmp_path / "out")


def test_the_same_figure_gives_the_same_text() -> None:
    points = {"MV": [(50.0, 60.0), (70.0, 120.0)]}
    assert as_svg(scatter_figure(points)) == as_svg(scatter_figure(points))
    assert "NaN" not in as_svg(scatter_figure(points, note="simulated data"))


def test_subsets_name_every_stream_once() -> None:
    whole = subsets(Layout(views=("View-1", "View-2"), pose=True, semg="peak_share"))
    assert list(whole) == [
        "All streams",
        *("Without View-1", "Without View-2", "Without pose", "Without sEMG", "Without video"),
        *("View-1 alone", "View-2 alone", "pose alone", "sEMG alone", "video alone"),
    ]
    assert whole["Without video"] == ("pose", "semg")
    assert len(set(whole.values())) == len(whole)
    two = subsets(Layout(views=("View-1",), pose=True))
    assert list(two.values()) == [("View-1", "pose"), ("pose",), ("View-1",)]
    assert list(subsets(Layout(views=("View-1",)))) == ["All streams"]


def test_what_is_taken_away_leaves_no_trace(asked: tuple[Model, list[Sample], Streams]) -> None:
    model, samples, features = asked
    said = ablate(model, samples, features)
    found = {
        label: [r for r in said if r.variant == label] for label in subsets(model.recipe.layout)
    }
    assert {len(rows) for rows in found.values()} == {len(samples)}
    whole = predict(model, samples, features)
    assert [r.score for r in found["All streams"]] == [r.score for r in whole]
    noise = {n: v if n == "pose" else torch.full_like(v, 9.0) for n, v in features.values.items()}
    again = [r for r in ablate(model, samples, Streams(noise)) if r.variant == "pose alone"]
    assert again == found["pose alone"]
    assert [r.score for r in again] != [r.score for r in whole]
    # Nothing in sEMG shows an error: all is abstained from, and the score is the usual one.
    alone = found["sEMG alone"][0]
    assert not alone.probabilities
    assert alone.abstained
    assert alone.views == ()


def test_a_recipe_for_some_streams(asked: tuple[Model, list[Sample], Streams]) -> None:
    recipe = asked[0].recipe.model_copy(update={"test_views": ("View-3", "View-4")})
    small = smaller(recipe, ("View-2", "semg"))
    assert list(small.layout.widths) == ["View-2", "semg"]
    assert small.test_views == ("View-4",)
    assert (small.pose, small.semg, small.head) == (False, "peak_share", "graph")


def test_core_cannot_be_ablated(asked: tuple[Model, list[Sample], Streams]) -> None:
    from dataclasses import replace

    model, samples, features = asked
    other = replace(model, head=torch.nn.ModuleDict())
    with pytest.raises(InputError, match="is CoRe, which reads all of its streams"):
        ablate(other, samples, features)


def test_one_command_gives_the_table(graph_run: Path, tmp_path: Path) -> None:
    call("ablate", graph_run, "--out", tmp_path, "--resamples", 20)
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert found["kind"] == "ablate"
    names = list(found["variants"])
    assert (names[0], names[-1]) == ("All streams", "baseline_ridge")
    assert "Without pose − All streams" in found["leads"]
    assert "sEMG alone − All streams" in found["leads"]
    assert "What is each camera and sensor worth?" in (tmp_path / "report.md").read_text("utf-8")


@pytest.mark.slow
def test_heads_can_be_trained_for_each_subset(flex_root: Path, tmp_path: Path) -> None:
    recipe = small_flex.recipe(
        flex_root / "cache", head="graph", views=("View-1",), pose=True, missing="mask", epochs=1
    )
    said = retrained(recipe, flex_root / "data", tmp_path)
    labels = list(subsets(recipe.layout))
    assert list(dict.fromkeys(row.variant for row in said)) == labels
    assert {row.variant: row.views for row in said}["Without View-1"] == ()
    models = [load_model(folder) for folder in sorted(tmp_path.iterdir())]
    assert {model.name: len(model.recipe.layout.widths) for model in models} == {
        "All streams": 2,
        "Without View-1": 1,
        "Without pose": 1,
    }
