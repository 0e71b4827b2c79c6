"""Which clips are for training, validation and test: a file with subject ids, made once.

    split = split_by_subject(records, seed=0)
    save(split, root / "split_subject.json")
    leaks(split, records, root)           # refuses shared subjects and shared clip bytes

- `subject` (default): no subject is on two sides, skills are spread evenly over the parts.
- `repetition`: every subject is on every side. Easier than real use; the file says that it leaks.
- `released`: the authors' lists, which hold no subject ids.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flex.files import write_text
from flex.problems import InputError, Problem, problems_of
from flex.released_lists import read_released_lists
from flex.sample import Annotation

Kind = Literal["subject", "repetition", "released"]
Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
SHARES: Mapping[Part, float] = {"train": 0.7, "validation": 0.1, "test": 0.2}
_SHOWN = 5


class Split(BaseModel):
    """A split, as its file holds it.

    Attributes:
        kind: how it was made.
        seed: what the draw started from; `None` for the released lists.
        leaks_subjects: whether a subject is in more than one part; `None` if nobody can tell.
        subjects: part → its subjects, sorted.
        clips: clip id → part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    seed: int | None = None
    leaks_subjects: bool | None
    subjects: dict[Part, tuple[str, ...]]
    clips: dict[str, Part]

    def part(self, clip: str) -> Part:
        """Return the part of a clip.

        Raises:
            InputError: the split does not name the clip.
        """
        if clip not in self.clips:
            raise InputError([Problem(clip, "is in no part of the split; make the split again")])
        return self.clips[clip]

    def clips_of(self, part: Part) -> tuple[str, ...]:
        """Return the clips of a part, in the order of the file."""
        return tuple(clip for clip, where in self.clips.items() if where == part)


def split_by_subject(records: Iterable[Annotation], *, seed: int = 0) -> Split:
    """Split so that no subject is in two parts: 70, 10 and 20 % of the subjects.

    Subjects are drawn skill by skill, so that each part has its share of every skill.

    Raises:
        InputError: records without a subject, or fewer than three subjects.
    """
    records = list(records)
    require_subjects([r.clip for r in records if r.subject is None], len(records))
    skills = {str(record.subject): record.skill or "" for record in reversed(records)}
    where = parts_of_subjects(skills, seed=seed)
    return _split("subject", seed, records, {r.clip: where[str(r.subject)] for r in records})


def parts_of_subjects(skills: Mapping[str, str], *, seed: int = 0) -> dict[str, Part]:
    """Return subject → part, from subject → skill; 70, 10 and 20 % of the subjects of each skill.

    Raises:
        InputError: fewer than three subjects.
    """
    by_skill: dict[str, list[str]] = {}
    for subject, skill in sorted(skills.items()):
        by_skill.setdefault(skill, []).append(subject)
    rng = random.Random(seed)
    order = [
        s for skill in sorted(by_skill) for s in rng.sample(by_skill[skill], len(by_skill[skill]))
    ]
    return _allot(order, "subjects", "split by repetition, or add subjects")


def split_by_repetition(records: Iterable[Annotation], *, seed: int = 0) -> Split:
    """Split by the number of the repetition: every subject is in every part.

    Raises:
        InputError: records without a repetition, or fewer than three different numbers.
    """
    records = list(records)
    without = [record.clip for record in records if record.repetition is None]
    advice = "add the numbers of the repetitions, or split by subject"
    _require(without, len(records), "repetition", advice)
    numbers = sorted({str(record.repetition) for record in records})
    where = _allot(random.Random(seed).sample(numbers, len(numbers)), "repetitions", "add more")
    return _split("repetition", seed, records, {r.clip: where[str(r.repetition)] for r in records})


def split_as_released(root: Path, records: Iterable[Annotation] = ()) -> Split:
    """Return the authors' own split, from the lists under `root`; it has no validation part.

    Raises:
        InputError: a list that is missing or unreadable.
    """
    clips: dict[str, Part] = {
        row.clip: part for part, rows in read_released_lists(root).items() for row in rows
    }
    return _split("released", None, list(records), clips)


