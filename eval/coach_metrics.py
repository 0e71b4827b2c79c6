"""Does the coach see what is there? Actions, error types, and whether it calls faults correct."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eval.answers import Answer, of_stage
from eval.readers import MATCHER, Reader
from eval.reading import Reading
from eval.recognise import recognised_action
from eval.scripts import script_of
from eval.statistics import Rows, Statistic, mean_of, ratio
from flex.graph import Graph


@dataclass(frozen=True)
class Judged:
    """An evaluate answer with what it says and what it should, on what was labelled only.

    Attributes:
        reading: `None` where the reader could not read the answer, which then counts nowhere.
        wanted, found: error types; none of an answer that is unread.
        wanted_phases, found_phases: the same with the phase, such as `ET014@concentric`.
    """

    answer: Answer
    reading: Reading | None
    wanted: frozenset[str]
    found: frozenset[str]
    wanted_phases: frozenset[str]
    found_phases: frozenset[str]

    @property
    def faulty(self) -> bool:
        """Whether annotators saw any error, and the answer could be read."""
        return self.reading is not None and bool(self.answer.truth.errors)

    @property
    def sound(self) -> bool:
        """Whether annotators saw none, and the answer could be read."""
        return self.reading is not None and not self.answer.truth.errors


# What an answer should name and what it names, as types or as types with their phase.
Of = Callable[[Judged], tuple[frozenset[str], frozenset[str]]]


def judge(graph: Graph, answers: Iterable[Answer], reader: Reader = MATCHER) -> list[Judged]:
    """Read the evaluate answers among `answers`; errors outside what was labelled are left out."""
    judged = []
    asked = of_stage(answers, "evaluate")
    for answer, reading in zip(asked, reader.read(graph, asked), strict=True):
        if reading is None:
            judged.append(Judged(answer, None, *[frozenset[str]()] * 4))
            continue
        scope = set(answer.truth.scope(graph, answer.action))
        types = {o.error_type for o in scope}
        phase = {step: graph.key_steps[step].phase for step in graph.key_steps}
        observed = answer.truth.observed
        judged.append(
            Judged(
                answer,
                reading,
                wanted=frozenset(o.error_type for o in observed),
                found=frozenset(reading.found) & types,
                wanted_phases=frozenset(f"{o.error_type}@{phase[o.key_step]}" for o in observed),
                found_phases=frozenset(
                    f"{o.error_type}@{phase[o.key_step]}" for o in reading.occurrences if o in scope
                ),
            )
        )
    return judged


def action_accuracy(graph: Graph, answers: Sequence[Answer]) -> Statistic:
    """Return the share of recognise answers that name the right action, and only that one.

    The graph's names are in Latin letters; answers in another script are left out.
    """
    asked = of_stage(answers, "recognise")
    right = [recognised_action(graph, a.answer) == graph.action(a.action).id for a in asked]
    read = [script_of(a.answer) == "Latin" for a in asked]
    return mean_of("action_accuracy", right, [a.cluster for a in asked], judged=read)


def error_statistics(graph: Graph, judged: Sequence[Judged]) -> list[Statistic]:
    """Return micro and macro precision, recall and F1 over error types, and F1 with the phase.

    Macro figures average over the types that were seen or named; rows have a place for every type
    of the graph, so that modes which name different ones can be compared.
    """
    rows, keys = counts(judged, lambda j: (j.wanted, j.found), sorted(graph.error_types))
    clusters = tuple(j.answer.cluster for j in judged)
    kinds: tuple[tuple[str, Callable[[Rows], Rows]], ...] = (
        ("precision", _precision),
        ("recall", _recall),
        ("f1", _f1),
    )
    flat = rows.reshape(len(judged), 3 * len(keys))
    found = []
    for name, of in kinds:
        found.append(Statistic(f"errors/micro/{name}", rows.sum(axis=1), of, clusters))
        found.append(Statistic(f"errors/macro/{name}", flat, _macro(of, len(keys)), clusters))
    phased, _ = counts(judged, lambda j: (j.wanted_phases, j.found_phases))
    found.append(Statistic("errors/with phase/f1", phased.sum(axis=1), _f1, clusters))
    return found


def per_type(judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Return error type → precision, recall, f1 and support, for types seen or named."""
    return _table(judged, lambda j: (j.wanted, j.found), str)


