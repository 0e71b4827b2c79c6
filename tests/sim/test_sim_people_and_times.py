"""Loads, durations and phases are plausible and follow the person and the errors."""

import itertools
from collections.abc import Callable

import numpy as np

from flex.graph import Graph
from flex.graph_file import load_graph
from flex.sample import Annotation
from sim.clips import simulate
from sim.settings import load_settings
from sim.study import Study
from sim.subjects import max_load_kg, recruit, working_load_kg

GRAPH = load_graph()
SETTINGS = load_settings()
STUDY = Study(GRAPH, SETTINGS, seed=0)


def test_loads_are_80_percent_of_the_maximum_as_plates_allow() -> None:
    for subject, action in itertools.product(recruit(STUDY), GRAPH.actions):
        maximum_kg = max_load_kg(STUDY, subject, action)
        load_kg = working_load_kg(STUDY, subject, action)
        assert maximum_kg is not None
        assert load_kg is not None
        gear = SETTINGS.loads.equipment[SETTINGS.loads.maximum_kg[action].equipment]
        assert load_kg >= gear.lightest_kg
        assert (load_kg - gear.lightest_kg) % gear.step_kg == 0
        if load_kg > gear.lightest_kg:
            assert abs(load_kg - 0.8 * maximum_kg) <= gear.step_kg / 2


def test_ten_actions_use_a_bar_of_20_kg_and_ten_dumbbells() -> None:
    names = [maximum.equipment for maximum in SETTINGS.loads.maximum_kg.values()]
    assert (names.count("barbell"), names.count("dumbbell")) == (10, 10)
    assert SETTINGS.loads.equipment["barbell"].lightest_kg == 20


def test_a_set_keeps_its_load_and_experts_lift_more(whole: list[Annotation]) -> None:
    loads: dict[tuple[str | None, str], set[float | None]] = {}
    for record in whole:
        loads.setdefault((record.subject, record.action), set()).add(record.load_kg)
    assert all(len(found) == 1 for found in loads.values())
    for action in GRAPH.actions:
        by_skill = {
            skill: np.mean(
                [r.load_kg or 0 for r in whole if (r.action, r.skill) == (action, skill)]
            )
            for skill in ("expert", "amateur", "novice")
        }
        assert by_skill["expert"] > by_skill["amateur"] > by_skill["novice"]


def test_durations_are_those_of_flex(whole: list[Annotation]) -> None:
    frames = np.array([(r.duration_s or 0) * 120 for r in whole])
    assert abs(frames.mean() - 233.76) < 3
    assert np.rint(frames).min() >= 100
    assert np.rint(frames).max() <= 1000
    assert np.rint(frames).max() > 600


def test_people_keep_their_tempo(whole: list[Annotation]) -> None:
    by_person: dict[str | None, list[float]] = {}
    for record in whole:
        by_person.setdefault(record.subject, []).append(np.log(record.duration_s or 1))
    means = [float(np.mean(logs)) for logs in by_person.values()]
    within = np.mean([np.std(logs) for logs in by_person.values()])
    assert np.std(means) > 0.4 * within


def test_phases_fill_the_clip_in_the_actions_own_order(whole: list[Annotation]) -> None:
    for record in whole:
        spans = record.phases
        assert tuple(span.phase for span in spans) == GRAPH.actions[record.action].phases
        assert spans[0].start_s == 0
        assert spans[-1].end_s == record.duration_s
        assert all(a.end_s == b.start_s for a, b in itertools.pairwise(spans))
        assert all(span.end_s > span.start_s for span in spans)
    assert GRAPH.actions["A16"].phases == ("preparation", "eccentric", "concentric")


def test_lowering_too_quickly_shortens_the_lowering(whole: list[Annotation]) -> None:
    shares: dict[bool, list[float]] = {True: [], False: []}
    for record in whole:
        if "ET018" in {o.error_type for o in GRAPH.occurrences(record.action)}:
            lowering = next(span for span in record.phases if span.phase == "eccentric")
            hasty = any(label.error_type == "ET018" for label in record.errors)
            length_s = lowering.end_s - lowering.start_s
            shares[hasty].append(length_s / (record.duration_s or 1))
    assert np.mean(shares[True]) < np.mean(shares[False]) - 0.08


def test_rates_are_stated(whole: list[Annotation]) -> None:
    assert {record.frame_rate_hz for record in whole} == {120}


def test_channels_are_named_in_the_released_column_order(whole: list[Annotation]) -> None:
    semg = {record.action: record.semg for record in whole}
    counts = {action: len(found.channels) for action, found in semg.items() if found}
    assert counts == {a: 2 if a in {"A07", "A17", "A18", "A19"} else 4 for a in GRAPH.actions}
    upright_row, bench = semg["A03"], semg["A08"]
    assert upright_row is not None
    assert bench is not None
    assert upright_row.sample_rate_hz == 2000
    assert upright_row.channels == (
        "left anterior deltoid",
        "left medial deltoid",
        "right anterior deltoid",
        "right medial deltoid",
    )
    assert len(set(bench.channels)) == 4


def test_no_semg_where_the_graph_names_no_muscle(graph_of: Callable[..., Graph]) -> None:
    graph = graph_of(A16=GRAPH.actions["A16"].model_copy(update={"recorded_muscles": ()}))
    assert all(record.semg is None for record in simulate(Study(graph, SETTINGS, 0), 3))
