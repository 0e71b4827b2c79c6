from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from flex import splits
from flex.problems import InputError
from flex.sample import Annotation

MakeRecord = Callable[..., Annotation]
SKILLS = {
    **{f"P{n:02d}": "expert" for n in range(1, 11)},
    **{f"A{n:02d}": "amateur" for n in range(1, 11) if n not in (6, 9)},
    **{f"N{n:02d}": "novice" for n in range(1, 21)},
}


@pytest.fixture
def records(make_record: MakeRecord) -> list[Annotation]:
    """Two actions of 38 subjects with 10 repetitions each."""
    return [
        make_record(f"{action}/{10 * i + rep:03d}", subject=who, skill=skill, repetition=rep)
        for action in ("A01", "A02")
        for i, (who, skill) in enumerate(SKILLS.items())
        for rep in range(1, 11)
    ]


def test_by_subject_is_disjoint_and_stratified(records: list[Annotation]) -> None:
    split = splits.split_by_subject(records, seed=3)
    train, validation, test = (set(split.subjects[part]) for part in splits.PARTS)
    assert not train & validation
    assert not train & test
    assert not validation & test
    assert [len(train), len(validation), len(test)] == [26, 4, 8]
    for part in (train, validation, test):
        assert set(Counter(SKILLS[who] for who in part)) == {"expert", "amateur", "novice"}
    assert split.leaks_subjects is False
    assert set(split.clips) == {record.clip for record in records}
    splits.leaks(split, records)


def test_the_seed_decides(records: list[Annotation]) -> None:
    first = splits.split_by_subject(records, seed=1)
    assert splits.split_by_subject(list(reversed(records)), seed=1) == first
    assert splits.split_by_subject(records, seed=2).clips != first.clips


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 40), st.integers(0, 1000))
def test_no_part_is_empty(count: int, seed: int) -> None:
    some = [Annotation(clip=f"c{n}", action="A01", subject=f"s{n}") for n in range(count)]
    split = splits.split_by_subject(some, seed=seed)
    assert all(split.subjects[part] for part in splits.PARTS)


def test_by_repetition_says_that_it_leaks(records: list[Annotation]) -> None:
    split = splits.split_by_repetition(records, seed=0)
    assert split.leaks_subjects is True
    assert Counter(split.clips.values()) == {"train": 532, "validation": 76, "test": 152}
    numbers = {
        part: {r.repetition for r in records if split.clips[r.clip] == part}
        for part in splits.PARTS
    }
    assert not numbers["train"] & numbers["test"]
    splits.leaks(split, records)


@pytest.mark.parametrize(
    ("make", "field"),
    [(splits.split_by_subject, "subject"), (splits.split_by_repetition, "repetition")],
)
def test_what_is_needed_is_asked_for(
    make: Callable[..., splits.Split], field: str, records: list[Annotation]
) -> None:
    some = [record.model_copy(update={field: None}) for record in records[:7]]
    with pytest.raises(InputError, match=f"7 of 760 records have no {field} \\(A01/001, .*…\\)"):
        make([*some, *records[7:]], seed=0)
    with pytest.raises(InputError, match="no records"):
        make([], seed=0)


def test_two_subjects_are_too_few(records: list[Annotation]) -> None:
    with pytest.raises(InputError, match="at least three subjects, found 2"):
        splits.split_by_subject(records[:20], seed=0)


def test_a_split_is_saved_and_loaded(tmp_path: Path, records: list[Annotation]) -> None:
    split = splits.split_by_subject(records)
    path = tmp_path / "split.json"
    splits.save(split, path)
    assert splits.load(path) == split
    assert split.part("A01/001") in splits.PARTS
    path.write_text(path.read_text().replace('"seed"', '"sed"'))
    with pytest.raises(InputError, match="did you mean seed"):
        splits.load(path)


def test_released_lists_become_a_split(tmp_path: Path, make_record: MakeRecord) -> None:
    (tmp_path / "Split_4").mkdir()
    for part, rows in (("train", [[1, 1, 90.0]]), ("test", [[1, 2, 80.0]])):
        path = tmp_path / f"Split_4/split_4_{part}_list.mat"
        scipy.io.savemat(path, {f"consolidated_{part}_list": np.array(rows)})
    split = splits.split_as_released(tmp_path)
    assert (split.clips, split.leaks_subjects) == ({"A01/001": "train", "A01/002": "test"}, None)
    who = [make_record(f"A01/00{n}", subject="P01") for n in (1, 2)]
    assert splits.split_as_released(tmp_path, who).leaks_subjects is True


def test_a_shared_subject_is_refused(records: list[Annotation]) -> None:
    split = splits.split_by_subject(records)
    subject = split.subjects["test"][0]
    moved = next(record.clip for record in records if record.subject == subject)
    leaky = split.model_copy(update={"clips": {**split.clips, moved: "train"}})
    with pytest.raises(InputError, match=f"subject {subject}: is in train and test"):
        splits.leaks(leaky, records)


def test_a_clip_in_no_part_is_named(records: list[Annotation], make_record: MakeRecord) -> None:
    split = splits.split_by_subject(records)
    with pytest.raises(InputError, match="A03/001: is in no part"):
        splits.leaks(split, [*records, make_record("A03/001", subject="P01")])


def test_shared_bytes_are_refused(write_clip: Callable[..., Path], make_record: MakeRecord) -> None:
    for number, shade in ((1, 0), (2, 60), (3, 120)):
        root = write_clip(f"A01/00{number}", shade=shade, views=1, semg=0)
    some = [make_record(f"A01/00{n}", subject=f"s{n}") for n in (1, 2, 3)]
    split = splits.split_by_subject(some)
    splits.leaks(split, some, root)
    for frame in (root / "A01/001/View-1").iterdir():
        (root / "A01/003/View-1" / frame.name).write_bytes(frame.read_bytes())
    with pytest.raises(InputError) as caught:
        splits.leaks(split, some, root)
    (problem,) = caught.value.problems
    assert problem.place == str(root / "A01/003/View-1")
    assert "has the same bytes as" in problem.message
    assert str(root / "A01/001/View-1") in problem.message
