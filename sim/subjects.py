"""The people: 38 subjects with the paper's ids and skills, each with strength, tempo and style.

    subjects = recruit(study)                          # P01 … P10, A01 … A10, N01 … N20
    working_load_kg(study, subjects[0], "A16")         # 80 % of what P01 squats once

A second cohort are 38 other people (`P01.2`), for data sets that are larger than FLEX. Whatever
later belongs to a person (bodies, clothes) draws from `study.draws("body", subject.id)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flex.sample import Skill
from sim.study import Study


@dataclass(frozen=True)
class Subject:
    """One person.

    Attributes:
        id: the paper's id; a person of a later cohort has the cohort's number behind a dot.
        skill: expert (P), amateur (A) or novice (N).
        strength: what this person lifts, as a multiple of the middle of the skill group.
        tempo: how long this person takes, natural logarithm, 0 is usual.
        form: how prone to errors beyond the skill group, in the units of the error model.
        style: error type → leaning towards it in every action, in the same units.
    """

    id: str
    skill: Skill
    strength: float
    tempo: float
    form: float
    style: Mapping[str, float]


def recruit(study: Study, cohort: int = 1) -> tuple[Subject, ...]:
    """Return the subjects of a cohort in the order of the settings."""
    suffix = "" if cohort == 1 else f".{cohort}"
    return tuple(
        _person(study, f"{name}{suffix}", skill)
        for skill, names in study.settings.subjects.items()
        for name in names
    )


def max_load_kg(study: Study, subject: Subject, action: str) -> float | None:
    """Return what a subject can lift once, in kg; `None` for an action without a known maximum."""
    loads = study.settings.loads
    if action not in loads.maximum_kg:
        return None
    draws = study.draws("load", subject.id, action)
    own = float(draws.lognormal(sigma=loads.action_strength_sd))
    return loads.maximum_kg[action].of(subject.skill) * subject.strength * own


def working_load_kg(study: Study, subject: Subject, action: str) -> float | None:
    """Return the load of all repetitions: 80 % of the maximum, as near as the plates allow.

    Barbells count with the bar, of dumbbells one side is given (Figure 13).
    """
    loads = study.settings.loads
    maximum_kg = max_load_kg(study, subject, action)
    if maximum_kg is None:
        return None
    gear = loads.equipment[loads.maximum_kg[action].equipment]
    steps = round((loads.share_of_maximum * maximum_kg - gear.lightest_kg) / gear.step_kg)
    return gear.lightest_kg + max(steps, 0) * gear.step_kg


def _person(study: Study, name: str, skill: Skill) -> Subject:
    settings = study.settings
    spread = settings.errors.spread
    draws = study.draws("person", name)
    strength = float(draws.lognormal(sigma=settings.loads.strength_sd))
    tempo = float(draws.normal(scale=settings.duration.tempo_sd))
    form = float(draws.normal(scale=spread.form))
    leanings = study.draws("style", name).normal(
        scale=spread.style, size=len(study.graph.error_types)
    )
    style = dict(zip(study.graph.error_types, leanings.tolist(), strict=True))
    return Subject(name, skill, strength, tempo, form, style)
