"""Does agreement change over time? By week, or by every hundred decisions.

    for point in drift(decisions, questions, by="week"):
        print(point.stage, point.person, point.period, point.agreement.kappa)

A person's point holds what they decided in that period against what others said of the same clips
at any time; so a person who drifts away from the others shows, whoever came first.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from flex.votes import Question
from review.agreement import answers_of, count, shared, total
from review.kappa import Kappa, kappa_of
from review.records import STAGES, Decision, Stage

Period = Literal["week", "hundred"]
HUNDRED = 100


@dataclass(frozen=True)
class DriftPoint:
    """A person's agreement with the others in one period.

    Attributes:
        period: a week such as 2026-W05 (ISO, UTC), or decisions such as 101–200.
        decisions: how many of the person's fall in it.
        agreement: Cohen's κ against the others, over all error types.
    """

    stage: Stage
    person: str
    period: str
    decisions: int
    agreement: Kappa


def drift(
    decisions: Sequence[Decision], questions: Mapping[str, Question], *, by: Period = "week"
) -> list[DriftPoint]:
    """Return each person's agreement with the others, period by period, in order of time."""
    points: list[DriftPoint] = []
    for stage in STAGES:
        here = [d for d in decisions if d.stage == stage and not d.settles and d.seen is not None]
        period_of = _periods(here, by)
        tables: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(dict)
        for scope, (one, other) in shared(here, questions):
            mine, theirs = one.seen or frozenset(), other.seen or frozenset()
            count(tables[one.person, period_of[one.id]], scope, mine, theirs)
            count(tables[other.person, period_of[other.id]], scope, theirs, mine)
        sizes: dict[tuple[str, str], int] = {}
        for decision in sorted(here, key=lambda decision: (decision.person, decision.time_s)):
            key = (decision.person, period_of[decision.id])
            sizes[key] = sizes.get(key, 0) + 1
        for (person, period), size in sizes.items():
            answers = total(answers_of(tables[person, period]).values())
            points.append(DriftPoint(stage, person, period, size, kappa_of(answers)))
    return points


def week_of(time_s: float) -> str:
    """Return the ISO week of a time, UTC, such as 2026-W05."""
    year, week, _ = datetime.fromtimestamp(time_s, UTC).isocalendar()
    return f"{year}-W{week:02}"


def _periods(decisions: Sequence[Decision], by: Period) -> dict[int, str]:
    """Return a decision's id → its period."""
    if by == "week":
        return {decision.id: week_of(decision.time_s) for decision in decisions}
    counts: dict[str, int] = defaultdict(int)
    periods = {}
    for decision in sorted(decisions, key=lambda decision: (decision.time_s, decision.id)):
        start = counts[decision.person] // HUNDRED * HUNDRED
        periods[decision.id] = f"{start + 1}–{start + HUNDRED}"
        counts[decision.person] += 1
    return periods
