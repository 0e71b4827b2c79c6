import json
import os
from pathlib import Path
from typing import Any

import pytest

from flex.annotations import load_annotations, write_annotations
from flex.graph import Graph
from flex.import_labels import import_labels
from flex.import_map import ImportMap, load_map
from flex.label_rows import Seen, read_label
from flex.problems import InputError
from flex.splits import leaks, split_by_subject

REPOSITORY = Path(__file__).parents[2]
FITNESS_AQA = REPOSITORY / "configs/import/fitness-aqa.yaml"
DATA = Path(os.environ.get("FLEX_COACH_DATA", REPOSITORY.parent / "shared/data"))
LIFTS = DATA / "real-lifts/lifts.jsonl"


def _jsonl(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _squat(clip: str, **labels: Any) -> dict[str, Any]:
    names = {"forward": "knees forward error", "inward": "knees inward error"}
    found = {names.get(key, key): value for key, value in labels.items()}
    row = {"clip": clip, "exercise": "Squat", "labels": found}
    return {**row, "answer_tuned": "", "answer_untuned": ""}


def _problems(path: Path, mapping: ImportMap, graph: Graph) -> list[str]:
    with pytest.raises(InputError) as caught:
        import_labels(path, mapping, graph)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def mapping(graph: Graph) -> ImportMap:
    return load_map(FITNESS_AQA, graph)


def test_a_row_becomes_a_record(tmp_path: Path, mapping: ImportMap, graph: Graph) -> None:
    path = _jsonl(
        tmp_path, _squat("7_2", forward=[0.6, 3.45], inward=None), _squat("7_3", inward=True)
    )
    first, second = import_labels(path, mapping, graph)
    assert (first.clip, first.action, first.subject, first.repetition) == ("7_2", "A16", "7", 2)
    assert first.labelled == ("AK44:ET055", "AK44:ET056")
    (error,) = first.errors
    assert (str(error.occurrence), error.start_s, error.end_s) == ("AK44:ET055", 0.6, 3.45)
    weights = [graph.error_types[error].weight for error in ("ET055", "ET056")]
    assert first.score == round(100 * weights[1] / sum(weights), 2)
    assert first.source == "Fitness-AQA"
    # A label that a row lacks was not looked for.
    assert (second.labelled, second.score) == (("AK44:ET056",), 0.0)


def test_everything_wrong_at_once(tmp_path: Path, mapping: ImportMap, graph: Graph) -> None:
    path = _jsonl(
        tmp_path,
        _squat("1_1", forward=None),
        _squat("1_1", forward=None),
        {**_squat("1_2", forward=None), "exercise": "Squad"},
        _squat("1_3", forward=None, **{"knees forwards error": None}),
        _squat("1_4", forward=None, **{"elbows error": [1, 2]}),
        {**_squat("1_5", forward=None), "fps": 30},
        _squat("1_6", forward=[2.0, 1.0]),
        _squat("1_7", forward="maybe"),
        _squat("noid", forward=None),
        _squat("1_8"),
        {"clip": "1_9", "exercise": "Squat", "labels": None},
    )
    with path.open("a") as stream:
        stream.write('{"clip": "1_')
    text = [message.removeprefix(f"{path}:") for message in _problems(path, mapping, graph)]
    expected = [
        f"2: clip '1_1' is already at {path}:1",
        "3: exercise 'Squad' is not in the map (did you mean Squat?)",
        "4: label 'knees forwards error' is not mapped for A16 (did you mean knees forward error?)",
        "5: label 'elbows error' is not mapped for A16",
        "6: field 'fps' is not mapped",
        "7: 'knees forward error': the interval ends (1.0 s) before it starts (2.0 s)",
        "8: 'knees forward error': expected an interval [start, end] in seconds, yes or no",
        r"9: 'clip': 'noid' does not fit '^(\\d+)_",
        r"9: 'clip': 'noid' does not fit '^\\d+_",
        "10: has none of the labels of A16",
        "11: 'labels': expected an object of labels, found None",
        "12: not valid JSON",
    ]
    assert len(text) == len(expected)
    for message, start in zip(text, expected, strict=True):
        assert message.startswith(start)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        *zip((None, False, [], "", "no", "False", "0"), [None] * 7, strict=True),
        *zip((True, "yes", "TRUE", "1"), [Seen()] * 4, strict=True),
        *zip(([0.72, 2], "0.72-2", "0.72 – 2.0"), [Seen(0.72, 2.0)] * 3, strict=True),
    ],
)
def test_what_a_label_says(value: Any, seen: Seen | None) -> None:
    assert read_label(value) == seen


