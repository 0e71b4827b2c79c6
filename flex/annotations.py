"""Reads `annotations.jsonl` and lists everything that is wrong with it, each with its line.

    for record in read_annotations(path, graph): ...   # one record at a time, whatever the size
    records = load_annotations(path, graph)            # all of them, or none

A byte order mark and CRLF line ends are accepted. A record without a score gets the one that its
errors give (Eq. 1). The rules for one record are in `flex.annotation_checks`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from flex.annotation_checks import record_problems, score_of
from flex.files import read_jsonl, write_text
from flex.graph import Graph
from flex.problems import InputError, Problem, problems_of
from flex.sample import Annotation, ErrorLabel, PhaseSpan, Semg

ANNOTATIONS_FILE = "annotations.jsonl"
OnProblem = Callable[[Problem], None]
_KEYS = sorted(
    {key for model in (Annotation, ErrorLabel, PhaseSpan, Semg) for key in model.model_fields}
)


def read_annotations(
    path: Path, graph: Graph, *, on_problem: OnProblem | None = None
) -> Iterator[Annotation]:
    """Yield the valid records of a file, one at a time.

    Args:
        path: a JSON Lines file.
        graph: what actions, key steps and error types are known, and their weights.
        on_problem: called with each problem; its record is left out. Without it the problems are
            kept and raised together after the last record.

    Raises:
        InputError: every problem of the file, if `on_problem` is not given.
    """
    found: list[Problem] = []
    for _, record in read_placed(path, graph, on_problem or found.append):
        yield record
    if found:
        raise InputError(found)


def load_annotations(path: Path, graph: Graph) -> list[Annotation]:
    """Return all records of a file.

    Raises:
        InputError: every problem of the file: place, field, what was found, what was expected.
    """
    return list(read_annotations(path, graph))


def write_annotations(
    path: Path, records: Sequence[Annotation], *, overwrite: bool = False
) -> None:
    """Write records, atomically; a file with other records is kept unless `overwrite` is given.

    Raises:
        InputError: the file is there with other content.
    """
    text = "".join(record.model_dump_json(exclude_none=True) + "\n" for record in records)
    if path.exists() and not overwrite and path.read_bytes() != text.encode():
        message = "is there with other records; name another folder, or overwrite it"
        raise InputError([Problem(str(path), f"{message} (--overwrite)")])
    write_text(path, text)


def read_placed(path: Path, graph: Graph, report: OnProblem) -> Iterator[tuple[int, Annotation]]:
    """Yield (line number, record) for the valid records; problems go to `report`."""
    first_line: dict[str, int] = {}
    try:
        for line, value in read_jsonl(path):
            if isinstance(value, Problem):
                report(value)
                continue
            record = _record(value, f"{path}:{line}", graph, report)
            if record is None:
                continue
            if record.clip in first_line:
                message = f"clip {record.clip!r} is already on line {first_line[record.clip]}"
                report(Problem(f"{path}:{line}", message))
                continue
            first_line[record.clip] = line
            yield line, record
    except InputError as error:
        for problem in error.problems:
            report(problem)


def _record(value: object, place: str, graph: Graph, report: OnProblem) -> Annotation | None:
    try:
        record = Annotation.model_validate(value)
    except ValidationError as error:
        for problem in problems_of(error, lambda _: place, _KEYS):
            report(problem)
        return None
    wrong = False
    for message in record_problems(record, graph):
        report(Problem(place, message))
        wrong = True
    if wrong:
        return None
    if record.score is None:
        record = record.model_copy(update={"score": score_of(record, graph)})
    return record