def per_phase(judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Return phase → precision, recall, f1 and support over its error types."""
    return _table(
        judged, lambda j: (j.wanted_phases, j.found_phases), lambda key: key.partition("@")[2]
    )


def verdict_statistics(judged: Sequence[Judged]) -> list[Statistic]:
    """Return what becomes of faulty clips, of correct ones, and of the advice.

    "called correct" is the share of faulty clips whose answer says that there is no error, or only
    praises. "no error named" also counts answers that say nothing either way. Advice coverage is
    the share of the true error types that the answer gives advice on.
    """
    clusters = [j.answer.cluster for j in judged]
    faulty, sound = [j.faulty for j in judged], [j.sound for j in judged]
    verdicts = [j.reading.verdict if j.reading else "unread" for j in judged]
    prose = [j.answer.found is None for j in judged]
    rows = np.array(
        [
            [len(j.wanted & j.reading.advised) * p, len(j.wanted) * p] if j.reading else [0, 0]
            for j, p in zip(judged, prose, strict=True)
        ],
        dtype=float,
    ).reshape(-1, 2)

    def share(name: str, values: Iterable[bool], of: Sequence[bool], low: bool = True) -> Statistic:
        return mean_of(name, list(values), clusters, judged=of, lower_is_better=low)

    return [
        share("called correct", (verdict == "correct" for verdict in verdicts), faulty),
        share("no error named", (verdict != "faulty" for verdict in verdicts), faulty),
        share("correct clips called faulty", (one == "faulty" for one in verdicts), sound),
        share("evaluations refused", (verdict == "refused" for verdict in verdicts), prose),
        Statistic("advice coverage", rows, ratio, tuple(clusters)),
        *(
            [share("evaluations unread", (one == "unread" for one in verdicts), prose)]
            if "unread" in verdicts
            else []
        ),
    ]


def temporal_iou(judged: Sequence[Judged]) -> list[Statistic]:
    """Return how well stated moments fit: overlap ÷ union of the two intervals.

    One figure over errors found with a time on both sides, one over all errors with a labelled
    time, where a missed error or moment counts 0.
    """
    rows = []
    for j in judged:
        times = j.reading.times if j.reading else {}
        labelled = j.answer.truth.times if j.reading else {}
        truth = {text.partition(":")[2]: span for text, span in labelled.items()}
        ious = {
            error: overlap(times[error], span)
            for error, span in truth.items()
            if error in j.found and error in times
        }
        rows.append([sum(ious.values()), len(ious), len(truth)])
    table = np.array(rows, dtype=float).reshape(-1, 3)
    clusters = tuple(j.answer.cluster for j in judged)
    return [
        Statistic("temporal IoU of found errors", table[:, :2], ratio, clusters),
        Statistic("temporal IoU of all errors", table[:, [0, 2]], ratio, clusters),
    ]


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the intersection over union of two intervals in seconds; 0 if both are empty."""
    inside = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    union = (one[1] - one[0]) + (other[1] - other[0]) - inside
    return inside / union if union > 0 else 0.0


def counts(
    judged: Sequence[Judged],
    of: Of,
    keys: Sequence[str] | None = None,
) -> tuple[Rows, Sequence[str]]:
    """Return (answers, keys, 3) hits, false alarms and misses, and the keys.

    Without keys they are those that occur, sorted.
    """
    pairs = [of(j) for j in judged]
    keys = keys or sorted({key for pair in pairs for side in pair for key in side}, key=str)
    index = {key: number for number, key in enumerate(keys)}
    rows = np.zeros((len(judged), len(keys), 3))
    for number, (wanted, found) in enumerate(pairs):
        for column, members in enumerate((wanted & found, found - wanted, wanted - found)):
            for key in members:
                rows[number, index[key], column] = 1
    return rows, keys


def _table(
    judged: Sequence[Judged],
    of: Of,
    name: Callable[[str], str],
) -> dict[str, dict[str, float]]:
    rows, keys = counts(judged, of)
    sums: dict[str, Rows] = {}
    for number, key in enumerate(keys):
        label = name(key)
        sums[label] = sums.get(label, np.zeros(3)) + rows[:, number].sum(axis=0)
    return {
        label: {
            "precision": float(_precision(total)),
            "recall": float(_recall(total)),
            "f1": float(_f1(total)),
            "support": float(total[0] + total[2]),
        }
        for label, total in sums.items()
    }


def _share(top: Rows, bottom: Rows) -> Rows:
    """Divide; 0 where nothing was claimed or wanted, as scikit-learn with zero_division=0."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _precision(sums: Rows) -> Rows:
    return _share(sums[..., 0], sums[..., 0] + sums[..., 1])


def _recall(sums: Rows) -> Rows:
    return _share(sums[..., 0], sums[..., 0] + sums[..., 2])


def _f1(sums: Rows) -> Rows:
    return _share(2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def _macro(of: Callable[[Rows], Rows], keys: int) -> Callable[[Rows], Rows]:
    """Average over the types that were seen or named; drawn subjects may lack some."""

    def finish(sums: Rows) -> Rows:
        table = sums.reshape(*sums.shape[:-1], keys, 3)
        used = table.sum(axis=-1) > 0
        return _share((of(table) * used).sum(axis=-1), used.sum(axis=-1).astype(float))

    return finish
