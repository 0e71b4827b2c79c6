"""The authors' split lists: `Split_4/split_4_{train,test}_list.mat`.

    lists = read_released_lists(root)      # {"train": (ListedClip("A01/001", 77.02), ...), ...}

Rows are [class, index, score]; class 1 is A01 and index 1 is folder 001. The lists hold no subject
ids, so nobody can tell from them whether a subject is on both sides.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from flex.problems import InputError, Problem

ListedPart = Literal["train", "test"]
LISTED_PARTS: tuple[ListedPart, ...] = ("train", "test")


class ListedClip(NamedTuple):
    """One row of a list."""

    clip: str
    score: float


def list_path(root: Path, part: ListedPart) -> Path:
    """Return where the layout keeps the list of a part."""
    return root / "Split_4" / f"split_4_{part}_list.mat"


def read_released_lists(root: Path) -> dict[ListedPart, tuple[ListedClip, ...]]:
    """Return the clips of both lists.

    Raises:
        InputError: a list that is missing or unreadable, rows of another shape, a clip twice.
    """
    problems: list[Problem] = []
    lists: dict[ListedPart, tuple[ListedClip, ...]] = {}
    for part in LISTED_PARTS:
        try:
            lists[part] = tuple(_rows(list_path(root, part), f"consolidated_{part}_list"))
        except InputError as error:
            problems += error.problems
    problems += _repeated(root, lists)
    if problems:
        raise InputError(problems)
    return lists


def _rows(path: Path, key: str) -> Iterator[ListedClip]:
    import numpy as np

    values = _matrix(path, key)
    if values.ndim != 2 or values.shape[1] < 3 or not np.issubdtype(values.dtype, np.number):
        shape = "×".join(map(str, values.shape))
        message = f"{key}: expected rows [class, index, score] of numbers, found {shape}"
        raise InputError([Problem(str(path), f"{message} of {values.dtype}")])
    wrong = [
        Problem(f"{path}, row {number}", f"expected [class, index, score], found {row.tolist()}")
        for number, row in enumerate(values, 1)
        if not np.isfinite(row[:3]).all() or (row[:2] < 1).any() or (row[:2] % 1).any()
    ]
    if wrong:
        raise InputError(wrong)
    for row in values:
        yield ListedClip(f"A{int(row[0]):02d}/{int(row[1]):03d}", float(row[2]))


def _matrix(path: Path, key: str) -> Any:
    import scipy.io

    if not path.is_file():
        raise InputError([Problem(str(path), "is missing")])
    try:
        content = scipy.io.loadmat(path)
    except Exception as error:  # the reader fails with whatever a broken file makes it stumble on
        raise InputError([Problem(str(path), f"is not a readable .mat file: {error}")]) from error
    if key not in content:
        names = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        raise InputError([Problem(str(path), f"expected the key {key!r}, found {names}")])
    return content[key]


def _repeated(root: Path, lists: dict[ListedPart, tuple[ListedClip, ...]]) -> Iterator[Problem]:
    seen: dict[str, ListedPart] = {}
    for part, rows in lists.items():
        for row in rows:
            if row.clip in seen:
                message = f"{row.clip} is already in the {seen[row.clip]} list"
                yield Problem(str(list_path(root, part)), message)
            seen.setdefault(row.clip, part)
