"""Eq. 1 counts occurrences; Figure 11 is the golden case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flex.graph import Occurrence
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.scoring import denominator, penalty, score

GRAPH = load_graph()
FIGURE_11 = [
    Occurrence("AK01", "ET001"),
    Occurrence("AK02", "ET006"),
    Occurrence("AK04", "ET005"),
    Occurrence("AK04", "ET008"),
    Occurrence("AK05", "ET018"),
    Occurrence("AK05", "ET003"),
]


def test_figure_11() -> None:
    assert penalty(GRAPH, FIGURE_11) == 37
    assert denominator(GRAPH, "A01") == 161
    assert score(GRAPH, "A01", FIGURE_11) == 77.02


def test_each_occurrence_counts_and_not_each_type() -> None:
    assert sum(GRAPH.error_types[e].weight for e in GRAPH.error_types_of("A01")) == 117
    twice = [Occurrence.parse("AK01:ET003"), Occurrence.parse("AK04:ET003")]
    assert score(GRAPH, "A01", twice) == round(100 * (1 - 18 / 161), 2)


def test_no_error_and_every_error() -> None:
    for action in GRAPH.actions:
        assert score(GRAPH, action, []) == 100
        assert score(GRAPH, action, GRAPH.occurrences(action)) == 0


def test_a_data_set_may_state_its_own_total() -> None:
    one = [Occurrence.parse("AK44:ET056")]
    assert score(GRAPH, "A16", one, total=134) == round(100 * (1 - 10 / 134), 2)


def test_a_scope_gives_the_score_of_the_labelled_part() -> None:
    scope = [Occurrence.parse("AK44:ET055"), Occurrence.parse("AK44:ET056")]
    assert score(GRAPH, "A16", scope[:1], scope=scope) == 50


def test_errors_that_the_action_does_not_have_are_refused() -> None:
    with pytest.raises(InputError, match="AK01:ET001: not an error of A16"):
        score(GRAPH, "A16", [Occurrence.parse("AK01:ET001")])


def test_an_error_outside_the_scope_is_refused() -> None:
    scope = [Occurrence.parse("AK44:ET055")]
    with pytest.raises(InputError, match="outside the scope"):
        score(GRAPH, "A16", [Occurrence.parse("AK44:ET056")], scope=scope)


def test_a_penalty_above_a_stated_total_is_refused() -> None:
    with pytest.raises(InputError, match="more than the stated total"):
        score(GRAPH, "A01", FIGURE_11, total=30)


@given(st.data())
def test_more_errors_never_score_more(data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(sorted(GRAPH.actions)))
    everything = GRAPH.occurrences(action)
    errors = data.draw(st.lists(st.sampled_from(everything), unique=True))
    fewer = errors[: len(errors) // 2]
    assert 0 <= score(GRAPH, action, errors) <= score(GRAPH, action, fewer) <= 100
    assert score(GRAPH, action, reversed(errors)) == score(GRAPH, action, [*errors, *errors])
