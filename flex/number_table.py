"""CSV tables of numbers, read strictly: a wrong cell is named by row and column.

    values = read_numbers(path, columns=63, header=True)   # (rows, 63)

NumPy's reader does the work; only a file that it cannot use is gone through cell by cell.
"""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flex.problems import InputError, Problem

Floats = NDArray[np.float64]
_SHOWN = 10


def read_numbers(path: Path, *, columns: int, header: bool) -> Floats:
    """Return the numbers of a CSV file.

    Args:
        path: a comma-separated file.
        columns: how many columns every row must have.
        header: whether the first row holds names; they are skipped.

    Returns:
        values: (rows, columns) float, all finite, at least one row.

    Raises:
        InputError: no such file, an empty one, a row with other columns, a cell that is not a
            finite number (the first ten are named).
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [line for line in stream if line.strip()]
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), f"not UTF-8 text: {error.reason}")]) from error
    values = _fast(lines[int(header) :], columns)
    problems = [] if values is not None else list(_problems(lines, columns, header))
    if header and lines and _is_number_row(lines[0]):
        problems.insert(0, Problem(f"{path}", "the first row must be a header, found numbers"))
    if values is None and not problems:
        problems = [Problem("", f"is not a table of numbers with {columns} columns")]
    if problems or values is None:
        raise InputError(Problem(_place(path, p.place), p.message) for p in _shortened(problems))
    return values


def _fast(lines: list[str], columns: int) -> Floats | None:
    if not lines:
        return None
    try:
        values = np.loadtxt(lines, delimiter=",", comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None
    usable = values.shape[1] == columns and bool(np.isfinite(values).all())
    return values if usable else None


def _problems(lines: list[str], columns: int, header: bool) -> Iterator[Problem]:
    rows = list(csv.reader(lines))
    if len(rows) <= int(header):
        yield Problem("", "holds no rows of numbers")
    for number, row in enumerate(rows[int(header) :], 1 + int(header)):
        if len(row) != columns:
            yield Problem(f"row {number}", f"has {len(row)} columns, expected {columns}")
            continue
        for column, cell in enumerate(row, 1):
            if not _is_finite(cell):
                yield Problem(f"row {number}, column {column}", f"{cell!r} is not a finite number")


def _shortened(problems: list[Problem]) -> list[Problem]:
    more = len(problems) - _SHOWN
    return problems[:_SHOWN] + ([Problem("", f"and {more} more")] if more > 0 else [])


def _place(path: Path, within: str) -> str:
    return f"{path}, {within}" if within and within != str(path) else str(path)


def _is_number_row(line: str) -> bool:
    return all(_is_finite(cell) for cell in line.split(","))


def _is_finite(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
