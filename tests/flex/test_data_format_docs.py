"""The examples in docs/data-format.md are read by the readers that they explain."""

import json
import re
from pathlib import Path

import numpy as np

from flex.annotations import load_annotations
from flex.cameras import project, read_cameras
from flex.graph import Graph
from flex.import_map import ImportMap, load_map
from flex.sample import Annotation
from flex.splits import PARTS, load
from flex.votes import read_votes

PAGE = (Path(__file__).parents[2] / "docs/data-format.md").read_text(encoding="utf-8")


def _examples(kind: str) -> list[str]:
    return re.findall(rf"^```\w+ {kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _one_line(text: str) -> str:
    return json.dumps(json.loads(text)) + "\n"


def test_records(tmp_path: Path, graph: Graph) -> None:
    path = tmp_path / "annotations.jsonl"
    path.write_text("".join(map(_one_line, _examples("annotation"))))
    whole, partial = load_annotations(path, graph)
    assert whole.score is not None
    assert len(whole.errors) == 2
    assert partial.labelled == ("AK44:ET055", "AK44:ET056")


def test_every_field_of_a_record_is_explained() -> None:
    table = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert set(Annotation.model_fields) <= set(table)


def test_votes(tmp_path: Path, graph: Graph) -> None:
    (text,) = _examples("vote")
    path = tmp_path / "votes.jsonl"
    path.write_text(_one_line(text))
    assert len(read_votes(path, graph)[0].errors) == 2


def test_split(tmp_path: Path) -> None:
    (text,) = _examples("split")
    path = tmp_path / "split.json"
    path.write_text(text)
    split = load(path)
    assert {split.part(clip) for clip in split.clips} == set(PARTS)


def test_cameras(tmp_path: Path) -> None:
    (text,) = _examples("cameras")
    path = tmp_path / "cameras.json"
    path.write_text(text)
    camera = read_cameras(path, ["View-1"])["View-1"]
    # Three metres before the lens and at its height: in the middle.
    assert project(camera, np.array([0.0, 0.0, 1.2])).tolist() == [320, 180]


def test_map_uses_every_key(tmp_path: Path, graph: Graph) -> None:
    (whole,), (more,) = _examples("map"), _examples("keys")
    path = tmp_path / "map.yaml"
    path.write_text(whole + more)
    mapping = load_map(path, graph)
    assert mapping.model_fields_set == set(ImportMap.model_fields)
