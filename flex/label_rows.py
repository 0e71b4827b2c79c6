"""The rows of a label table, JSON Lines or CSV, and what one cell of it says.

    for place, row in read_rows(path): ...       # row is a dict, or a `Problem`
    read_label([0.72, 2.19])                     # Seen(start_s=0.72, end_s=2.19)

A label's value: nothing, `false`, `no`, `0` or an empty list says that it was looked for and not
seen; `true`, `yes` or `1` that it was seen; `[0.72, 2.19]`, in a CSV cell `0.72-2.19`, when, in
seconds.
"""

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flex.files import read_jsonl
from flex.problems import InputError, Problem

Row = dict[str, Any]
_NO = ("", "no", "false", "0")
_YES = ("yes", "true", "1")
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[-–]\s*(\d+(?:\.\d+)?)\s*")


class Seen(NamedTuple):
    """A label that was seen; the interval is in seconds, if the table gives one."""

    start_s: float | None = None
    end_s: float | None = None


def read_rows(path: Path) -> Iterator[tuple[str, Row | Problem]]:
    """Yield ("file:line", row) for a .csv file, else for JSON Lines; a bad row is a `Problem`.

    Raises:
        InputError: the file cannot be read, or a CSV header is missing or names a column twice.
    """
    if path.suffix.lower() != ".csv":
        for line, value in read_jsonl(path):
            yield f"{path}:{line}", value
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _csv_rows(path, csv.reader(stream, strict=True))
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), f"not UTF-8 text: {error.reason}")]) from error


def read_label(value: Any) -> Seen | None:
    """Return when a label was seen, or `None` if it was not.

    Raises:
        ValueError: a value that says neither, an interval that is none; says what was found.
    """
    if value is None or value is False or value == []:
        return None
    if value is True:
        return Seen()
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _NO:
            return None
        if word in _YES:
            return Seen()
        if span := _SPAN.fullmatch(value):
            return interval(span[1], span[2])
    if isinstance(value, list) and len(value) == 2:
        return interval(*value)
    raise ValueError(f"expected an interval [start, end] in seconds, yes or no, found {value!r}")


def interval(start: Any, end: Any) -> Seen:
    """Return an interval in seconds.

    Raises:
        ValueError: not two numbers from 0 up, or an end before the start.
    """
    try:
        start_s, end_s = float(start), float(end)
    except (TypeError, ValueError) as error:
        message = f"expected two numbers of seconds, found {start!r} and {end!r}"
        raise ValueError(message) from error
    if isinstance(start, bool) or isinstance(end, bool):
        raise ValueError(f"expected two numbers of seconds, found {start!r} and {end!r}")
    if not (math.isfinite(start_s) and math.isfinite(end_s)) or start_s < 0:
        raise ValueError(f"expected seconds from the clip's start, found {start!r} and {end!r}")
    if end_s < start_s:
        raise ValueError(f"the interval ends ({end_s} s) before it starts ({start_s} s)")
    return Seen(start_s, end_s)


def _csv_rows(path: Path, rows: Any) -> Iterator[tuple[str, Row | Problem]]:
    header: list[str] | None = None
    while True:
        place = f"{path}:{rows.line_num + 1}"
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            yield place, Problem(place, f"not a CSV row: {error}")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(path, cells)
        elif len(cells) != len(header):
            message = f"has {len(cells)} cells, the header {len(header)}"
            yield place, Problem(place, message)
        else:
            yield place, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    if header is None:
        raise InputError([Problem(str(path), "is empty; expected a header row")])


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            [Problem(f"{path}:1", f"column {name!r} is there twice") for name in twice]
        )
    return names
