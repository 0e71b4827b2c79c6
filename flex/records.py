"""Reads JSON Lines whose lines are all of one kind; everything wrong is told at once."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from flex.files import read_jsonl
from flex.problems import InputError, Problem, problems_of

Record = TypeVar("Record", bound=BaseModel)


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """Return the records of a file.

    Raises:
        InputError: the file cannot be read, or every line that is no such record.
    """
    found: list[Record] = []
    problems: list[Problem] = []
    for number, row in read_jsonl(path):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        try:
            found.append(kind.model_validate(row))
        except ValidationError as error:
            place, keys = f"{path}:{number}", sorted(kind.model_fields)
            problems += problems_of(error, lambda _, at=place: at, keys)  # type: ignore[misc]
    if problems:
        raise InputError(problems)
    return found
