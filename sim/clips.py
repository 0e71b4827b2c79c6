"""Annotation records of a simulated data set, one at a time.

    for record in simulate(Study(load_graph(), load_settings(), seed=0), clips=400): ...
    for record in simulate_selection(study, Selection(subjects=6, repetitions=2)): ...

Up to 7,512 clips come from one cohort of 38 subjects; more come from further cohorts of other
people, independent of the first. Memory does not grow with the number of clips.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from flex.problems import InputError, Problem
from flex.sample import Annotation, ErrorLabel, Semg
from flex.scoring import score
from flex.semg_columns import channel_names
from sim.labels import draw_errors
from sim.selection import Selection, select
from sim.study import Bools, Study
from sim.subjects import Subject, recruit, working_load_kg
from sim.timing import draw_frames, draw_phases, phase_spans, seconds
from sim.trials import choose, kept_count, kept_trials

SOURCE = "simulated"


def simulate(study: Study, clips: int | None = None) -> Iterator[Annotation]:
    """Yield the records of a data set, sorted by cohort, action and clip.

    Args:
        study: graph, numbers and seed.
        clips: how many; one whole cohort if it is left out.

    Raises:
        InputError: fewer than one clip, or a mean score that the graph cannot give.
    """
    wanted = kept_count(study) if clips is None else clips
    if wanted < 1:
        raise InputError([Problem("clips", f"expected 1 or more, found {wanted}")])
    numbered = dict.fromkeys(study.graph.actions, 0)
    cohort = 0
    while wanted > 0:
        cohort += 1
        kept = kept_trials(study, cohort)
        chosen = choose(study, kept, wanted)
        subjects = recruit(study, cohort)
        for action in study.graph.actions:
            if chosen[action].any():
                yield from _action_clips(
                    study, subjects, action, kept[action], chosen[action], numbered[action]
                )
            numbered[action] += int(kept[action].sum())
        wanted -= kept_count(study)


def simulate_selection(study: Study, selection: Selection) -> Iterator[Annotation]:
    """Yield the records of a selection, sorted by action and clip, with the ids of the whole set.

    Raises:
        InputError: a selection that holds nothing or something that is not there.
    """
    kept, subjects = kept_trials(study), recruit(study)
    chosen = select(study, selection, kept)
    for action, places in chosen.items():
        yield from _action_clips(study, subjects, action, kept[action], places, 0)


def _action_clips(
    study: Study,
    subjects: Sequence[Subject],
    action: str,
    kept: Bools,
    chosen: Bools,
    numbered: int,
) -> Iterator[Annotation]:
    graph, rate = study.graph, study.settings.recording.frame_rate_hz
    shown = draw_errors(study, subjects, action)
    frames = draw_frames(study, subjects, action)
    shares = draw_phases(study, subjects, action, shown)
    numbers = numbered + np.cumsum(kept).reshape(kept.shape)
    loads_kg = [working_load_kg(study, subject, action) for subject in subjects]
    occurrences, phases, semg = graph.occurrences(action), graph.action(action).phases, None
    if graph.action(action).recorded_muscles:
        semg = Semg(
            sample_rate_hz=study.settings.recording.semg_sample_rate_hz,
            channels=channel_names(graph, action),
        )
    for person, repetition in np.argwhere(chosen).tolist():
        place = person, repetition
        observed = [occurrences[index] for index in np.flatnonzero(shown[place])]
        yield Annotation(
            clip=f"{action}/{numbers[place]:03d}",
            action=action,
            subject=subjects[person].id,
            skill=subjects[person].skill,
            repetition=repetition + 1,
            load_kg=loads_kg[person],
            errors=tuple(
                ErrorLabel(key_step=o.key_step, error_type=o.error_type) for o in observed
            ),
            phases=phase_spans(int(frames[place]), shares[place], phases, rate),
            duration_s=seconds(int(frames[place]), rate),
            score=score(graph, action, observed),
            frame_rate_hz=rate,
            semg=semg,
            source=SOURCE,
        )
