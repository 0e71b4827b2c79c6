"""The whole data set (7,512 clips) has the figures that the paper states, and the model's shape."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from flex.annotation_checks import record_problems
from flex.graph import Graph, Occurrence
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.sample import Annotation
from flex.scoring import denominator, penalty
from sim.clips import simulate
from sim.labels import draw_errors
from sim.settings import Settings, load_settings
from sim.study import Study
from sim.subjects import recruit
from sim.summary import spread_of

GRAPH = load_graph()
SETTINGS = load_settings()
STUDY = Study(GRAPH, SETTINGS, seed=0)
GraphOf = Callable[..., Graph]


def mean_score(records: list[Annotation], wanted: Callable[[Annotation], bool]) -> float:
    return float(np.mean([record.score for record in records if wanted(record)]))


def test_counts_are_those_of_flex(whole: list[Annotation]) -> None:
    assert len(whole) == 7512
    assert all(370 <= count <= 380 for count in Counter(r.action for r in whole).values())
    assert {record.action for record in whole} == set(GRAPH.actions)
    people = {record.subject: record.skill for record in whole}
    assert Counter(people.values()) == {"expert": 10, "amateur": 8, "novice": 20}
    assert {"P10", "A10", "N20"} <= set(people)
    assert not {"A06", "A09", "N21"} & set(people)
    trials = {(r.subject, r.action, r.repetition) for r in whole}
    assert len(trials) == 7512
    assert {r.repetition for r in whole} == set(range(1, 11))


def test_clips_are_numbered_without_a_gap_in_every_action(whole: list[Annotation]) -> None:
    for action in GRAPH.actions:
        numbers = [r.clip.removeprefix(f"{action}/") for r in whole if r.action == action]
        assert numbers == [f"{number:03d}" for number in range(1, len(numbers) + 1)]


def test_scores_are_spread_as_in_flex(whole: list[Annotation]) -> None:
    spread = spread_of(record.score or 0.0 for record in whole)
    assert abs(spread.mean - 68.15) < 0.5
    assert 9 < spread.sd < 13
    assert abs(spread.skew) < 0.4
    assert abs(spread.excess_kurtosis) < 0.5
    assert 15 <= spread.low <= 32
    assert 97 <= spread.high <= 100


def test_histogram_of_scores_is_near_a_normal_one(whole: list[Annotation]) -> None:
    scores = np.array([record.score for record in whole])
    standard = np.sort((scores - scores.mean()) / scores.std())
    rng = np.random.default_rng(0)
    reference = np.sort(rng.normal(size=1_000_000))
    ours = np.arange(1, len(standard) + 1) / len(standard)
    theirs = np.searchsorted(reference, standard) / len(reference)
    assert np.abs(ours - theirs).max() < 0.04


def test_the_mean_is_met_with_another_seed() -> None:
    scores = [record.score or 0.0 for record in simulate(Study(GRAPH, SETTINGS, seed=1))]
    assert abs(float(np.mean(scores)) - 68.15) < 0.5


def test_each_action_has_about_its_released_range(whole: list[Annotation]) -> None:
    off = []
    for action, (low, high) in SETTINGS.score.released_ranges.items():
        scores = [r.score or 0.0 for r in whole if r.action == action]
        assert abs(float(np.mean(scores)) - SETTINGS.score.mean_of(action)) < 1.5
        assert 40 < max(scores) - min(scores) < 78
        off += [abs(min(scores) - low), abs(max(scores) - high)]
    assert np.mean(off) < 8


def test_experts_score_above_amateurs_above_novices(whole: list[Annotation]) -> None:
    expert, amateur, novice = (
        mean_score(whole, lambda record, skill=skill: record.skill == skill)  # type: ignore[misc]
        for skill in ("expert", "amateur", "novice")
    )
    assert expert - amateur > 4
    assert amateur - novice > 2.5


def test_tiring_costs_points(whole: list[Annotation]) -> None:
    fresh = mean_score(whole, lambda record: record.repetition in (1, 2))
    tired = mean_score(whole, lambda record: record.repetition in (9, 10))
    assert 2 < fresh - tired < 8


def test_people_repeat_their_errors() -> None:
    shown = draw_errors(STUDY, recruit(STUDY), "A01")
    again = shown[:, 1:][shown[:, :-1]].mean()
    other_person = np.roll(shown, 1, axis=0)[:, 1:][shown[:, :-1]].mean()
    assert again > other_person + 0.15


def test_harmless_errors_are_commoner_than_dangerous_ones(whole: list[Annotation]) -> None:
    seen = Counter(label.error_type for record in whole for label in record.errors)
    possible = Counter(o.error_type for r in whole for o in GRAPH.occurrences(r.action))
    share = {error: seen[error] / possible[error] for error in possible}
    rate = {
        name: np.mean([share[error] for error in kind.errors])
        for name, kind in SETTINGS.errors.kinds.items()
        if kind.errors
    }
    assert rate["breathing"] > rate["set_up"] > rate["posture"] > rate["joint_danger"]
    assert rate["haste"] > rate["set_up"]
    assert min(share.values()) > 0.05


def test_every_record_is_valid_and_scored_by_equation_1(whole: list[Annotation]) -> None:
    for record in whole:
        assert not list(record_problems(record, GRAPH))
        lost = penalty(GRAPH, record.occurrences) / denominator(GRAPH, record.action)
        assert record.score == pytest.approx(100 * (1 - lost), abs=0.005)
        assert record.source == "simulated"
        assert set(record.occurrences) <= set(GRAPH.occurrences(record.action))


def test_every_error_type_of_flex_has_a_kind() -> None:
    listed = {error for kind in SETTINGS.errors.kinds.values() for error in kind.errors}
    assert listed == set(GRAPH.error_types)


def test_same_seed_same_records_other_seed_others() -> None:
    first, again, other = (list(simulate(Study(GRAPH, SETTINGS, seed), 5)) for seed in (0, 0, 1))
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_one_action_can_be_drawn_alone(whole: list[Annotation]) -> None:
    record = next(r for r in whole if r.action == "A16" and r.subject == "N03")
    subjects = recruit(Study(GRAPH, SETTINGS, seed=0))
    person = [subject.id for subject in subjects].index("N03")
    shown = draw_errors(STUDY, subjects, "A16")[person, (record.repetition or 0) - 1]
    pairs = zip(GRAPH.occurrences("A16"), shown, strict=True)
    assert record.occurrences == tuple(item for item, seen in pairs if seen)


def test_another_total_is_calibrated_for_too(graph_of: GraphOf) -> None:
    graph = graph_of(A16=GRAPH.actions["A16"].model_copy(update={"score_total": 160}))
    shown = draw_errors(Study(graph, SETTINGS, 0), recruit(STUDY), "A16")
    weights = [graph.weight(item) for item in graph.occurrences("A16")]
    mean = 100 * (1 - (shown @ weights).mean() / 160)
    assert abs(mean - SETTINGS.score.mean_of("A16")) < 1.5


def test_a_mean_that_no_errors_can_give_is_refused(graph_of: GraphOf) -> None:
    graph = graph_of(A16=GRAPH.actions["A16"].model_copy(update={"score_total": 100_000}))
    with pytest.raises(InputError, match=r"A16: the mean score of .* cannot be met"):
        draw_errors(Study(graph, SETTINGS, 0), recruit(STUDY), "A16")


def test_unknown_exercises_and_errors_get_the_usual_numbers(graph_of: GraphOf) -> None:
    graph = graph_of(X1=GRAPH.actions["A16"].model_copy(update={"id": "X1"}))
    kinds = {**SETTINGS.errors.kinds}
    kinds["joint_danger"] = kinds["joint_danger"].model_copy(update={"errors": ()})
    errors = SETTINGS.errors.model_copy(update={"kinds": kinds})
    settings: Settings = SETTINGS.model_copy(update={"errors": errors})
    records = list(simulate(Study(graph, settings, 0), 40))
    assert len(records) == 40
    assert all(record.clip.startswith("X1/") and record.load_kg is None for record in records)
    assert any(Occurrence("AK44", "ET055") in record.occurrences for record in records)
