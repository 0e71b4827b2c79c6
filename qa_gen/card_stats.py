"""Counts what the data card shows, one dialogue at a time, in memory that does not grow.

stats = CardStats()
for dialogue in read_dialogues(run):
    stats.add(dialogue)
"""

from collections import Counter
from typing import NamedTuple, TypeVar

from flex.graph import Graph
from qa_gen.dialogue import STAGES, Dialogue
from qa_gen.facts import Facts

Number = TypeVar("Number", int, float)

SCORE_BIN = 5
SCORE_MAX = 100


class Lengths(NamedTuple):
    """How long the answers of one stage are, in words."""

    stage: str
    least: int
    p5: int
    median: float
    mean: float
    p95: int
    most: int


class ErrorRow(NamedTuple):
    """How often an error type is labelled: occurrences, and the share of dialogues that show it."""

    id: str
    name: str
    weight: int
    times: int
    share: float


class CardStats:
    """Counters over the exported dialogues; `leave_out` counts those that are not."""

    def __init__(self) -> None:
        self.splits: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.skills: Counter[str] = Counter()
        self.writers: Counter[str] = Counter()
        self.families: Counter[str] = Counter()
        self.reviews: Counter[str] = Counter()
        self.views: Counter[str] = Counter()
        self.score_bins: Counter[int] = Counter()
        self.left_out: Counter[str] = Counter()
        self.flag_codes: Counter[str] = Counter()
        self.subjects: dict[str, set[str]] = {}
        self.pairs = self.simulated = self.partial = self.clean = self.asked_again = 0
        self.occurrences = 0
        self._errors: Counter[str] = Counter()
        self._with_error: Counter[str] = Counter()
        self._lengths: dict[str, Counter[int]] = {stage: Counter() for stage in STAGES}
        self._scores: Counter[float] = Counter()

    @property
    def dialogues(self) -> int:
        """How many were exported."""
        return self.splits.total()

    @property
    def subject_count(self) -> int:
        """How many people lift."""
        return len(set().union(*self.subjects.values()))

    def add(self, dialogue: Dialogue) -> None:
        """Count a dialogue that is exported."""
        made = dialogue.provenance
        self.splits[dialogue.split] += 1
        self.subjects.setdefault(dialogue.split, set())
        if dialogue.subject is not None:
            self.subjects[dialogue.split].add(dialogue.subject)
        self.skills[dialogue.skill or "not stated"] += 1
        self.writers[made.writer if made.model is None else f"{made.writer} ({made.model})"] += 1
        self.families[made.family] += 1
        self.reviews[dialogue.review.state] += 1
        self.views.update(dialogue.views.keys())
        self.simulated += dialogue.simulated
        self.asked_again += made.attempts > 1
        self.pairs += len(dialogue.turns)
        for turn in dialogue.turns:
            self._lengths[turn.stage][len(turn.answer.split())] += 1
        self._facts(dialogue.facts)

    def _facts(self, facts: Facts) -> None:
        types = [error.error_type for error in facts.errors]
        self.actions[facts.action] += 1
        self.partial += facts.labelled is not None
        self.clean += not types
        self.occurrences += len(types)
        self._errors.update(types)
        self._with_error.update(set(types))
        self._scores[facts.score] += 1
        last = SCORE_MAX // SCORE_BIN - 1
        self.score_bins[min(int(facts.score // SCORE_BIN), last)] += 1

    def leave_out(self, dialogue: Dialogue, why: str) -> None:
        """Count a dialogue that is not exported, and what the fact check found in it."""
        self.left_out[why] += 1
        self.flag_codes.update(sorted({finding.code for finding in dialogue.findings}))

    def lengths(self) -> list[Lengths]:
        """Return the lengths of the answers, stage by stage."""
        return [_lengths(stage, counts) for stage, counts in self._lengths.items() if counts]

    def scores(self) -> dict[str, float]:
        """Return mean, standard deviation, least, median and greatest score."""
        total = self._scores.total()
        mean = sum(score * count for score, count in self._scores.items()) / total
        variance = sum(count * (score - mean) ** 2 for score, count in self._scores.items()) / total
        return {
            "mean": mean,
            "sd": variance**0.5,
            "least": min(self._scores),
            "median": _median(self._scores),
            "greatest": max(self._scores),
        }

    def error_rows(self, graph: Graph) -> list[ErrorRow]:
        """Return every error type of the graph, the commonest first, unlabelled ones last."""
        rows = [
            ErrorRow(
                id=kind.id,
                name=kind.name,
                weight=kind.weight,
                times=self._errors[kind.id],
                share=self._with_error[kind.id] / self.dialogues,
            )
            for kind in graph.error_types.values()
        ]
        return sorted(rows, key=lambda row: (-row.times, row.id))


def _lengths(stage: str, counts: Counter[int]) -> Lengths:
    total = counts.total()
    return Lengths(
        stage=stage,
        least=min(counts),
        p5=_nth(counts, round(0.05 * (total - 1))),
        median=_median(counts),
        mean=sum(length * count for length, count in counts.items()) / total,
        p95=_nth(counts, round(0.95 * (total - 1))),
        most=max(counts),
    )


def _median(counts: Counter[Number]) -> float:
    last = counts.total() - 1
    return (_nth(counts, last // 2) + _nth(counts, (last + 1) // 2)) / 2


def _nth(counts: Counter[Number], place: int) -> Number:
    """Return the value at a place of the sorted values, counted from 0."""
    before = 0
    for value in sorted(counts):
        before += counts[value]
        if before > place:
            return value
    raise IndexError(f"place {place} of {before} values")
