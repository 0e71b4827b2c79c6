"""Which clips a selection takes: nested, mixed, and refused where there is nothing to take."""

import itertools
from pathlib import Path

import pytest

from flex.graph_file import load_graph
from flex.problems import InputError
from flex.released_lists import read_released_lists
from flex.sample import Annotation
from flex.splits import split_by_repetition
from sim.clips import simulate_selection
from sim.released import write_lists
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study

STUDY = Study(load_graph(), load_settings(), seed=0)


def records(subjects: int, repetitions: int, *actions: str) -> list[Annotation]:
    return list(simulate_selection(STUDY, Selection(subjects, repetitions, actions or None)))


def test_larger_selections_contain_smaller_ones_and_the_whole_is_the_study(
    whole: list[Annotation],
) -> None:
    sizes = [(3, 1), (6, 2), (10, 5), (38, 10)]
    chosen = [records(*size) for size in sizes]
    for small, large in itertools.pairwise(chosen):
        by_clip = {record.clip: record for record in large}
        assert all(by_clip[record.clip] == record for record in small)
    assert chosen[-1] == whole


def test_skills_and_fresh_and_tired_repetitions_are_mixed() -> None:
    taken = records(6, 2, "A16")
    assert len({record.subject for record in taken}) == 6
    assert {record.skill for record in taken} == {"expert", "amateur", "novice"}
    assert {record.repetition for record in taken} == {1, 10}


def test_actions_go_by_id_or_name_in_the_order_of_the_graph() -> None:
    assert list(dict.fromkeys(r.action for r in records(3, 1, "squat", "A01"))) == ["A01", "A16"]


@pytest.mark.parametrize(
    ("selection", "messages"),
    [
        (Selection(0, 1), ["--subjects: expected 1 to 38, found 0"]),
        (Selection(39, 11), ["--subjects: expected 1 to 38", "--reps: expected 1 to 10, found 11"]),
        (Selection(3, 1, ("A16", "sqat", "A99")), ["no action 'sqat' (did you mean", "'A99'"]),
    ],
)
def test_what_is_not_there_is_named(selection: Selection, messages: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        list(simulate_selection(STUDY, selection))
    for message in messages:
        assert message in str(caught.value)


def test_one_persons_lists_are_split_by_repetition_and_follow_the_seed(tmp_path: Path) -> None:
    labels = records(1, 10, "A05")
    drawn = set()
    for seed in range(4):
        assert write_lists(tmp_path, labels, seed)
        split = split_by_repetition(labels, seed=seed)
        test = {r.clip for r in labels if split.part(r.clip) == "test"}
        rows = read_released_lists(tmp_path)["test"]
        assert {row.clip for row in rows} == test != set()
        drawn.add(frozenset(test))
    assert len(drawn) > 1
    assert not write_lists(tmp_path, labels[:2], 0)
