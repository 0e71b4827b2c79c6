"""Smaller and larger data sets: parts of the whole, evenly taken, with unchanged clip ids."""

from collections import Counter

import pytest

from flex.graph_file import load_graph
from flex.problems import InputError
from flex.sample import Annotation
from sim.clips import simulate
from sim.settings import load_settings
from sim.study import Study, solve
from sim.subjects import recruit
from sim.trials import choose, kept_count, kept_trials

STUDY = Study(load_graph(), load_settings(), seed=0)


def test_a_small_data_set_is_a_part_of_the_whole(whole: list[Annotation]) -> None:
    by_clip = {record.clip: record for record in whole}
    for clips in (10, 400):
        part = list(simulate(STUDY, clips))
        assert len(part) == clips
        assert all(by_clip[record.clip] == record for record in part)


def test_each_size_is_a_part_of_the_larger_ones() -> None:
    kept = kept_trials(STUDY)
    smaller = choose(STUDY, kept, 1)
    for clips in (10, 400, 5000, 7512):
        larger = choose(STUDY, kept, clips)
        assert sum(int(mask.sum()) for mask in larger.values()) == clips
        assert all((larger[action] >= mask).all() for action, mask in smaller.items())
        smaller = larger
    assert all((smaller[action] == mask).all() for action, mask in kept.items())


def test_small_shows_all_actions_subjects_and_repetitions_evenly() -> None:
    small = list(simulate(STUDY, STUDY.settings.trials.small))
    by_action = Counter(record.action for record in small)
    assert len(by_action) == 20
    assert set(by_action.values()) == {20}
    by_subject = Counter(record.subject for record in small)
    assert len(by_subject) == 38
    assert max(by_subject.values()) - min(by_subject.values()) <= 4
    by_repetition = Counter(record.repetition for record in small)
    assert min(by_repetition.values()) >= 30
    assert len(by_repetition) == 10
    for action in by_action:
        assert {r.skill for r in small if r.action == action} == {"expert", "amateur", "novice"}


def test_thrown_away_trials_differ_by_seed_and_keep_to_the_limits() -> None:
    masks = {}
    for seed in range(5):
        kept = kept_trials(Study(STUDY.graph, STUDY.settings, seed))
        counts = [int(mask.sum()) for mask in kept.values()]
        assert sum(counts) == kept_count(STUDY) == 7512
        assert min(counts) >= 370
        masks[seed] = kept["A01"].tobytes()
    assert len(set(masks.values())) > 1


def test_more_than_the_whole_adds_other_people(whole: list[Annotation]) -> None:
    large = list(simulate(STUDY, len(whole) + 30))
    assert large[: len(whole)] == whole
    assert len({record.clip for record in large}) == len(whole) + 30
    added = large[len(whole) :]
    assert all((record.subject or "").endswith(".2") for record in added)
    assert all(int(record.clip.partition("/")[2]) > 370 for record in added)
    assert recruit(STUDY, 2)[0].style != recruit(STUDY, 1)[0].style


def test_no_clips_is_an_error() -> None:
    with pytest.raises(InputError, match="expected 1 or more, found 0"):
        list(simulate(STUDY, 0))


def test_solve_finds_where_a_rising_function_meets_the_target() -> None:
    assert solve(lambda x: x**3, 27, 0, 10) == pytest.approx(3)
    with pytest.raises(ValueError, match="28 is not between 0 and 27"):
        solve(lambda x: x**3, 28, 0, 3)
