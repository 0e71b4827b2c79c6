"""How far reviewers agree on the errors that they saw, beyond chance.

    report = review_agreement(standing_decisions(store), questions_of(store), graph)
    report["first"].alpha.overall.alpha             # Krippendorff's α, all error types
    report["first"].pairs["ana", "ben"].overall     # Cohen's κ of two people
    report["first"].people["ana"].overall           # ana against all of the others

A unit is an error in a clip (did you see AK01:ET001 in A01/003?), as in `flex.agreement`. The
stages are kept apart, and admins are left out: they have seen what others said. What is not defined
is `None` with a reason, never 1.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from flex.agreement import Agreement, StageAgreement, agreement, alpha_of
from flex.graph import Graph, Occurrence
from flex.votes import Question
from review.kappa import Answers, Kappa, kappa_of
from review.records import STAGES, Decision, Stage
from review.store import Store
from review.verdicts import NUMBER_OF, vote_of

Tables = dict[str, Answers]


@dataclass(frozen=True)
class KappaReport:
    """κ over all error types, and of each that was judged."""

    overall: Kappa
    error_types: dict[str, Kappa]


@dataclass(frozen=True)
class ReviewAgreement:
    """Agreement within a stage.

    Attributes:
        alpha: Krippendorff's α on the errors, overall and per error type.
        verdicts: α on whether the text can stay as it is.
        pairs: (person, person) → Cohen's κ.
        people: person → Cohen's κ against the others, their pairs taken together.
    """

    alpha: StageAgreement
    verdicts: Agreement
    pairs: dict[tuple[str, str], KappaReport]
    people: dict[str, KappaReport]


def questions_of(store: Store) -> dict[str, Question]:
    """Return clip → its action, and the errors that reviewers looked for."""
    query = "SELECT clip, json_extract(dialogue, '$.action') AS action, scope FROM items"
    with store.read() as db:
        rows = db.execute(query).fetchall()
    return {
        row["clip"]: Question(
            row["action"], tuple(Occurrence.parse(text) for text in json.loads(row["scope"]))
        )
        for row in rows
    }


def review_agreement(
    decisions: Iterable[Decision], questions: Mapping[str, Question], graph: Graph
) -> dict[Stage, ReviewAgreement]:
    """Return the agreement within each stage in which somebody said what they saw."""
    report: dict[Stage, ReviewAgreement] = {}
    members = [decision for decision in decisions if not decision.settles]
    for stage in STAGES:
        here = [decision for decision in members if decision.stage == stage]
        votes = [vote for vote in map(vote_of, here) if vote is not None]
        alpha = agreement(votes, graph, questions).get(NUMBER_OF[stage])
        if alpha is None:
            continue
        tables = pair_tables(here, questions)
        report[stage] = ReviewAgreement(
            alpha=alpha,
            verdicts=_verdicts(here),
            pairs={pair: _report(graph, table) for pair, table in sorted(tables.items())},
            people=_people(graph, tables),
        )
    return report


def pair_tables(
    decisions: Iterable[Decision], questions: Mapping[str, Question]
) -> dict[tuple[str, str], Tables]:
    """Return (person, person), in order of their names → error type → their answers."""
    counts: dict[tuple[str, str], dict[str, list[int]]] = {}
    for scope, (one, other) in shared(decisions, questions):
        table = counts.setdefault((one.person, other.person), {})
        count(table, scope, one.seen or frozenset(), other.seen or frozenset())
    return {pair: answers_of(table) for pair, table in counts.items()}


def shared(
    decisions: Iterable[Decision], questions: Mapping[str, Question]
) -> Iterator[tuple[tuple[Occurrence, ...], tuple[Decision, Decision]]]:
    """Yield what was looked for in a clip, with each pair of people who said what they saw."""
    by_clip: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        if decision.seen is not None:
            by_clip[decision.clip].append(decision)
    for clip, members in by_clip.items():
        ordered = sorted(members, key=lambda decision: decision.person)
        for pair in combinations(ordered, 2):
            yield questions[clip].scope, pair


def count(
    table: dict[str, list[int]],
    scope: Sequence[Occurrence],
    first: frozenset[Occurrence],
    second: frozenset[Occurrence],
) -> None:
    """Add two people's answers about one clip: [both, first, second, neither] per error type."""
    for item in scope:
        row = table.setdefault(item.error_type, [0, 0, 0, 0])
        row[(item not in first) * 2 + (item not in second)] += 1


def answers_of(table: Mapping[str, Sequence[int]]) -> Tables:
    """Return the counts that `count` made as answers."""
    return {error: Answers(*row) for error, row in table.items()}


def total(tables: Iterable[Answers]) -> Answers:
    """Return the answers of all error types together."""
    return sum(tables, Answers())


def _report(graph: Graph, table: Tables) -> KappaReport:
    in_order = (error for error in graph.error_types if error in table)
    return KappaReport(
        overall=kappa_of(total(table.values())),
        error_types={error: kappa_of(table[error]) for error in in_order},
    )


def _people(graph: Graph, tables: Mapping[tuple[str, str], Tables]) -> dict[str, KappaReport]:
    pooled: dict[str, Tables] = defaultdict(dict)
    for (one, other), table in tables.items():
        for error, answers in table.items():
            turned = Answers(answers.both, answers.second, answers.first, answers.neither)
            pooled[one][error] = pooled[one].get(error, Answers()) + answers
            pooled[other][error] = pooled[other].get(error, Answers()) + turned
    return {person: _report(graph, table) for person, table in sorted(pooled.items())}


def _verdicts(decisions: Iterable[Decision]) -> Agreement:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for decision in decisions:
        counts[decision.clip][decision.state == "accepted"] += 1
    found = alpha_of((no, yes) for no, yes in counts.values())
    if found.why and found.units:
        why = "nobody ever accepted" if found.seen == 0 else "everybody always accepted"
        return Agreement(None, found.units, found.seen, f"{why}: there is no variation")
    return found
