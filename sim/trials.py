"""Which trials there are, which are thrown away, which a smaller data set takes, and their numbers.

Kept trials are numbered within their action, `A01/001` on, in the order of subject and repetition,
as in the authors' folders. A smaller data set is a part of the whole one and keeps its clip ids:
actions, subjects, skills and repetitions take turns, so every size is as even as it can be, and
each size contains the smaller ones.
"""

from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest

import numpy as np

from sim.study import Bools, Study

_GOLDEN = 0.618
_REPETITION_STRIDE = 3


def kept_trials(study: Study, cohort: int = 1) -> dict[str, Bools]:
    """Return action → which of its trials are kept: (subjects, repetitions) bool.

    The number thrown away is fixed for the whole and at most the stated one for any action.
    """
    trials, actions = study.settings.trials, list(study.graph.actions)
    draws = study.draws("excluded", cohort)
    slots = np.repeat(np.arange(len(actions)), trials.most_excluded_per_action)
    total = round(trials.excluded_per_action * len(actions))
    counts = np.bincount(draws.permutation(slots)[:total], minlength=len(actions))
    shape = (_people(study), trials.repetitions)
    kept = {}
    for action, count in zip(actions, counts.tolist(), strict=True):
        thrown = draws.permutation(shape[0] * shape[1])[:count]
        kept[action] = np.ones(shape, dtype=np.bool_)
        kept[action].flat[thrown] = False
    return kept


def kept_count(study: Study) -> int:
    """Return how many clips a whole cohort has."""
    trials, actions = study.settings.trials, len(study.graph.actions)
    all_trials = actions * _people(study) * trials.repetitions
    return all_trials - round(trials.excluded_per_action * actions)


def choose(study: Study, kept: Mapping[str, Bools], clips: int) -> dict[str, Bools]:
    """Return which of the kept trials the first `clips` of the turn-taking order are."""
    queues = [
        [(action, place) for place in _order(study, number) if mask[place]]
        for number, (action, mask) in enumerate(kept.items())
    ]
    in_turn = (trial for turn in zip_longest(*queues) for trial in turn if trial)
    chosen = {action: np.zeros_like(mask) for action, mask in kept.items()}
    for action, place in islice(in_turn, clips):
        chosen[action][place] = True
    return chosen


def _order(study: Study, number: int) -> Iterator[tuple[int, int]]:
    """Yield every (subject, repetition) of the action with that number once, all people in turn."""
    order = mixed_subjects(study)
    people, repetitions = len(order), study.settings.trials.repetitions
    start = max(1, round(people * _GOLDEN)) * number
    for turn in range(people * repetitions):
        position = (turn + start) % people
        repetition = turn // people + _REPETITION_STRIDE * position + number
        yield order[position], repetition % repetitions


def mixed_subjects(study: Study) -> list[int]:
    """Return subject indices such that any stretch holds the skills in their true shares."""
    groups = study.settings.subjects.values()
    ranks = [(place + 0.5) / len(names) for names in groups for place in range(len(names))]
    return sorted(range(len(ranks)), key=lambda index: ranks[index])


def _people(study: Study) -> int:
    return sum(map(len, study.settings.subjects.values()))
