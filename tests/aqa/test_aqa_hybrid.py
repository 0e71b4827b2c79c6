"""CoRe as a second opinion beside the graph head."""

from pathlib import Path

import pytest
import small_flex
import yaml
from typer.testing import CliRunner

from aqa.__main__ import app
from aqa.hybrid import Opinion, hybrid, second_opinion
from aqa.options import Head
from aqa.predictions import Prediction, read_predictions
from flex.problems import InputError
from flex.splits import Part

RUN = CliRunner()


def said(head: Head, scores: list[float], part: Part = "validation") -> list[Prediction]:
    return [
        Prediction(
            clip=f"A16/{n:03d}",
            action="A16",
            part=part,
            variant=head,
            head=head,
            seed=0,
            score=score,
            truth=truth,
        )
        for n, (score, truth) in enumerate(zip(scores, (60.0, 80.0), strict=True))
    ]


@pytest.mark.parametrize(
    ("graph", "core", "weight"),
    [
        ([60.0, 80.0], [50.0, 90.0], 1.0),
        ([50.0, 90.0], [60.0, 80.0], 0.0),
        # Off by −4 and by +6: six parts of the first and four of the second are right.
        ([56.0, 76.0], [66.0, 86.0], 0.6),
        # Both too high, the second by more: it would get less than nothing.
        ([62.0, 82.0], [70.0, 90.0], 1.0),
        ([70.0, 70.0], [70.0, 70.0], 1.0),
    ],
)
def test_the_weight_comes_nearest_to_the_labels(
    graph: list[float], core: list[float], weight: float
) -> None:
    opinion = second_opinion(said("graph", graph), said("core", core))
    assert opinion.weight == pytest.approx(weight)
    assert opinion.clips == 2


def test_only_the_score_is_of_both() -> None:
    graph = said("graph", [60.0, 80.0], "test")
    rows = hybrid(graph, said("core", [70.0, 60.0], "test"), Opinion(0.75, 2, 15.0))
    assert [row.score for row in rows] == [62.5, 75.0]
    assert {row.variant for row in rows} == {"hybrid"}
    own = {"score", "variant"}
    assert [r.model_dump(exclude=own) for r in rows] == [r.model_dump(exclude=own) for r in graph]


def test_runs_that_do_not_fit_are_told() -> None:
    graph, core = said("graph", [60.0, 80.0]), said("core", [60.0, 80.0])
    with pytest.raises(InputError, match="expected predictions of the head graph, found core"):
        second_opinion(core, graph)
    with pytest.raises(InputError, match="share no labelled validation clip"):
        second_opinion(graph, said("core", [60.0, 80.0], "test"))
    with pytest.raises(InputError, match=r"A16/001: is predicted by one of the runs only \(1"):
        hybrid(graph, core[:1], Opinion(1.0, 2, 0.0))


@pytest.fixture(scope="module")
def runs(flex_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each head."""
    folder = tmp_path_factory.mktemp("hybrid")
    for head in ("graph", "core"):
        recipe = small_flex.recipe(flex_root / "cache", head=head, epochs=1, actions=("A16",))
        config = folder / f"{head}.yaml"
        config.write_text(yaml.safe_dump(recipe.model_dump(mode="json")), encoding="utf-8")
        words = ["--data", str(flex_root / "data"), "--out", str(folder / head)]
        done = RUN.invoke(app, ["train", "--config", str(config), *words])
        assert done.exit_code == 0, done.output
    return {head: folder / head for head in ("graph", "core")}


def test_two_runs_become_one(runs: dict[str, Path], flex_root: Path, tmp_path: Path) -> None:
    pair = [str(runs["graph"]), str(runs["core"])]
    done = RUN.invoke(app, ["hybrid", *pair, "--out", str(tmp_path / "joint")])
    assert done.exit_code == 0, done.output
    assert "by 2 validation clips" in done.output
    rows = read_predictions(tmp_path / "joint" / "predictions.jsonl")
    apart = read_predictions(runs["graph"] / "predictions.jsonl")
    assert [row.clip for row in rows] == [row.clip for row in apart]
    words = ["--data", str(flex_root / "data"), "--out", str(tmp_path / "report")]
    done = RUN.invoke(app, ["evaluate", str(tmp_path / "joint"), *words, "--resamples", "10"])
    assert done.exit_code == 0, done.output
    report = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "Graph head, CoRe as second opinion" in report


def test_a_run_is_not_written_over(runs: dict[str, Path]) -> None:
    pair = [str(runs["graph"]), str(runs["core"])]
    done = RUN.invoke(app, ["hybrid", *pair, "--out", pair[0]])
    assert "is one of the two runs" in str(done.exception)


def test_a_clip_is_scored_with_a_second_opinion(runs: dict[str, Path], flex_root: Path) -> None:
    words = ["--run", str(runs["graph"]), "--second", str(runs["core"])]
    done = RUN.invoke(app, ["score", "A16/005", *words, "--data", str(flex_root / "data")])
    assert done.exit_code == 0, done.output
    assert "Second opinion, by comparison (core): " in done.output
    assert "points; " in done.output
