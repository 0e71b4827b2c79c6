"""segments.csv: where each repetition and its phases lie in the recordings; made to be corrected.

recording,repetition,start_s,phase_2_s,phase_3_s,end_s,confidence
N03-A16,1,12.31,12.80,13.95,15.02,0.93

Seconds on the clock of the set. Columns that end in `_frame` instead of `_s` count rows of the
skeleton from 0. `confidence` may be left out or empty: a person has looked.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from flex.files import write_text
from flex.problems import InputError, Problem, nearest

SEGMENTS_FILE = "segments.csv"
_TIMES = ("start", "phase_2", "phase_3", "end")
_HEADER = ("recording", "repetition", *(f"{name}_s" for name in _TIMES), "confidence")
_OVERLAP_S = 0.001


@dataclass(frozen=True)
class Segment:
    """One repetition within its recording.

    Attributes:
        times_s: (4,) start of the preparation, of the two phases of movement, and the end.
        confidence: 0 to 1 of a proposal; `None` for what a person states.
    """

    recording: str
    repetition: int
    times_s: tuple[float, ...]
    confidence: float | None = None

    @property
    def duration_s(self) -> float:
        """How long the repetition takes."""
        return self.times_s[-1] - self.times_s[0]


def write_segments(path: Path, segments: Iterable[Segment]) -> None:
    """Write a table, atomically."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for row in segments:
        times = (f"{time_s:.4f}" for time_s in row.times_s)
        sure = "" if row.confidence is None else f"{row.confidence:.3f}"
        writer.writerow([row.recording, row.repetition, *times, sure])
    write_text(path, text.getvalue())


def read_segments(path: Path, rates_hz: Mapping[str, float]) -> list[Segment]:
    """Return the repetitions of a table, by recording and time.

    Args:
        path: the table.
        rates_hz: recording → rows of its skeleton a second; a row may name no other.

    Raises:
        InputError: everything that is wrong: header, cells, order of times, two repetitions of
            one number, repetitions that overlap.
    """
    problems: list[Problem] = []
    rows: list[tuple[int, Segment]] = []
    for line, cells, columns in _lines(path):
        try:
            rows.append((line, _segment(cells, columns, rates_hz)))
        except ValueError as error:
            problems.append(Problem(f"{path}:{line}", str(error)))
    rows.sort(key=lambda row: (row[1].recording, row[1].times_s))
    problems += _contradictions(path, rows)
    if problems:
        raise InputError(problems)
    return [segment for _, segment in rows]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str], list[str]]]:
    """Yield line number, cells by column, and the names of the columns of times."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Problem(str(path), f"cannot be read: {error}")]) from error
    reader = csv.DictReader(io.StringIO(text))
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    columns = [next((n for n in (f"{t}_s", f"{t}_frame") if n in header), f"{t}_s") for t in _TIMES]
    problems = [
        Problem(f"{path}:1", f"the column {name} is missing{nearest(name, header)}")
        for name in ("recording", "repetition", *columns)
        if name not in header
    ]
    if problems:
        raise InputError(problems)
    for row in reader:
        yield reader.line_num, {key: (row[key] or "").strip() for key in header}, columns


def _segment(cells: dict[str, str], columns: list[str], rates_hz: Mapping[str, float]) -> Segment:
    name = cells["recording"]
    if name not in rates_hz:
        raise ValueError(f"recording: there is no {name!r}{nearest(name, rates_hz)}")
    repetition = cells["repetition"]
    if not repetition.isdecimal() or int(repetition) < 1:
        raise ValueError(f"repetition: expected 1, 2, …, found {repetition!r}")
    times = []
    for column in columns:
        value = _number(column, cells[column])
        times.append(value / rates_hz[name] if column.endswith("_frame") else value)
    if times[0] < 0 or any(one >= other for one, other in pairwise(times)):
        shown = ", ".join(f"{time_s:.3f}" for time_s in times)
        raise ValueError(f"times must rise from start to end and not be negative, found {shown}")
    sure = cells.get("confidence", "")
    confidence = _number("confidence", sure) if sure else None
    return Segment(name, int(repetition), tuple(times), confidence)


def _number(column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{column}: expected a number, found {cell!r}") from None
    if not 0 <= value < float("inf"):
        raise ValueError(f"{column}: expected a number from 0, found {cell!r}")
    return value


def _contradictions(path: Path, rows: list[tuple[int, Segment]]) -> Iterator[Problem]:
    first_line: dict[tuple[str, int], int] = {}
    for line, row in rows:
        key = (row.recording, row.repetition)
        if first_line.setdefault(key, line) != line:
            message = f"repetition {row.repetition} is already on line {first_line[key]}"
            yield Problem(f"{path}:{line}", message)
    for (before, one), (line, other) in pairwise(rows):
        if one.recording == other.recording and other.times_s[0] < one.times_s[-1] - _OVERLAP_S:
            message = (
                f"repetition {other.repetition} starts at {other.times_s[0]:.3f} s, before "
                f"repetition {one.repetition} (line {before}) ends at {one.times_s[-1]:.3f} s"
            )
            yield Problem(f"{path}:{line}", message)
