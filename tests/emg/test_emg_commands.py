"""`python -m emg`: train, evaluate, predict; help that teaches."""

from pathlib import Path

import pytest
import small_emg
import yaml
from typer.testing import CliRunner

from emg.__main__ import app
from flex.problems import InputError

RUN = CliRunner()


@pytest.fixture(scope="module")
def trained(emg_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run that `train` made of a recipe file, a setting and a seed."""
    folder = tmp_path_factory.mktemp("commands")
    recipe = small_emg.recipe(emg_root / "cache")
    config = folder / "tiny.yaml"
    config.write_text(yaml.safe_dump(recipe.model_dump(mode="json")), encoding="utf-8")
    words = ["train", "--config", str(config), "--data", str(emg_root / "data")]
    done = RUN.invoke(app, [*words, "--out", str(folder / "run"), "--seed", "3", "epochs=1"])
    assert done.exit_code == 0, done.output
    assert "epoch 1, validation r " in done.output
    return folder / "run"


def test_train_keeps_its_recipe(trained: Path) -> None:
    kept = yaml.safe_load((trained / "recipe.yaml").read_text(encoding="utf-8"))
    assert (kept["seed"], kept["epochs"]) == (3, 1)


def test_evaluate_writes_a_report(trained: Path, tmp_path: Path) -> None:
    words = ["--out", str(tmp_path), "--resamples", "10"]
    done = RUN.invoke(app, ["evaluate", str(trained), *words])
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {
        *("report.md", "report.html", "report.json")
    }


def test_predict_writes_csv_picture_and_film(trained: Path, emg_root: Path, tmp_path: Path) -> None:
    words = ["--run", str(trained), "--data", str(emg_root / "data"), "--out", str(tmp_path)]
    done = RUN.invoke(app, ["predict", "A16/001", *words])
    assert done.exit_code == 0, done.output
    assert "trained on simulated clips" in done.output
    for ending in ("csv", "png", "mp4"):
        assert (tmp_path / f"A16-001.{ending}").stat().st_size > 500
    again = tmp_path / "again"
    words = [*words[:-1], str(again), "--no-film"]
    assert RUN.invoke(app, ["predict", "A16/001", *words]).exit_code == 0
    assert not (again / "A16-001.mp4").exists()


def test_faults_are_told(trained: Path, emg_root: Path, tmp_path: Path) -> None:
    done = RUN.invoke(
        app, ["predict", "A16/999", "--run", str(trained), "--data", str(emg_root / "data")]
    )
    assert isinstance(done.exception, InputError)
    assert "holds no clip 'A16/999'" in str(done.exception)
    done = RUN.invoke(app, ["evaluate", str(tmp_path)])
    assert "no finished run" in str(done.exception)


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "signal"])
def test_help_shows_the_command(command: str) -> None:
    done = RUN.invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert f"python -m emg {command}" in done.output
