"""Which view shows which error: whole, consistent with the graph, and sensible."""

from pathlib import Path

import pytest
from coach_clips import GRAPH

from coach.visibility import (
    VIEWS,
    VISIBILITY_FILE,
    View,
    load_visibility,
    not_visible,
    view_of,
)
from flex.problems import InputError


def hidden(action: str, view: View | None) -> set[str]:
    return {item.error_type for item in not_visible(GRAPH, action, view)}


def test_every_error_type_has_a_rule_and_no_rule_is_for_nothing() -> None:
    rules = load_visibility()
    for action in GRAPH.actions:
        for error_type in GRAPH.error_types_of(action):
            assert rules.rule(action, error_type), f"{error_type} of {action}"
    named = {error_type for rule in rules.rules for error_type in rule.errors}
    assert named == set(GRAPH.error_types)
    assert {action for rule in rules.rules for action in rule.actions} <= set(GRAPH.actions)
    assert set(rules.views) == set(VIEWS)
    assert all(rule.source.endswith(".") for rule in rules.rules)


def test_only_what_a_film_can_show_has_views() -> None:
    rules = load_visibility()
    for action in GRAPH.actions:
        for error_type in GRAPH.error_types_of(action):
            rule = rules.rule(action, error_type)
            assert rule is not None
            assert bool(rule.views) == ("video" in GRAPH.error_types[error_type].known_from)


def test_knees_need_the_front_and_backs_the_side() -> None:
    assert "ET056" in hidden("A16", "side")
    assert "ET056" not in hidden("A16", "front")
    assert "ET003" in hidden("A16", "front")
    assert "ET003" not in hidden("A16", "side")
    assert hidden("A16", "front_diagonal") == {"ET014", "ET017"}


def test_an_unknown_view_hides_only_what_no_camera_sees() -> None:
    assert hidden("A16", None) == {"ET014", "ET017"}


def test_a_rule_for_one_exercise_wins() -> None:
    assert "ET027" in hidden("A04", "front")
    assert "ET027" in hidden("A06", "side")
    assert "ET027" not in hidden("A06", "front")


def test_flex_cameras_have_views() -> None:
    assert [view_of(f"View-{n}") for n in (1, 3, 5, 6)] == [
        "front_diagonal",
        "rear_diagonal",
        "front",
        None,
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    needs: a level camera", "    neds: a level camera", r":\d+.*did you mean needs"),
        ("views: [front, rear,", "views: [frontal, rear,", r":\d+.*frontal"),
        ("errors: [ET014, ET017]", "errors: [ET014, ET017, ET056]", "ET056 is in"),
    ],
)
def test_a_wrong_rule_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "visibility.yaml"
    text = VISIBILITY_FILE.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_visibility(path)
