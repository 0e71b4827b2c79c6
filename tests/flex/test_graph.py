"""The graph is the paper's: ids, relations, weights and totals; the wording is complete."""

import json
from pathlib import Path
from typing import Any

import pytest

from flex.graph import Graph, Occurrence
from flex.graph_file import load_graph
from flex.problems import InputError

STRUCTURE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "structure.json").read_text()
)
TOTALS = [
    *(161, 151, 125, 105, 133, 106, 83, 131, 131, 131),
    *(147, 147, 147, 139, 167, 132, 157, 157, 174, 176),
]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load_graph()


def test_structure_is_that_of_tables_4_and_5(graph: Graph) -> None:
    actions = {
        a.id: {"phases": list(a.phases), "key_steps": list(a.key_steps)}
        for a in graph.actions.values()
    }
    steps = {s.id: {"phase": s.phase, "errors": list(s.errors)} for s in graph.key_steps.values()}
    weights = {e.id: e.weight for e in graph.error_types.values()}
    assert actions == STRUCTURE["actions"]
    assert steps == STRUCTURE["key_steps"]
    assert weights == STRUCTURE["weights"]
    assert list(actions) == [f"A{n:02d}" for n in range(1, 21)]


def test_counts(graph: Graph) -> None:
    assert (len(graph.actions), len(graph.key_steps), len(graph.error_types)) == (20, 56, 63)
    assert sum(len(s.errors) for s in graph.key_steps.values()) == 278
    assert sum(len(a.key_steps) for a in graph.actions.values()) == 87
    assert sum(len(graph.occurrences(a)) for a in graph.actions) == 416


def test_totals(graph: Graph) -> None:
    assert [graph.total(action) for action in graph.actions] == TOTALS


def test_lowering_comes_first_where_the_lift_begins_high(graph: Graph) -> None:
    first = {a.id for a in graph.actions.values() if a.phases[1] == "eccentric"}
    assert first == {"A08", "A09", "A10", "A13", "A16"}


def test_breathing_errors_follow_the_phase(graph: Graph) -> None:
    for step in graph.key_steps.values():
        assert ("ET014" in step.errors) == (step.phase == "concentric")
        assert ("ET017" in step.errors) == (step.phase == "eccentric")
    assert graph.error_types["ET014"].known_from == ("breathing",)


def test_eighteen_muscles_are_recorded(graph: Graph) -> None:
    muscles = {m for a in graph.actions.values() for m in a.recorded_muscles}
    assert len(muscles) == 18
    assert {a.id for a in graph.actions.values() if len(a.recorded_muscles) == 2} == {
        *("A07", "A17", "A18", "A19")
    }


def test_every_occurrence_has_a_correction_and_shared_errors_a_special_one(graph: Graph) -> None:
    for action in graph.actions:
        for occurrence in graph.occurrences(action):
            assert all(text.endswith(".") for text in graph.corrections(occurrence))
    stance = [graph.corrections(Occurrence(step, "ET001")) for step in ("AK01", "AK21")]
    assert stance[0] != stance[1]
    grips = {graph.corrections(Occurrence(s, "ET006")) for s in ("AK02", "AK13", "AK16", "AK30")}
    assert len(grips) == 4


@pytest.mark.parametrize("name", ["A16", "squat", "Squat", " back squat "])
def test_an_action_is_found_by_id_or_name(graph: Graph, name: str) -> None:
    assert graph.action(name).id == "A16"


def test_an_unknown_action_names_the_nearest(graph: Graph) -> None:
    with pytest.raises(InputError, match=r"'Sqat' \(did you mean Squat\?\)"):
        graph.action("Sqat")


def test_errors_come_in_phase_order_once_each(graph: Graph) -> None:
    given = [Occurrence.parse(t) for t in ("AK45:ET014", "AK44:ET056", "AK44:ET056", "AK56:ET061")]
    ordered = graph.in_order("A16", given)
    assert [str(o) for o in ordered] == ["AK56:ET061", "AK44:ET056", "AK45:ET014"]


def test_foreign_errors_are_all_named(graph: Graph) -> None:
    given = [Occurrence("AK44", "ET001"), Occurrence("AK01", "ET001"), Occurrence("AK44", "ET056")]
    with pytest.raises(InputError) as caught:
        graph.in_order("A16", given)
    assert [problem.place for problem in caught.value.problems] == ["AK01:ET001", "AK44:ET001"]
    assert "AK56, AK43, AK44, AK45" in str(caught.value)


@pytest.mark.parametrize("text", ["AK01", "AK01:", ":ET001", "AK01:ET001:x", ""])
def test_a_malformed_occurrence_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected KEYSTEP:ERRORTYPE"):
        Occurrence.parse(text)


def test_the_version_follows_the_content(graph: Graph) -> None:
    content = graph.model_dump()
    assert Graph.model_validate(content).version == graph.version
    content["error_types"]["ET001"]["weight"] = 7
    assert Graph.model_validate(content).version != graph.version
