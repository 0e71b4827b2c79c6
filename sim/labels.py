"""Which errors show in which repetition: by skill, habit and fatigue.

    shown = draw_errors(study, recruit(study), "A16")   # (subjects, repetitions, occurrences) bool

A probit model whose terms stand in `labels.yaml`. A habit belongs to a person, an action and an
error, so the same errors return through a set; fatigue adds others towards its end. The level of
an action is not tuned by hand: it is solved for, so that the expected mean score of these very
subjects is the one asked for.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from flex.problems import InputError, Problem
from sim.study import Bools, Floats, Study, solve
from sim.subjects import Subject

_LEVELS = (-8.0, 8.0)  # within these an error is never or always seen


def draw_errors(study: Study, subjects: Sequence[Subject], action: str) -> Bools:
    """Return what each repetition shows: (S, R, O) bool, O in the order of `graph.occurrences`.

    Raises:
        InputError: no level of errors gives the action the mean score that is asked for.
    """
    leaning = leanings(study, subjects, action)
    luck = np.stack([_luck(study, subject, action, leaning.shape[1:]) for subject in subjects])
    return leaning + level(study, leaning, action) + luck > 0


def leanings(study: Study, subjects: Sequence[Subject], action: str) -> Floats:
    """Return all terms of the model but level and luck: (S, R, O) float."""
    errors, occurrences = study.settings.errors, study.graph.occurrences(action)
    kinds = [errors.kind_of(item.error_type) for item in occurrences]
    tendency = np.array([kind.tendency for kind in kinds])
    skill = np.array([kind.skill for kind in kinds])
    fatigue = np.array([kind.fatigue for kind in kinds])
    habit = np.array([kind.habit for kind in kinds]) * errors.spread.habit
    weights = [study.graph.weight(item) for item in occurrences]
    tiring = np.linspace(0, 1, study.settings.trials.repetitions)[:, None]
    people = []
    for subject in subjects:
        draws = study.draws("habits", subject.id, action)
        group = errors.skills[subject.skill]
        form = subject.form + draws.normal(scale=errors.spread.action_form)
        style = np.array([subject.style[item.error_type] for item in occurrences])
        manner = style + draws.normal(scale=habit)
        # Form says how many errors a person makes; style and habits only say which.
        manner -= np.average(manner, weights=weights)
        steady = tendency + skill * group.proneness + form + manner
        people.append(steady + group.fatigue * tiring * fatigue)
    return np.stack(people)


def level(study: Study, leaning: Floats, action: str) -> float:
    """Return the level of errors at which the expected mean score of an action is met."""
    graph, target = study.graph, study.settings.score.mean_of(action)
    weights = np.array([graph.weight(item) for item in graph.occurrences(action)])
    # Luck is normal with variance 1, and a repetition's own form adds to it.
    scale = np.hypot(1, study.settings.errors.spread.repetition)

    def expected_loss(level: float) -> float:
        shown = ndtr((leaning + level) / scale).mean(axis=(0, 1))
        return float(100 * (shown @ weights) / graph.total(action))

    try:
        return solve(expected_loss, 100 - target, *_LEVELS)
    except ValueError as error:
        message = f"the mean score of {target:.2f} cannot be met: a loss of {error}"
        raise InputError([Problem(action, message)]) from error


def _luck(study: Study, subject: Subject, action: str, shape: tuple[int, ...]) -> Floats:
    draws = study.draws("errors", subject.id, action)
    repetition = draws.normal(scale=study.settings.errors.spread.repetition, size=(shape[0], 1))
    return repetition + draws.normal(size=shape)
