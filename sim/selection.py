"""Which part of the study a data set takes: so many people, these actions, so many repetitions.

    chosen = select(study, Selection(subjects=6, actions=("A01", "A16"), repetitions=2), kept)

A larger selection contains every smaller one, and clips keep the ids that they have in the whole
study. People come in an order that mixes the skills, repetitions in one that mixes fresh and tired.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flex.problems import InputError, Problem
from sim.study import Bools, Study
from sim.trials import mixed_subjects


@dataclass(frozen=True)
class Selection:
    """A part of the study.

    Attributes:
        subjects: how many people.
        repetitions: how many repetitions of each.
        actions: ids or names of the actions; `None` for all.
    """

    subjects: int
    repetitions: int
    actions: tuple[str, ...] | None = None


def select(study: Study, selection: Selection, kept: Mapping[str, Bools]) -> dict[str, Bools]:
    """Return action → which of the kept trials are taken, (subjects, repetitions) bool.

    Raises:
        InputError: too few or too many people or repetitions, an unknown action, nothing left.
    """
    people = sum(map(len, study.settings.subjects.values()))
    most = study.settings.trials.repetitions
    problems = [
        Problem(f"--{name}", f"expected 1 to {limit}, found {given}")
        for name, given, limit in (
            ("subjects", selection.subjects, people),
            ("reps", selection.repetitions, most),
        )
        if not 1 <= given <= limit
    ]
    actions: list[str] = []
    for name in selection.actions or study.graph.actions:
        try:
            actions.append(study.graph.action(name).id)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    taken = np.zeros((people, most), dtype=np.bool_)
    rows = mixed_subjects(study)[: selection.subjects]
    taken[np.ix_(rows, _mixed_repetitions(most)[: selection.repetitions])] = True
    return {name: kept[name] & taken for name in study.graph.actions if name in set(actions)}


def _mixed_repetitions(count: int) -> list[int]:
    """Return repetition numbers such that each next one lies where most is missing."""
    order = [0]
    while len(order) < count:
        left = [number for number in range(count) if number not in order]
        order.append(max(left, key=lambda n: (min(abs(n - taken) for taken in order), n)))
    return order
