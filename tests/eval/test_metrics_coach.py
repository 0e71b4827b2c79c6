"""Coach metrics on hand-worked answers and on what real models said of real lifts."""

from pathlib import Path

import numpy as np
import pytest

from eval.answers import Answer, Truth, by_mode, read_answers, write_answers
from eval.baselines import baselines, best_share, shuffled
from eval.bootstrap import compare, interval
from eval.coach_metrics import (
    action_accuracy,
    counts,
    error_statistics,
    judge,
    overlap,
    per_type,
    verdict_statistics,
)
from eval.lifts import read_lifts
from eval.numbers import graph_scores, r_l2, scale_of
from eval.readers import MatcherReader
from eval.recognise import recognised_action
from eval.score_parse import parse_score
from eval.statistics import Statistic, mean_of
from flex.graph import Graph, Occurrence
from flex.graph_file import load_graph
from flex.import_map import load_map
from flex.problems import InputError
from flex.sample import Annotation, ErrorLabel

ROOT = Path(__file__).parents[2]
LIFTS = Path(__file__).parent / "data" / "lifts_excerpt.jsonl"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return load_graph()


@pytest.fixture(scope="module")
def lifts(graph: Graph) -> dict[str, list[Answer]]:
    mapping = load_map(ROOT / "configs" / "import" / "fitness-aqa.yaml", graph)
    return by_mode(read_lifts(LIFTS, mapping, graph))


def answer(text: str, stage: str = "evaluate", **truth: object) -> Answer:
    row = {"clip": "c", "action": "A01", "subject": "P1", "mode": "m", "stage": stage}
    return Answer.model_validate({**row, "answer": text, "truth": truth})


def test_the_untuned_model_calls_faulty_lifts_correct(
    graph: Graph, lifts: dict[str, list[Answer]]
) -> None:
    called = {
        mode: verdict_statistics(judge(graph, answers))[0].value for mode, answers in lifts.items()
    }
    assert called["untuned"] >= 0.85
    assert called["tuned"] <= 0.2


def test_modes_that_name_different_types_are_compared(
    graph: Graph, lifts: dict[str, list[Answer]]
) -> None:
    def macro(mode: str) -> Statistic:
        found = error_statistics(graph, judge(graph, lifts[mode]))
        return next(one for one in found if one.name == "errors/macro/f1")

    tuned, untuned = macro("tuned"), macro("untuned")
    difference = compare(tuned, untuned)
    assert difference.value == pytest.approx(tuned.value - untuned.value)
    assert difference.value > 0


def test_error_types_equal_scikit_learn(graph: Graph, lifts: dict[str, list[Answer]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    judged = judge(graph, lifts["tuned"])
    _, keys = counts(judged, lambda j: (j.wanted, j.found))
    true = np.array([[key in j.wanted for key in keys] for j in judged])
    said = np.array([[key in j.found for key in keys] for j in judged])
    ours = {statistic.name: statistic.value for statistic in error_statistics(graph, judged)}
    for average in ("micro", "macro"):
        theirs = metrics.precision_recall_fscore_support(
            true, said, average=average, zero_division=0
        )
        for name, value in zip(("precision", "recall", "f1"), theirs, strict=False):
            assert ours[f"errors/{average}/{name}"] == pytest.approx(value, abs=1e-9)
    each = metrics.precision_recall_fscore_support(true, said, average=None, zero_division=0)
    for number, key in enumerate(keys):
        row = per_type(judged)[key]
        assert [row[n] for n in ("precision", "recall", "f1", "support")] == pytest.approx(
            [column[number] for column in each]
        )


def test_partial_labels_judge_the_labelled_errors_only(graph: Graph) -> None:
    text = "Your grip was too wide. Your knees gave the bar a push."
    item = answer(text, errors=["AK04:ET015"], labelled=["AK04:ET015"])
    (judged,) = judge(graph, [item])
    assert judged.reading is not None
    assert set(judged.reading.found) > judged.found
    assert judged.found == {"ET015"}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Do 3 sets of 10.", "missing", None),
        ("It is worth 66 of 100, as 41 of 133 points are lost.", "stated", 66.0),
        ("34 of 100 points were lost.", "missing", None),
        ("I saw 3 of 100 clips like it: 72 points.", "stated", 72.0),
        ("Do 3 sets of 10. I give it 72.05 out of 100.", "stated", 72.05),
        ("Score: 3 sets of 10", "missing", None),
        ("**Score:** 85", "stated", 85.0),
        ("With 44 of 161 penalty points lost, I arrive at 72.67 out of 100.", "stated", 72.67),
        ("8/10", "other scale", None),
        ("The score is 70-80 out of 100", "range", None),
        ("85/100, or 90/100", "ambiguous", None),
        ("101 out of 100", "out of range", None),
        ("I cannot see the video.", "refused", None),
        ("  ", "empty", None),
    ],
)
def test_trap_12_scores_out_of_three_sets_of_ten(text: str, kind: str, value: float | None) -> None:
    parsed = parse_score(text)
    assert (parsed.kind, parsed.value) == (kind, value)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("That is the Incline Dumbbell Bench Press.", "A12"),
        ("An Overhead Press (OHP), not a squat.", "A01"),
        ("A squat or a deadlift.", None),
        ("He does squats.", "A16"),
        ("squat " * 9000, "A16"),
        ("not a squat, but a deadlift, " * 1800, "A15"),
    ],
)
def test_actions_are_recognised_by_name(graph: Graph, text: str, action: str | None) -> None:
    assert recognised_action(graph, text) == action


def test_every_action_is_recognised_by_its_own_name(graph: Graph) -> None:
    for action in graph.actions.values():
        assert recognised_action(graph, f"This is the {action.name}.") == action.id


