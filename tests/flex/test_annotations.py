import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from flex.annotations import load_annotations, read_annotations, write_annotations
from flex.graph import Graph
from flex.problems import InputError, Problem

FIGURE_11 = ["AK01:ET001", "AK02:ET006", "AK04:ET005", "AK04:ET008", "AK05:ET018", "AK05:ET003"]


def _errors(*texts: str) -> list[dict[str, Any]]:
    return [dict(zip(("key_step", "error_type"), text.split(":"), strict=True)) for text in texts]


def _write(path: Path, *rows: dict[str, Any]) -> Path:
    file = path / "annotations.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def _messages(path: Path, graph: Graph) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_annotations(path, graph)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_record_gets_the_score_of_its_errors(tmp_path: Path, graph: Graph) -> None:
    row = {"clip": "A01/001", "action": "A01", "errors": _errors(*FIGURE_11)}
    (record,) = load_annotations(_write(tmp_path, row), graph)
    assert record.score == 77.02


def test_a_partial_label_is_scored_on_its_part(tmp_path: Path, graph: Graph) -> None:
    row = {
        "clip": "x",
        "action": "A16",
        "labelled": ["AK44:ET055", "AK44:ET056"],
        "errors": _errors("AK44:ET055"),
    }
    (record,) = load_annotations(_write(tmp_path, row), graph)
    weights = [graph.error_types[error].weight for error in ("ET055", "ET056")]
    assert record.score == round(100 * weights[1] / sum(weights), 2)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_byte_order_mark_and_line_ends(tmp_path: Path, graph: Graph, line_end: str) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"clip": f"A02/00{i}", "action": "A02"}) for i in (1, 2)]
    path.write_bytes(("\ufeff" + line_end.join(lines) + line_end).encode())
    assert [record.clip for record in load_annotations(path, graph)] == ["A02/001", "A02/002"]


def test_all_problems_are_named_at_once(tmp_path: Path, graph: Graph) -> None:
    path = _write(
        tmp_path,
        {"clip": "A01/001", "action": "A01", "skil": "expert"},
        {"clip": "A01/002", "action": "A21"},
        {"clip": "A01/003", "action": "A01", "errors": _errors("AK99:ET001", "AK01:ET099")},
        {"clip": "A01/004", "action": "A01", "errors": _errors("AK44:ET055")},
        {"clip": "A01/005", "action": "A01"},
        {"clip": "A01/005", "action": "A01"},
        {"clip": "A01/006", "action": "A01", "errors": _errors(*FIGURE_11), "score": 68.38},
        {"clip": "A01/007", "action": "A01", "errors": _errors("AK01:ET001", "AK01:ET001")},
        {"action": "A01"},
    )
    with path.open("a") as stream:
        stream.write('[1]\n{"clip": "A01/0')
    text = _messages(path, graph)
    lines = [message.split(":")[1] for message in text]
    assert lines == ["1", "2", "3", "3", "4", "6", "7", "8", "9", "10", "11"]
    for message, expected in zip(
        text,
        (
            "unknown key 'skil' (did you mean skill?)",
            "action: the graph has no action 'A21'",
            "no key step 'AK99'",
            "no error type 'ET099'",
            "AK44:ET055: not an error of A01",
            "clip 'A01/005' is already on line 5",
            "score: 68.38 is stated, the errors give 77.02 (penalty 37 of 161)",
            "AK01:ET001 is given twice",
            "'clip' is missing",
            "expected a JSON object, found list",
            "the file ends in the middle of this line",
        ),
        strict=True,
    ):
        assert expected in message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"action": "Squat"}, "its id is A16"),
        ({"labelled": []}, "labelled: is empty"),
        ({"labelled": ["AK01:ET099"]}, "no error type 'ET099'"),
        ({"labelled": ["AK04:ET013", "AK04:ET013"]}, "AK04:ET013 is given twice"),
        (
            {"labelled": ["AK04:ET013"], "errors": _errors("AK04:ET015")},
            "AK04:ET015 is outside what was labelled (AK04:ET013)",
        ),
        ({"score_total": 3, "errors": _errors(*FIGURE_11)}, "score_total: 3 is less than"),
        ({"score": 99.98}, "score: 99.98 is stated, the errors give 100.0"),
        ({"semg": {"sample_rate_hz": 2000, "channels": ["a", "a"]}}, "'a' is given twice"),
        (
            {"duration_s": 2, "errors": [{**_errors("AK04:ET015")[0], "start_s": 1, "end_s": 3}]},
            "errors[0].end_s: 3.0 s is past the end of the clip, 2.0 s",
        ),
        (
            {"errors": [{**_errors("AK04:ET015")[0], "start_s": 2, "end_s": 1}]},
            "ends (1.0 s) before it starts (2.0 s)",
        ),
    ],
)
def test_each_rule(tmp_path: Path, graph: Graph, fields: dict[str, Any], expected: str) -> None:
    (message,) = _messages(_write(tmp_path, {"clip": "c", "action": "A01", **fields}), graph)
    assert expected in message