def save(split: Split, path: Path) -> None:
    """Write a split as JSON, atomically."""
    write_text(path, split.model_dump_json(indent=1) + "\n")


def load(path: Path) -> Split:
    """Read a split.

    Raises:
        InputError: the file cannot be read, or is not a split.
    """
    try:
        return Split.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except ValidationError as error:
        keys = sorted(Split.model_fields)
        raise InputError(problems_of(error, lambda _: str(path), keys)) from error


def leaks(split: Split, records: Iterable[Annotation], root: Path | None = None) -> None:
    """Refuse a split that leaks, or that does not fit the records.

    Args:
        split: what is checked.
        records: the data set; subjects are taken from here, not from the file of the split.
        root: the data folder; with it the recordings of different parts are compared byte for byte.

    Raises:
        InputError: a subject in two parts (split by subject), clips in different parts with
            the same bytes, records that are in no part.
    """
    from flex.shared_bytes import shared_recordings

    records = list(records)
    problems = [
        Problem(record.clip, "is in no part of the split; make the split again")
        for record in records
        if record.clip not in split.clips
    ]
    if split.kind == "subject":
        problems += [
            Problem(f"subject {subject}", f"is in {' and '.join(parts)}")
            for subject, parts in _shared_subjects(records, split.clips).items()
        ]
    if root is not None:
        problems += shared_recordings(root, records, split.clips)
    if problems:
        raise InputError(problems)


def _split(
    kind: Kind, seed: int | None, records: Sequence[Annotation], clips: Mapping[str, Part]
) -> Split:
    members: dict[Part, set[str]] = {part: set() for part in PARTS}
    for record in records:
        if record.subject is not None and record.clip in clips:
            members[clips[record.clip]].add(record.subject)
    shared: bool | None = bool(_shared_subjects(records, clips))
    known = {record.clip for record in records if record.subject is not None}
    if not shared and not known.issuperset(clips):
        shared = None
    return Split(
        kind=kind,
        seed=seed,
        leaks_subjects=shared,
        subjects={part: tuple(sorted(members[part])) for part in PARTS},
        clips=dict(sorted(clips.items())),
    )


def _shared_subjects(
    records: Iterable[Annotation], clips: Mapping[str, Part]
) -> dict[str, list[Part]]:
    parts: dict[str, set[Part]] = {}
    for record in records:
        if record.subject is not None and record.clip in clips:
            parts.setdefault(record.subject, set()).add(clips[record.clip])
    return {
        subject: sorted(found, key=PARTS.index)
        for subject, found in sorted(parts.items())
        if len(found) > 1
    }


def _allot(items: Sequence[str], what: str, advice: str) -> dict[str, Part]:
    """Give each item in turn to the part that is furthest behind its share.

    Items that are neighbours (one skill) so end up in all parts, and each part gets at least one.
    """
    if len(items) < len(PARTS):
        message = f"three parts need at least three {what}, found {len(items)}; {advice}"
        raise InputError([Problem("split", message)])
    counts = dict.fromkeys(PARTS, 0)
    where: dict[str, Part] = {}
    for seen, item in enumerate(items, 1):
        part = max(PARTS, key=lambda p: SHARES[p] * seen - counts[p])
        counts[part] += 1
        where[item] = part
    for part in PARTS:
        if not counts[part]:
            donor = next(item for item in items if where[item] == "train")
            where[donor] = part
    return where


def require_subjects(without: Sequence[str], count: int) -> None:
    """Refuse to split `count` records by subject if there are none, or some have no subject.

    Raises:
        InputError: how many records have none, the first of them, and what to do.
    """
    advice = "add the subject ids, or split by repetition and say that it leaks"
    _require(without, count, "subject", advice)


def _require(without: Sequence[str], count: int, field: str, advice: str) -> None:
    if not count:
        raise InputError([Problem("split", "there are no records to split")])
    if without:
        first = ", ".join(without[:_SHOWN]) + (", …" if len(without) > _SHOWN else "")
        message = f"{len(without)} of {count} records have no {field} ({first}); {advice}"
        raise InputError([Problem("split", message)])
