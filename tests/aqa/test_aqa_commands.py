"""`python -m aqa`: train, predict, score; help that teaches and starts fast."""

import subprocess
import sys
from pathlib import Path

import pytest
import small_flex
import yaml
from typer.testing import CliRunner

from aqa.__main__ import app
from aqa.predictions import read_predictions
from flex.problems import InputError

ROOT = Path(__file__).parents[2]
RUN = CliRunner()


@pytest.fixture(scope="module")
def trained(flex_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run that `train` made of a recipe file, a setting and a seed."""
    folder = tmp_path_factory.mktemp("commands")
    recipe = small_flex.recipe(flex_root / "cache", head="graph", pose=True, missing="mask")
    config = folder / "errors.yaml"
    config.write_text(yaml.safe_dump(recipe.model_dump(mode="json")), encoding="utf-8")
    words = ["train", "--config", str(config), "--data", str(flex_root / "data")]
    done = RUN.invoke(
        app, [*words, "--out", str(folder / "run"), "--seed", "3", "epochs=1", "actions=[A16]"]
    )
    assert done.exit_code == 0, done.output
    assert "2 test clips scored" in done.output
    return folder / "run"


def test_train_writes_a_run(trained: Path) -> None:
    kept = yaml.safe_load((trained / "recipe.yaml").read_text(encoding="utf-8"))
    assert (kept["seed"], kept["epochs"], kept["actions"]) == (3, 1, ["A16"])
    rows = read_predictions(trained / "predictions.jsonl")
    assert {(row.action, row.seed, row.variant) for row in rows} == {("A16", 3, "errors")}


def test_predict_writes_a_line_for_each_clip(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    done = RUN.invoke(app, ["predict", str(trained), "--part", "train", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert len(read_predictions(out)) == 8


def test_score_tells_errors_and_what_is_not_seen(trained: Path, flex_root: Path) -> None:
    words = ["--run", str(trained), "--data", str(flex_root / "data")]
    done = RUN.invoke(app, ["score", "A16/005", *words])
    assert done.exit_code == 0, done.output
    assert "A16/005, Squat: score" in done.output
    assert "(label: " in done.output
    assert "Cannot be seen from this recording" in done.output
    assert "trained on simulated clips" in done.output


def test_faults_are_told(trained: Path, flex_root: Path) -> None:
    words = ["--run", str(trained), "--data", str(flex_root / "data")]
    for clip, message in (("A16/999", "nor a clip of"), ("squat.mp4", "neither a file nor an id")):
        done = RUN.invoke(app, ["score", clip, *words])
        assert isinstance(done.exception, InputError)
        assert message in str(done.exception)
    done = RUN.invoke(app, ["predict", str(flex_root)])
    assert "no finished run" in str(done.exception)


@pytest.mark.parametrize("command", ["train", "predict", "score", "hybrid", "evaluate", "ablate"])
def test_help_shows_examples(command: str) -> None:
    done = RUN.invoke(app, [command, "--help"])
    assert f"python -m aqa {command}" in done.output


def test_help_starts_without_torch() -> None:
    script = (
        "import runpy, sys\n"
        "sys.argv = ['aqa', '--help']\n"
        "try:\n"
        "    runpy.run_module('aqa', run_name='__main__')\n"
        "except SystemExit:\n"
        "    pass\n"
        "assert not {'torch', 'av', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True)
