"""The graph and score commands, as a user types them."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from flex.graph_file import GRAPH_FILE

ROOT = Path(__file__).parent.parent.parent
FIGURE_11 = ["AK01:ET001", "AK02:ET006", "AK04:ET005", "AK04:ET008", "AK05:ET018", "AK05:ET003"]


def flex(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flex", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize(
    "errors",
    [
        FIGURE_11,
        [",".join(FIGURE_11)],
        [*FIGURE_11[:2], "--errors", *FIGURE_11[2:]],
    ],
)
def test_score(errors: list[str]) -> None:
    done = flex("score", "--action", "A01", "--errors", *errors)
    assert (done.returncode, done.stdout) == (0, "77.02\n")


def test_score_explains_itself() -> None:
    done = flex("score", "--action", "squat", "--errors", "AK44:ET056", "--explain")
    assert "sum of the observed" in done.stdout
    assert done.stdout.endswith("92.42\n")


def test_score_refuses_errors_of_other_actions() -> None:
    done = flex("score", "--action", "A16", "--errors", "AK01:ET001", "AK44:ET001")
    assert done.returncode == 2
    assert "AK01:ET001" in done.stderr
    assert "2 problems" in done.stderr


def test_check_ours_and_a_broken_copy(tmp_path: Path) -> None:
    good = flex("graph", "check", "--strict")
    assert good.returncode == 0, good.stderr
    for count in ("20", "56", "63", "87", "278", "416"):
        assert count in good.stdout
    broken = tmp_path / "graph.yaml"
    broken.write_text(GRAPH_FILE.read_text().replace("weight: 6", "weight: 60", 2))
    bad = flex("graph", "check", str(broken))
    assert bad.returncode == 2
    assert "2 problems" in bad.stderr


def test_json_on_stdout() -> None:
    graph = json.loads(flex("graph", "export", "--format", "json").stdout)
    assert [a["id"] for a in graph["actions"]] == [f"A{n:02d}" for n in range(1, 21)]
    assert {"id", "name", "equipment", "key_steps"} <= set(graph["actions"][0])
    assert graph["actions"][15]["key_steps"][0]["errors"] == ["ET061", "ET002", "ET003", "ET004"]
    assert graph["error_types"][0] | {"weight": 6, "id": "ET001"} == graph["error_types"][0]


def test_graphml_and_mermaid_hold_every_edge() -> None:
    tree = ET.fromstring(flex("graph", "export", "--format", "graphml").stdout)
    edges = [node for node in tree.iter() if node.tag.endswith("}edge")]
    assert len(edges) == 87 + 278
    mermaid = flex("graph", "export", "--format", "mermaid").stdout
    assert mermaid.count("-->") == 87 + 278


def test_the_picture_in_the_docs_is_current(tmp_path: Path) -> None:
    done = flex("graph", "export", "--format", "svg", "--out", str(tmp_path / "graph.svg"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "graph.svg").read_text()
    assert text == (ROOT / "docs" / "graph.svg").read_text(), "run `make docs`"
    assert ET.fromstring(text).tag.endswith("svg")


def test_one_action_alone() -> None:
    graph = json.loads(flex("graph", "export", "--action", "A16").stdout)
    assert [a["id"] for a in graph["actions"]] == ["A16"]
    assert len(graph["error_types"]) == 16


def test_show_names_standard_and_correction() -> None:
    shown = flex("graph", "show", "A16").stdout
    for word in ("Squat", "AK56", "ET056", "quadriceps", "slightly below 90°", "total weight 132"):
        assert word in shown


def test_find_prints_ids_one_a_line() -> None:
    text = "Your knees caved inward, and your trunk swayed."
    assert flex("graph", "find", "A16", text).stdout.split() == ["ET056", "ET005"]
    assert flex("graph", "find", "A16", "Your knees did not cave inward.").stdout == ""


def test_measure_prints_a_table() -> None:
    path = ROOT / "tests" / "flex" / "data" / "find_errors_dev.jsonl"
    assert "precision" in flex("graph", "measure", str(path)).stdout


def test_help_teaches() -> None:
    assert "knowledge graph" in flex("--help").stdout
    assert "77.02" in flex("score", "--help").stdout