def test_phases_follow_the_actions_own_order(tmp_path: Path, graph: Graph) -> None:
    def spans(*names: str, overlap: float = 0) -> dict[str, Any]:
        return {
            "phases": [
                {"phase": name, "start_s": i, "end_s": i + 1 + overlap}
                for i, name in enumerate(names)
            ]
        }

    lifted_first = spans("preparation", "concentric", "eccentric")
    good = {"clip": "a", "action": "A01", **lifted_first}
    squat = {"clip": "b", "action": "A16", **lifted_first}
    overlapping = {"clip": "c", "action": "A01", **spans("preparation", "concentric", overlap=0.5)}
    text = _messages(_write(tmp_path, good, squat, overlapping), graph)
    assert len(text) == 2
    assert "A16 goes preparation, eccentric, concentric" in text[0]
    assert "concentric starts at 1.0 s, before preparation ends at 1.5 s" in text[1]


def test_a_rounded_score_and_a_stated_total_agree(tmp_path: Path, graph: Graph) -> None:
    squat = _errors("AK44:ET055")
    weight = graph.error_types["ET055"].weight
    rows = [
        {"clip": "a", "action": "A01", "errors": _errors(*FIGURE_11), "score": 77.0186},
        {
            "clip": "b",
            "action": "A16",
            "errors": squat,
            "score_total": 134,
            "score": 100 * (1 - weight / 134),
        },
    ]
    assert len(load_annotations(_write(tmp_path, *rows), graph)) == 2


def test_problems_can_be_taken_one_by_one(tmp_path: Path, graph: Graph) -> None:
    path = _write(tmp_path, {"clip": "a", "action": "A01"}, {"clip": "b", "action": "X"})
    problems: list[Problem] = []
    records = list(read_annotations(path, graph, on_problem=problems.append))
    assert [record.clip for record in records] == ["a"]
    assert [problem.place for problem in problems] == [f"{path}:2"]


def test_a_missing_file_is_named(tmp_path: Path, graph: Graph) -> None:
    assert "nothing.jsonl: cannot be read" in _messages(tmp_path / "nothing.jsonl", graph)[0]


def test_written_records_read_the_same_and_are_not_lost(tmp_path: Path, graph: Graph) -> None:
    path = _write(tmp_path, {"clip": "A01/001", "action": "A01", "errors": _errors(*FIGURE_11)})
    records = load_annotations(path, graph)
    target = tmp_path / "out" / "annotations.jsonl"
    write_annotations(target, records)
    write_annotations(target, records)
    assert load_annotations(target, graph) == records
    with pytest.raises(InputError, match="other records"):
        write_annotations(target, [])
    write_annotations(target, [], overwrite=True)
    assert target.read_text() == ""


def _full_size(path: Path, graph: Graph, count: int) -> Path:
    with path.open("w") as stream:
        for number in range(count):
            action = f"A{number % 20 + 1:02d}"
            errors = [o._asdict() for o in graph.occurrences(action)[: number % 9]]
            row = {"clip": f"{action}/{number:05d}", "action": action, "subject": "P01"}
            stream.write(json.dumps({**row, "errors": errors, "load_kg": 40}) + "\n")
    return path


def test_the_full_data_set_is_read(tmp_path: Path, graph: Graph) -> None:
    path = _full_size(tmp_path / "a.jsonl", graph, 7512)
    assert sum(1 for _ in read_annotations(path, graph)) == 7512


def test_memory_does_not_grow_with_the_records(tmp_path: Path, graph: Graph) -> None:
    def peak(count: int) -> int:
        path = _full_size(tmp_path / f"{count}.jsonl", graph, count)
        tracemalloc.start()
        for _ in read_annotations(path, graph):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    # Only the ids are kept, to find the ones that come twice.
    assert (peak(4000) - peak(400)) / 3600 < 400
