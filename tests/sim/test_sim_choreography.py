"""The data of poses and errors: complete, known to the graph, and read strictly."""

from pathlib import Path

import numpy as np
import pytest

from flex.graph_file import load_graph
from flex.problems import InputError
from flex.sample import Annotation, ErrorLabel
from sim.choreography import ERRORS_FILE, POSES_FILE, load_choreography
from sim.clips import simulate
from sim.lift import Stage, frame_times, lift
from sim.profiles import minimum_jerk, weight
from sim.settings import load_settings
from sim.study import Study

GRAPH = load_graph()
CHOREOGRAPHY = load_choreography()
STAGE = Stage(Study(GRAPH, load_settings(), seed=0), CHOREOGRAPHY)


def of_action(action: str, clips: int = 60) -> Annotation:
    return next(r for r in simulate(STAGE.study, clips) if r.action == action)


def test_every_action_and_every_occurrence_has_its_data() -> None:
    assert set(CHOREOGRAPHY.poses.actions) == set(GRAPH.actions)
    assert set(CHOREOGRAPHY.errors.errors) == set(GRAPH.error_types)
    for action in GRAPH.actions:
        assert CHOREOGRAPHY.poses.actions[action].setup.equipment == GRAPH.action(action).equipment
        for item in GRAPH.occurrences(action):
            effect = CHOREOGRAPHY.errors.effect(action, *item)
            assert effect is not None
            assert bool(effect.options) == (effect.seen_in in ("pose", "video")), item


def test_exceptions_name_what_the_graph_has() -> None:
    for error_type, entry in CHOREOGRAPHY.errors.errors.items():
        for place in entry.at:
            action, _, step = place.rpartition(":")
            places = {(a, o.key_step) for a in GRAPH.actions for o in GRAPH.occurrences(a)
                      if o.error_type == error_type}  # fmt: skip
            known = (
                {a for a, _ in places} | {s for _, s in places} | {f"{a}:{s}" for a, s in places}
            )
            assert place in known, f"{error_type} is never at {place} ({action}, {step})"


def test_breathing_leaves_the_body_alone_and_the_most_exact_place_wins() -> None:
    errors = CHOREOGRAPHY.errors
    assert errors.effect("A01", "AK04", "ET014").seen_in == "breath"  # type: ignore[union-attr]
    general = errors.effect("A02", "AK07", "ET008")
    special = errors.effect("A13", "AK34", "ET008")
    assert general is not None
    assert special is not None
    assert general.options != special.options
    assert errors.effect("A01", "AK04", "ET999") is None


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("poses", "end: {shin: 27", "end: {shn: 27", "no such parameter: shn"),
        ("errors", "{knees_in: 0.42}", "{knee_in: 0.62}", "no such parameter: knee_in"),
        ("errors", "when: rock", "when: rocking", "when"),
        ("poses", "arms: back", "arms: behind", "arms"),
    ],
)
def test_a_wrong_word_in_the_data_is_named(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    files = {"poses": POSES_FILE, "errors": ERRORS_FILE}
    changed = tmp_path / f"{file}.yaml"
    text = files[file].read_text()
    assert old in text
    changed.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_choreography(**{file: changed})


def test_an_action_without_poses_is_named() -> None:
    strange = of_action("A01").model_copy(update={"action": "A99"})
    with pytest.raises(InputError, match="no poses for A99"):
        lift(STAGE, STAGE.subject(strange), strange, np.zeros(1))


def test_the_same_seed_gives_the_same_motion_and_another_person_another() -> None:
    record = of_action("A16")
    times_s = frame_times(record)
    once, again = (lift(STAGE, STAGE.subject(record), record, times_s) for _ in range(2))
    assert np.array_equal(once.joints, again.joints)
    fresh = Stage(Study(GRAPH, load_settings(), seed=1), CHOREOGRAPHY)
    other = lift(fresh, fresh.subject(record), record, times_s)
    assert np.abs(once.joints - other.joints).max() > 0.01


def test_another_error_does_not_change_how_an_error_is_made() -> None:
    record = of_action("A16")
    knees = ErrorLabel(key_step="AK44", error_type="ET056")
    grip = ErrorLabel(key_step="AK43", error_type="ET006")
    times_s = frame_times(record)
    alone, both = (
        lift(STAGE, STAGE.subject(record), record.model_copy(update={"errors": e}), times_s)
        for e in ((knees,), (grip, knees))
    )
    assert np.allclose(alone.joints, both.joints)
    assert not alone.thumbs.any()
    assert both.thumbs.all()


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    way = minimum_jerk(np.array([-1, 0, 0.5, 1, 2]))
    assert way.tolist() == [0, 0, 0.5, 1, 1]
    assert minimum_jerk(np.array([1e-3]))[0] < 1e-7


def test_errors_show_in_their_phase() -> None:
    times_s = np.linspace(0, 3, 301)
    inside = (times_s > 1.2) & (times_s < 1.8)
    for when in ("hold", "bump", "rock", "wave", "early"):
        share = np.abs(weight(when, times_s, (1.0, 2.0), 3.0))
        assert share[inside].max() > 0.95, when
        assert share[times_s < 0.8].max() < 1e-9, when
        assert share[times_s > 2.2].max() < 1e-9, when
    end = weight("end", times_s, (1.0, 2.0), 3.0)
    assert end[200] == pytest.approx(1)
    assert end[times_s >= 2.6].max() == pytest.approx(0, abs=1e-9)
    assert weight("set", times_s, (1.0, 2.0), 3.0).min() == 1
    held_to_the_end = weight("hold", times_s, (2.0, 3.0), 3.0)
    assert held_to_the_end[-1] == 1