def test_figure_11_is_scored_from_the_errors_found(graph: Graph) -> None:
    found = ["AK01:ET001", "AK02:ET006", "AK04:ET005", "AK04:ET008", "AK05:ET018", "AK05:ET003"]
    item = answer("", score=50).model_copy(update={"found": tuple(found)})
    assert graph_scores(graph, judge(graph, [item])) == [77.02]


def test_a_type_counts_where_the_text_places_it_or_everywhere(graph: Graph) -> None:
    options = [o for o in graph.occurrences("A01") if o.error_type == "ET011"]
    assert len(options) > 1
    observed = graph.error_types["ET011"].observed[0].capitalize()
    moment = graph.key_steps[options[-1].key_step].moments[0]
    (anywhere,) = judge(graph, [answer(f"{observed}.")])
    (placed,) = judge(graph, [answer(f"{observed} {moment}.")])
    assert anywhere.reading is not None
    assert placed.reading is not None
    assert set(anywhere.reading.occurrences) == set(options)
    assert placed.reading.occurrences == (Occurrence(options[-1].key_step, "ET011"),)


def test_r_l2_with_both_ranges_and_policies() -> None:
    items = [
        answer("", "score", score=value).model_copy(update={"clip": str(value)})
        for value in (60, 80)
    ]
    scale = scale_of(items, [("A01", 40), ("A01", 90)], [("A01", 75)])
    named = {
        policy: [s.value for s in r_l2("stated", items, [70, None], scale, policy)]
        for policy in ("skip", "mean", "worst")
    }
    assert named["skip"] == pytest.approx([100 * (10 / 50) ** 2, 100 * (10 / 20) ** 2])
    assert named["mean"][0] == pytest.approx((4 + 100 * (5 / 50) ** 2) / 2)
    assert named["worst"][0] == pytest.approx((4 + 100 * (40 / 50) ** 2) / 2)


def test_intervals_are_drawn_by_subject_and_pairs_by_question() -> None:
    subjects = [f"P{n // 10}" for n in range(60)]
    one = mean_of("x", [float(n // 10 % 2) for n in range(60)], subjects)
    wide, value = interval(one), mean_of("x", [1.0] * 60, subjects)
    assert wide.clusters == 6
    assert wide.low < 0.5 < wide.high
    difference = compare(value, one)
    assert difference.value == pytest.approx(0.5)
    assert 0 < difference.p <= 1
    assert compare(one, one).p == 1
    # The same numbers each time, without being asked for.
    uneven = mean_of("x", [float(n * n) for n in range(60)], subjects)
    assert interval(uneven) == interval(uneven, seed=0) != interval(uneven, seed=1)
    paired = compare(uneven, value)
    assert paired == compare(uneven, value, seed=0) != compare(uneven, value, seed=1)


def test_baselines_answer_without_looking(graph: Graph) -> None:
    label = ErrorLabel(key_step="AK01", error_type="ET001")
    training = [Annotation(clip=f"t{n}", action="A01", errors=(label,), score=70) for n in range(3)]
    asked = [
        answer("x", stage).model_copy(update={"clip": f"c{n}", "reference": f"ref {n}"})
        for n in range(4)
        for stage in ("evaluate", "score")
    ]
    modes = by_mode(baselines(graph, training, asked))
    assert parse_score(modes["baseline: mean score"][0].answer).value == 70
    assert modes["baseline: frequent errors"][0].found == ("AK01:ET001",)
    assert all(item.answer != item.reference for item in shuffled(asked))
    assert 0 < best_share(graph, training) < 1


def test_overlap_of_times() -> None:
    assert overlap((0, 2), (1, 3)) == pytest.approx(1 / 3)
    assert overlap((0, 1), (2, 3)) == 0


def test_answers_survive_the_file_and_faults_are_named(tmp_path: Path, graph: Graph) -> None:
    path = tmp_path / "answers.jsonl"
    items = [answer("Your knees gave a push.", errors=["AK04:ET015"], score=80)]
    write_answers(path, items)
    assert read_answers(path, graph) == items
    write_answers(path, items + items)
    with pytest.raises(InputError, match="already answers"):
        read_answers(path, graph)
    assert Truth().observed == ()


def test_errors_that_the_graph_does_not_have_are_named(tmp_path: Path, graph: Graph) -> None:
    path = tmp_path / "answers.jsonl"
    foreign = answer("x", errors=["AK44:ET056"]).model_copy(update={"found": ("AK01:ET056",)})
    lost = answer("x", "score").model_copy(update={"action": "A99"})
    write_answers(path, [foreign, lost])
    assert read_answers(path) == [foreign, lost]
    with pytest.raises(InputError) as caught:
        read_answers(path, graph)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:1: AK44:ET056 is not an error of A01",
        f"{path}:1: AK01:ET056 is not an error of A01",
        f"{path}:2: the graph has no action 'A99' (did you mean A19?)",
    ]


def test_what_the_matcher_cannot_read_is_unread_and_no_zero(graph: Graph) -> None:
    reader = MatcherReader()
    items = [
        answer("深蹲时膝盖内扣", errors=["AK04:ET015"]),
        answer("You pushed with your knees to help the lift.", errors=["AK04:ET015"]),
    ]
    judged = judge(graph, items, reader)
    figures = {s.name: s.value for s in error_statistics(graph, judged)}
    assert figures["errors/micro/f1"] == 1
    judge(graph, items, reader)
    assert list(reader.failures.values()) == [1]
    names = [answer("这是深蹲", "recognise"), answer("An OHP.", "recognise")]
    assert action_accuracy(graph, names).value == 1
