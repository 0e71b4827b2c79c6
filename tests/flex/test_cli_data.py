import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flex import cli
from flex.cli_data import app
from flex.files import write_jsonl
from flex.problems import InputError
from flex.sample import Annotation
from flex.splits import load

MakeRecord = Callable[..., Annotation]
MAP = Path(__file__).parents[2] / "configs/import/fitness-aqa.yaml"


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def root(tmp_path: Path, make_record: MakeRecord) -> Path:
    records = [
        make_record(f"A01/{n:03d}", subject=f"N{n:02d}", skill="novice", repetition=n)
        for n in range(1, 11)
    ]
    write_jsonl(tmp_path / "annotations.jsonl", records)
    return tmp_path


def test_check_of_a_good_folder(root: Path) -> None:
    result = _run("check", root)
    assert result.exit_code == 0
    assert "subjects" in result.output
    assert "10" in result.output


def test_check_names_problems_and_exits_with_2(root: Path) -> None:
    path = root / "annotations.jsonl"
    path.write_text(path.read_text().replace('"subject":"N03",', ""))
    result = _run("check", root)
    assert result.exit_code == 2
    assert f"{path}:3: A01/003 has no subject" in result.output


def test_check_as_json(root: Path, write_clip: Callable[..., Path]) -> None:
    write_clip("A01/001", views=1, frames=102, semg=0)
    result = _run("check", root, "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert (report["clips"], report["views"]) == (10, ["View-1"])
    places = {problem["place"]: problem["message"] for problem in report["problems"]}
    assert places[str(root / "A01/001/View-1")].startswith("has 102 frames, expected 103")


def test_split_writes_a_file_that_loads(root: Path) -> None:
    result = _run("split", root, "--seed", 4)
    assert result.exit_code == 0, result.output
    split = load(root / "split_subject.json")
    assert (split.kind, split.seed, len(split.clips)) == ("subject", 4, 10)
    result = _run("split", root, "--by", "repetition", "--out", root / "mine.json")
    assert result.exit_code == 0, result.output
    assert load(root / "mine.json").kind == "repetition"


def test_a_split_that_cannot_be_made_writes_nothing(root: Path) -> None:
    result = _run("split", root, "--by", "released")
    assert isinstance(result.exception, InputError)
    assert not (root / "split_released.json").exists()


def test_import_writes_all_or_nothing(tmp_path: Path) -> None:
    row = {"clip": "32939_2", "exercise": "OHP", "labels": {"knees error": [0.5, 1]}}
    row |= {"answer_tuned": "", "answer_untuned": ""}
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps(row) + "\n" + json.dumps({**row, "exercise": "Row"}) + "\n")
    result = _run("import", labels, "--map", MAP, "--out", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "out").exists()
    labels.write_text(json.dumps(row) + "\n")
    for _ in range(2):
        result = _run("import", labels, "--map", MAP, "--out", tmp_path / "out")
        assert result.exit_code == 0, result.output
    assert "1 records" in result.output
    assert _run("check", tmp_path / "out").exit_code == 0


def _votes(root: Path, errors: list[list[str]]) -> Path:
    path = root / "votes.jsonl"
    rows: list[dict[str, Any]] = [
        {"clip": f"A01/{clip:03d}", "annotator": f"a{n}", "stage": 1, "errors": found}
        for clip in range(1, 11)
        for n, found in enumerate(errors)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_merge_and_agreement(root: Path) -> None:
    votes = _votes(root, [["AK01:ET001"], ["AK01:ET001"], []])
    result = _run("merge", votes, "--records", root / "annotations.jsonl", "--out", root / "new")
    assert result.exit_code == 0, result.output
    assert "10 clips without a review" in result.output
    text = (root / "new/annotations.jsonl").read_text()
    assert text.count('"error_type":"ET001"') == 10
    found = json.loads(_run("agreement", votes, "--json").stdout)["stages"]["1"]
    assert found["error_types"]["ET001"]["units"] > 0
    assert found["error_types"]["ET006"]["alpha"] is None
    table = _run("agreement", votes, "--records", root / "annotations.jsonl")
    assert "stage 1" in table.output


def test_problems_reach_the_user(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    votes = _votes(root, [["AK99:ET001"]])
    monkeypatch.setattr("sys.argv", ["data", "agreement", str(votes)])
    with pytest.raises(SystemExit) as stopped:
        cli.run(app)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert f"{votes}:1" in captured.err
    assert "10 problems" in captured.err
