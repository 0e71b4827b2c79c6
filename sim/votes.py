"""Who saw what: three annotators' and three reviewers' votes behind every simulated label.

    panel = assemble(study)
    votes = list(votes_of(panel, record))     # six `flex.votes.Vote`, which merge into the label

Annotators (stage 1) miss errors and see some that are not there, each person in an own measure;
breathing is missed most. Reviewers (stage 2) settle what the annotators disagree on, and at times
one of them stands alone. The label is the truth by construction: the reviewers' majority always
gives it. What this can test is the merging and the agreement figures, not how good labels are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flex.graph import Occurrence
from flex.sample import Annotation
from flex.votes import Stage, Vote
from sim.study import Bools, Floats, Study

_WORST = 0.5  # nobody is worse than a coin


@dataclass(frozen=True)
class Panel:
    """The people who vote in a study.

    Attributes:
        study: graph, numbers and seed.
        carelessness: annotator → factor on the usual rates of missed errors and false alarms.
        reviewers: ids of the reviewers.
    """

    study: Study
    carelessness: Mapping[str, float]
    reviewers: tuple[str, ...]


def assemble(study: Study) -> Panel:
    """Return the panel of a study: `s1-01` on are annotators, `s2-01` on reviewers."""
    voting = study.settings.votes
    annotators = [f"s1-{number:02d}" for number in range(1, voting.annotators + 1)]
    carelessness = {
        name: float(study.draws("annotator", name).lognormal(sigma=voting.person_sd))
        for name in annotators
    }
    reviewers = tuple(f"s2-{number:02d}" for number in range(1, voting.reviewers + 1))
    return Panel(study, carelessness, reviewers)


def votes_of(panel: Panel, record: Annotation) -> Iterator[Vote]:
    """Yield the votes on a clip: those of the annotators, then those of the reviewers."""
    study, voters = panel.study, panel.study.settings.votes.voters_per_clip
    draws = study.draws("votes", record.clip)
    occurrences = study.graph.occurrences(record.action)
    truth = np.isin(range(len(occurrences)), [occurrences.index(o) for o in record.occurrences])
    first = _some(draws, list(panel.carelessness), voters)
    seen = np.stack([_annotated(panel, draws, name, occurrences, truth) for name in first])
    yield from _votes(record.clip, 1, first, seen, occurrences)
    second = _some(draws, panel.reviewers, voters)
    yield from _votes(record.clip, 2, second, _reviewed(panel, draws, truth, seen), occurrences)


def _annotated(
    panel: Panel,
    draws: np.random.Generator,
    name: str,
    occurrences: Sequence[Occurrence],
    truth: Bools,
) -> Bools:
    """Return what one annotator marks: (O,) bool."""
    voting, care = panel.study.settings.votes, panel.carelessness[name]
    missed = np.minimum(_WORST, care * _missed(panel.study, occurrences))
    false_alarms = min(_WORST, care * voting.false_alarms)
    return np.asarray(draws.random(len(truth)) < np.where(truth, 1 - missed, false_alarms))


def _missed(study: Study, occurrences: Sequence[Occurrence]) -> Floats:
    """Return how often each error is missed: (O,); one kind of evidence alone may be harder."""
    voting, error_types = study.settings.votes, study.graph.error_types
    evidence = [error_types[item.error_type].known_from for item in occurrences]
    return np.array(
        [
            voting.missed_by_evidence.get(known_from[0], voting.missed)
            if len(known_from) == 1
            else voting.missed
            for known_from in evidence
        ]
    )


def _reviewed(panel: Panel, draws: np.random.Generator, truth: Bools, seen: Bools) -> Bools:
    """Return what the reviewers mark: (voters, O) bool, of whom at most one is ever wrong."""
    contested = seen.any(axis=0) & ~seen.all(axis=0)
    wrong = contested & (draws.random(len(truth)) < panel.study.settings.votes.dissent)
    who = draws.integers(len(seen), size=len(truth))
    alone = wrong & (np.arange(len(seen))[:, None] == who)
    return np.asarray(truth ^ alone)


def _some(draws: np.random.Generator, people: Sequence[str], count: int) -> list[str]:
    chosen = draws.permutation(len(people))[:count]
    return [people[index] for index in sorted(map(int, chosen))]


def _votes(
    clip: str, stage: Stage, people: Sequence[str], seen: Bools, occurrences: Sequence[Occurrence]
) -> Iterator[Vote]:
    for name, marks in zip(people, seen, strict=True):
        errors = tuple(str(occurrences[index]) for index in np.flatnonzero(marks).tolist())
        yield Vote(clip=clip, annotator=name, stage=stage, errors=errors)
