"""How far annotators agree beyond chance: Krippendorff's α per error type (nominal).

    report = agreement(votes, graph, questions)
    report[1].overall.alpha              # all error types together, stage 1
    report[1].error_types["ET001"].alpha

A unit is an occurrence in a clip (was AK01:ET001 seen in A01/003, yes or no?). The stages are kept
apart, because reviewers have seen the labels that they review and are not independent of them.
Where everybody always gives the same answer, α is not defined: it is `None`, not 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from flex.graph import Graph
from flex.votes import STAGES, Question, Stage, Vote, question_of

Counts = tuple[int, int]


@dataclass(frozen=True)
class Agreement:
    """Agreement on one error type, or on all.

    Attributes:
        alpha: 1 is perfect, 0 is chance; `None` if it is not defined.
        units: clip × occurrence, judged by at least two voters.
        seen: the share of these voters' answers that is "yes".
        why: why α is not defined.
    """

    alpha: float | None
    units: int
    seen: float
    why: str | None = None


@dataclass(frozen=True)
class StageAgreement:
    """Agreement within one stage."""

    overall: Agreement
    error_types: dict[str, Agreement]


def agreement(
    votes: Iterable[Vote], graph: Graph, questions: Mapping[str, Question] | None = None
) -> dict[Stage, StageAgreement]:
    """Return the agreement within each stage that has votes.

    Args:
        votes: valid votes, as `flex.votes.read_votes` returns them.
        graph: orders the error types.
        questions: what was asked about each clip; see `flex.votes.read_votes`.
    """
    votes = sorted(votes, key=lambda vote: (vote.stage, vote.clip))
    report: dict[Stage, StageAgreement] = {}
    for stage in STAGES:
        counts: dict[str, list[Counts]] = {}
        in_stage = (vote for vote in votes if vote.stage == stage)
        for clip, group in groupby(in_stage, key=lambda vote: vote.clip):
            question = question_of(clip, graph, questions)
            _count(list(group), question, counts)
        if counts:
            report[stage] = StageAgreement(
                overall=alpha_of([pair for pairs in counts.values() for pair in pairs]),
                error_types={
                    error: alpha_of(counts[error]) for error in graph.error_types if error in counts
                },
            )
    return report


def alpha_of(counts: Iterable[Counts]) -> Agreement:
    """Return α for units given as (voters who said no, voters who said yes)."""
    import krippendorff
    import numpy as np

    pairs = np.array([pair for pair in counts if sum(pair) > 1], dtype=np.int64).reshape(-1, 2)
    units, answers = len(pairs), int(pairs.sum())
    if not units:
        return Agreement(None, 0, 0.0, "no clip has two voters")
    seen = float(pairs[:, 1].sum() / answers)
    if seen in (0.0, 1.0):
        why = "nobody ever saw it" if seen == 0 else "everybody always saw it"
        return Agreement(None, units, seen, f"{why}: there is no variation")
    alpha = krippendorff.alpha(value_counts=pairs, level_of_measurement="nominal")
    return Agreement(float(alpha), units, seen)


def _count(votes: list[Vote], question: Question | None, counts: dict[str, list[Counts]]) -> None:
    sets = [vote.occurrences for vote in votes]
    for item in question.scope if question else ():
        yes = sum(item in found for found in sets)
        counts.setdefault(item.error_type, []).append((len(sets) - yes, yes))
