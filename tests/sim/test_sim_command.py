"""`python -m sim labels`: what it writes, prints and refuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flex.annotations import load_annotations
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.votes import questions_of, read_votes
from sim.__main__ import app
from sim.settings import SETTINGS_FILE, load_settings
from sim.study import Study
from sim.summary import histogram, spread_of
from sim.write import write_labels

STUDY = Study(load_graph(), load_settings(), seed=0)


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["labels", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_small_by_default_with_a_summary(tmp_path: Path) -> None:
    shown = run("--out", str(tmp_path))
    records = load_annotations(tmp_path / "annotations.jsonl", STUDY.graph)
    assert len(records) == 400
    assert {record.source for record in records} == {"simulated"}
    mark = json.loads((tmp_path / "simulation.json").read_text())
    assert (mark["seed"], mark["clips"], mark["graph"]) == (0, 400, STUDY.graph.version)
    for word in ("simulated", "400", "expert", "amateur", "novice", "excess kurtosis", "█"):
        assert word in shown


def test_same_command_same_bytes_and_votes_on_request(tmp_path: Path) -> None:
    run("--out", str(tmp_path / "a"), "--clips", "10", "--votes")
    run("--out", str(tmp_path / "b"), "--clips", "10", "--votes")
    for name in ("annotations.jsonl", "votes.jsonl", "simulation.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    records = load_annotations(tmp_path / "a" / "annotations.jsonl", STUDY.graph)
    questions = questions_of(records, STUDY.graph)
    assert len(read_votes(tmp_path / "a" / "votes.jsonl", STUDY.graph, questions)) == 60
    run("--out", str(tmp_path / "a"), "--clips", "3", "--seed", "1")
    assert not (tmp_path / "a" / "votes.jsonl").exists()
    assert (tmp_path / "a" / "annotations.jsonl").read_bytes() != (
        tmp_path / "b" / "annotations.jsonl"
    ).read_bytes()


def test_other_peoples_annotations_are_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "annotations.jsonl"
    real.write_text("precious\n")
    with pytest.raises(InputError, match="no simulation wrote this"):
        write_labels(STUDY, tmp_path, 5)
    assert real.read_text() == "precious\n"
    assert [path.name for path in tmp_path.iterdir()] == ["annotations.jsonl"]
    with pytest.raises(InputError, match="is a file"):
        write_labels(STUDY, real, 5)


def test_all_wrong_numbers_are_listed_with_their_lines(tmp_path: Path) -> None:
    text = SETTINGS_FILE.read_text()
    text = text.replace("repetitions: 10", "repetition: 10").replace("dissent: 0.2", "dissent: 2")
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_settings(tmp_path / "mine.yaml")
    messages = [str(problem) for problem in caught.value.problems]
    assert any("did you mean" in message or "missing" in message for message in messages)
    assert any("dissent" in message for message in messages)
    assert all("mine.yaml:" in message for message in messages)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("errors: [ET018]", "errors: [ET018, ET001]", "in two kinds: ET001"),
        ("voters_per_clip: 3", "voters_per_clip: 7", "more than there are"),
        ("N02, N03", "N02, N02", "each id once"),
        ("fewest_frames: 100 ", "fewest_frames: 1000 ", "not below most_frames"),
        ("excluded_per_action: 4.4", "excluded_per_action: 40", "above most_excluded"),
        ("{equipment: barbell, novice: 40", "{equipment: kettle, novice: 40", "unknown equipment"),
    ],
)
def test_numbers_that_contradict_each_other(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    text = SETTINGS_FILE.read_text()
    assert old in text
    (tmp_path / "mine.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_settings(tmp_path / "mine.yaml")


def test_figures_of_a_distribution_by_hand() -> None:
    spread = spread_of([1, 2, 3, 4, 10])
    assert (spread.mean, spread.low, spread.high) == (4, 1, 10)
    assert spread.sd == pytest.approx(10**0.5)
    assert spread.skew == pytest.approx(180 / 5 / 10**1.5)
    assert spread.excess_kurtosis == pytest.approx((81 + 16 + 1 + 0 + 1296) / 5 / 100 - 3)
    assert spread_of([5.0]).skew == 0


def test_histogram_counts_every_score_once() -> None:
    lines = histogram([100, 99, 95, 60, 61, 84.99])
    assert [line.split()[:2] for line in lines if "█" in line] == [
        ["60–65", "2"],
        ["80–85", "1"],
        ["95–100", "3"],
    ]
