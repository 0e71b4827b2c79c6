"""A broken graph file is told whole, with lines; a user's own file works."""

from pathlib import Path

import pytest
import yaml

from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError

TINY = """\
name: tiny
source: a test
actions:
  X1:
    name: Push-up
    equipment: none
    posture: prone
    summary: You push the floor away.
    target_muscles: [pectoralis major]
    phases: [preparation, concentric]
    key_steps: [K1, K2]
    score_total: 20
key_steps:
  K1:
    phase: preparation
    name: Plank
    moments: [as you took the plank]
    standard: Hold a straight plank.
    errors: [E1]
  K2:
    phase: concentric
    name: Push
    moments: [as you pushed up]
    standard: Push until your arms are straight.
    errors: [E1, E2]
error_types:
  E1:
    weight: 5
    name: Hip sag
    description: hips sagging
    observed: [your hips sagged]
    ideal: [your hips stayed level]
    correction: [Keep your hips level.]
    correction_at: {K2: Keep your hips level as you push.}
    known_from: [video]
  E2:
    weight: 3
    name: Short range
    description: arms not straightened
    observed: [your arms stayed bent]
    ideal: [your arms became straight]
    correction: [Straighten your arms.]
    known_from: [video, pose]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "graph.yaml"
    path.write_text(text)
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_graph(path)
    return [str(p).replace(str(path), "graph.yaml") for p in caught.value.problems]


def test_a_graph_of_ones_own(tmp_path: Path) -> None:
    graph = load_graph(write(tmp_path, TINY))
    assert graph.total("X1") == 20
    assert [str(o) for o in graph.occurrences("X1")] == ["K1:E1", "K2:E1", "K2:E2"]


def test_all_problems_at_once_with_their_lines(tmp_path: Path) -> None:
    broken = (
        TINY.replace("    phase: concentric\n", "    phase: concentrik\n")
        .replace("[E1, E2]", "[E1, E9]")
        .replace("weight: 5", "weight: 11")
        .replace("    correction: [Straighten your arms.]\n", "")
        .replace("posture: prone", "postur: prone")
        .replace("{K2: Keep", "{K3: Keep")
    )
    found = problems(write(tmp_path, broken))
    text = "\n".join(found)
    assert "graph.yaml:7: unknown key 'postur' (did you mean posture?)" in found
    assert "graph.yaml:4: 'posture' is missing" in found
    assert "graph.yaml:21:" in text
    assert "'concentrik'" in text
    assert "graph.yaml:25: K2 names 'E9', unknown" in text
    assert "graph.yaml:28: error_types.E1.weight: Input should be less than or equal" in text
    assert "'correction' is missing" in text
    assert "E1 names 'K3', unknown" in text
    assert any("E2 belongs to no key step" in line for line in found)
    assert [int(line.split(":")[1]) for line in found] == sorted(
        int(line.split(":")[1]) for line in found
    )


@pytest.mark.parametrize("weight", ["1", "11", "2.5", "heavy"])
def test_weights_outside_2_to_10(tmp_path: Path, weight: str) -> None:
    assert len(problems(write(tmp_path, TINY.replace("weight: 3", f"weight: {weight}")))) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("key_steps: [K1, K2]", "key_steps: [K1]", "K2 belongs to no action"),
        ("phases: [preparation, concentric]", "phases: [concentric]", "states the phases"),
        ("{K2: Keep", "{K1: Keep", None),
        ("correction: [Keep your hips level.]", "correction: []", "at least 1 item"),
        ("observed: [your hips sagged]", "observed: ['']", "at least 1 character"),
        ("  E2:\n", "  E1:\n", "key 'E1' is given twice"),
        ("name: tiny\n", "name: [tiny\n", "not valid YAML"),
        ("errors: [E1]", "errors: [E1, E2, E1x]", "names 'E1x', unknown (did you mean E1?)"),
    ],
)
def test_one_problem(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    path = write(tmp_path, TINY.replace(old, new))
    if message is None:
        load_graph(path)
    else:
        assert any(message in line for line in problems(path))


@pytest.mark.parametrize("text", ["", "- a list", "just text"])
def test_a_file_that_is_no_graph(tmp_path: Path, text: str) -> None:
    assert "expected a mapping" in problems(write(tmp_path, text))[0]


def test_a_missing_file(tmp_path: Path) -> None:
    assert "No such file" in problems(tmp_path / "graph.yaml")[0]


def test_one_typo_in_ours_is_found(tmp_path: Path) -> None:
    text = GRAPH_FILE.read_text().replace("known_from: [breathing]", "known_form: [breathing]", 1)
    found = problems(write(tmp_path, text))
    assert any("unknown key 'known_form' (did you mean known_from?)" in line for line in found)


def test_ours_has_no_duplicate_wording() -> None:
    data = yaml.safe_load(GRAPH_FILE.read_text())
    observed = [text for error in data["error_types"].values() for text in error["observed"]]
    assert len(set(observed)) > 0.95 * len(observed)
