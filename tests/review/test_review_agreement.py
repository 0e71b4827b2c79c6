"""Figures of agreement, against values worked by hand and against the reference libraries."""

import random
from datetime import UTC, datetime
from itertools import product

import pytest
from review_runs import FIRST, say

from flex.graph import Graph, Occurrence
from flex.votes import Question
from review.agreement import pair_tables, questions_of, review_agreement
from review.drift import drift, week_of
from review.kappa import Answers, kappa_of
from review.records import Decision, get_item
from review.recount import standing_decisions
from review.store import Store

SCOPE = ("AK01:ET001", "AK04:ET015")
OCCURRENCES = tuple(map(Occurrence.parse, SCOPE))


def seen(person: str, clip: str, *errors: str, number: int = 0, time_s: float = 0) -> Decision:
    return Decision(
        id=number,
        item=1,
        clip=clip,
        person=person,
        stage="first",
        action="reject",
        settles=False,
        text=None,
        reason="bad",
        occurrences=errors,
        version="v",
        time_s=time_s,
        duration_ms=None,
    )


def asked(count: int) -> dict[str, Question]:
    return {f"A01/{n:03}": Question("A01", OCCURRENCES) for n in range(count)}


def test_kappa_by_hand() -> None:
    found = kappa_of(Answers(both=20, first=5, second=10, neither=15))
    assert found.kappa == pytest.approx(0.4)
    assert (found.units, found.same) == (50, 0.7)
    assert kappa_of(Answers(both=3, neither=4)).kappa == 1
    assert kappa_of(Answers(first=5, second=5)).kappa == -1
    assert kappa_of(Answers(both=5, first=5)).kappa == 0


@pytest.mark.parametrize("answers", [Answers(both=7), Answers(neither=7), Answers()])
def test_without_variation_kappa_is_not_defined(answers: Answers) -> None:
    found = kappa_of(answers)
    assert found.kappa is None
    assert found.why


def test_kappa_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    draw = random.Random(0)
    for both, first, second, neither in [(draw.randint(0, 9),) * 4, (1, 0, 0, 5), (8, 1, 0, 0)] + [
        tuple(draw.randint(0, 30) for _ in range(4)) for _ in range(50)
    ]:
        answers = Answers(both, first, second, neither)
        if answers.units in (0, both, neither):
            continue
        ours = [1] * both + [1] * first + [0] * second + [0] * neither
        theirs = [1] * both + [0] * first + [1] * second + [0] * neither
        assert kappa_of(answers).kappa == pytest.approx(metrics.cohen_kappa_score(ours, theirs))


def test_alpha_by_hand(graph: Graph) -> None:
    """Four units of two people: yes-yes, no-no, yes-no, no-no.

    Observed disagreement 1/4; of 8 answers 3 are yes, so by chance 2·3·5/(8·7) = 15/28;
    α = 1 − (1/4)/(15/28) = 8/15.
    """
    first = SCOPE[0]
    decisions = [
        seen("ana", "A01/000", first),
        seen("ben", "A01/000", first),
        seen("ana", "A01/001", first),
        seen("ben", "A01/001"),
    ]
    found = review_agreement(decisions, asked(2), graph)["first"]
    assert found.alpha.overall.units == 4
    assert found.alpha.overall.alpha == pytest.approx(8 / 15)
    alphas = found.alpha.error_types
    assert alphas["ET015"].alpha is None
    assert alphas["ET015"].why == "nobody ever saw it: there is no variation"
    assert found.pairs["ana", "ben"].overall.kappa == pytest.approx(0.5)
    assert found.pairs["ana", "ben"].error_types["ET015"].kappa is None
    assert found.verdicts.alpha is None
    assert found.verdicts.why == "nobody ever accepted: there is no variation"


def test_pairs_and_people_are_those_of_scikit_learn(graph: Graph) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    draw = random.Random(3)
    questions = asked(40)
    decisions = [
        seen(person, clip, *(error for error in SCOPE if draw.random() < 0.4))
        for person, clip in product(FIRST, questions)
    ]
    report = review_agreement(decisions, questions, graph)["first"]
    answers = {
        (d.person, d.clip, error): error in (d.occurrences or ())
        for d in decisions
        for error in SCOPE
    }

    def of(people: list[str], others: list[str], errors: tuple[str, ...]) -> float:
        keys = list(product(questions, errors))
        one = [answers[p, *key] for p in people for key in keys]
        two = [answers[p, *key] for p in others for key in keys]
        return float(metrics.cohen_kappa_score(one, two))

    pair = report.pairs["ben", "cleo"]
    assert pair.overall.kappa == pytest.approx(of(["ben"], ["cleo"], SCOPE))
    assert pair.error_types["ET015"].kappa == pytest.approx(of(["ben"], ["cleo"], SCOPE[1:]))
    assert report.people["ben"].overall.kappa == pytest.approx(
        of(["ben", "ben"], ["ana", "cleo"], SCOPE)
    )


def test_who_did_not_say_what_they_saw_is_left_out(review: Store, graph: Graph) -> None:
    say(review, "ana", "A01/001", "accept")
    say(review, "ben", "A01/001", "reject")
    say(review, "ada", "A01/001", "accept")
    decisions = standing_decisions(review)
    report = review_agreement(decisions, questions_of(review), graph)
    assert list(report) == ["first"]
    assert report["first"].alpha.overall.alpha is None
    assert report["first"].pairs == {}
    assert report["first"].verdicts.units == 1
    say(review, "ben", "A01/001", "reject", occurrences=get_item(review, "A01/001").labels)
    tables = pair_tables(standing_decisions(review), questions_of(review))
    assert sum(t.units for t in tables["ana", "ben"].values()) == len(
        get_item(review, "A01/001").scope
    )


def test_drift_by_week_shows_who_drifts() -> None:
    week = 7 * 86400
    start = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
    decisions = []
    for n, clip in enumerate(asked(4)):
        right = SCOPE[:1] if n % 2 else ()
        wrong = SCOPE[1:] if n % 2 else SCOPE
        at = start + (n // 2) * week
        decisions.append(seen("ana", clip, *right, number=2 * n, time_s=start))
        said = right if n < 2 else wrong
        decisions.append(seen("ben", clip, *said, number=2 * n + 1, time_s=at))
    points = {(p.person, p.period): p for p in drift(decisions, asked(4), by="week")}
    assert list(points) == [("ana", "2026-W02"), ("ben", "2026-W02"), ("ben", "2026-W03")]
    assert points["ben", "2026-W02"].agreement.kappa == 1
    assert points["ben", "2026-W03"].agreement.kappa == pytest.approx(-0.6)
    assert points["ana", "2026-W02"].decisions == 4


def test_drift_by_hundred() -> None:
    questions = asked(150)
    decisions = [
        seen(person, clip, *SCOPE[: n % 2], number=2 * n + ben, time_s=n)
        for n, clip in enumerate(questions)
        for ben, person in enumerate(("ana", "ben"))
    ]
    points = drift(decisions, questions, by="hundred")
    assert [(p.person, p.period, p.decisions) for p in points] == [
        ("ana", "1–100", 100),
        ("ana", "101–200", 50),
        ("ben", "1–100", 100),
        ("ben", "101–200", 50),
    ]
    assert [p.agreement.kappa for p in points] == [1, 1, 1, 1]
    assert week_of(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) == "2026-W53"