@pytest.mark.parametrize(
    "value", ["x", 3, [1], [1, 2, 3], ["a", "b"], [-1, 2], [2, 1], [[1, 2], [3, 4]], [True, 2], {}]
)
def test_what_a_label_cannot_say(value: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|ends"):
        read_label(value)


CELLS = """
source: my gym
clip: id
exercise: lift
exercises:
  squat: {action: A16, labels: {forward: 'AK44:ET055', inward: 'AK44:ET056'}}
  press: {action: A01, labels: {elbows: 'AK04:ET013'}}
skill: level
load_kg: kg
views: {front: 'videos/{clip}.mp4'}
"""


def test_csv_cells(tmp_path: Path, graph: Graph) -> None:
    (tmp_path / "map.yaml").write_text(CELLS)
    path = tmp_path / "labels.csv"
    path.write_bytes(
        "\ufeffid,lift,level,kg,forward,inward,elbows\r\n"
        "a,squat,novice,40,0.7-2.2,no,\r\n"
        "b,press,,,,,yes\r\n\r\n".encode()
    )
    first, second = import_labels(path, load_map(tmp_path / "map.yaml", graph), graph)
    assert (first.skill, first.load_kg, first.views) == ("novice", 40, {"front": "videos/a.mp4"})
    assert [(str(e.occurrence), e.start_s, e.end_s) for e in first.errors] == [
        ("AK44:ET055", 0.7, 2.2)
    ]
    assert first.labelled == ("AK44:ET055", "AK44:ET056")
    assert (second.labelled, second.skill, second.subject) == (("AK04:ET013",), None, None)
    assert second.errors[0].start_s is None


def test_csv_start_and_end_columns(tmp_path: Path, graph: Graph) -> None:
    (tmp_path / "map.yaml").write_text(CELLS + "start: '{label} from'\nend: '{label} to'\n")
    path = tmp_path / "labels.csv"
    head = "id,lift,level,kg,forward from,forward to,elbows from,elbows to\n"
    path.write_text(head + "a,squat,,,0.7,2.2,,\nb,squat,,,,,,\nc,press,,,,,1,\n")
    loaded = load_map(tmp_path / "map.yaml", graph)
    assert _problems(path, loaded, graph) == [
        f"{path}:4: 'elbows': expected two numbers of seconds, found '1' and ''"
    ]
    path.write_text(path.read_text().replace("1,\n", "1,2\n"))
    first, second, _ = import_labels(path, loaded, graph)
    assert (first.errors[0].start_s, second.errors) == (0.7, ())
    assert first.labelled == ("AK44:ET055",)


def test_wrong_csv_rows(tmp_path: Path, graph: Graph) -> None:
    (tmp_path / "map.yaml").write_text(CELLS)
    loaded = load_map(tmp_path / "map.yaml", graph)
    path = tmp_path / "labels.csv"
    path.write_text("id,lift,level,kg,forward\na,squat,,\nb,squat,god,x,yes\n")
    text = _problems(path, loaded, graph)
    assert text[0] == f"{path}:2: has 4 cells, the header 5"
    assert [message.split(" ")[1] for message in text[1:]] == ["skill:", "load_kg:"]
    path.write_text("id,id\n")
    assert _problems(path, loaded, graph) == [f"{path}:1: column 'id' is there twice"]
    path.write_text("")
    assert "expected a header row" in _problems(path, loaded, graph)[0]
    path.write_text("id,lift,level,kg\n")
    assert "holds no rows" in _problems(path, loaded, graph)[0]


def test_a_wrong_map_names_its_lines(tmp_path: Path, graph: Graph) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(CELLS.replace("A16", "A61").replace("AK04:ET013", "AK04:ET055"))
    with pytest.raises(InputError) as caught:
        load_map(path, graph)
    first, second = map(str, caught.value.problems)
    assert first.startswith(f"{path}:6: the graph has no action 'A61'")
    assert second.startswith(f"{path}:7: AK04:ET055: not an error of A01")
    for text, expected in (
        ("clips: x\n", "did you mean clip?"),
        ("subject: {field: id, pattern: '('}\n", "pattern"),
        ("subject: {field: id, pattern: 'x'}\n", "expected a group in parentheses"),
        ("start: '{label} from'\n", "start and end go together"),
    ):
        path.write_text(CELLS + text)
        with pytest.raises(InputError, match=expected.replace("?", r"\?")):
            load_map(path, graph)


@pytest.mark.skipif(not LIFTS.exists(), reason="the real lifts are not on this machine")
def test_the_real_lifts(tmp_path: Path, mapping: ImportMap, graph: Graph) -> None:
    records = import_labels(LIFTS, mapping, graph)
    assert len(records) == 299
    seen = [str(item) for record in records for item in record.occurrences]
    assert {text: seen.count(text) for text in set(seen)} == {
        "AK44:ET055": 83,
        "AK44:ET056": 20,
        "AK04:ET015": 75,
        "AK04:ET013": 40,
    }
    assert all(e.start_s is not None for record in records for e in record.errors)
    write_annotations(tmp_path / "annotations.jsonl", records)
    assert load_annotations(tmp_path / "annotations.jsonl", graph) == records
    leaks(split_by_subject(records), records, tmp_path)
