"""Reads what a run wrote: its record and its dialogues, one at a time."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from flex.files import read_jsonl
from flex.problems import InputError, Problem, problems_of
from qa_gen.dialogue import Dialogue
from qa_gen.generate import DIALOGUES, FLAGGED, RUN, RunRecord


def read_run(run: Path) -> RunRecord:
    """Return the record of a run.

    Raises:
        InputError: the folder holds no finished run.
    """
    path = run / RUN
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        message = f"cannot be read ({error.strerror}); generate the dialogues first"
        raise InputError([Problem(str(path), message)]) from error
    except ValidationError as error:
        keys = sorted(RunRecord.model_fields)
        raise InputError(problems_of(error, lambda _: str(path), keys)) from error


def read_dialogues(run: Path, *, flagged: bool = False) -> Iterator[Dialogue]:
    """Yield the dialogues of a run that passed the fact check, or those that were flagged.

    Raises:
        InputError: a line that is not a dialogue, named with its fields.
    """
    path = run / (FLAGGED if flagged else DIALOGUES)
    keys = sorted(Dialogue.model_fields)
    for number, value in read_jsonl(path):
        if isinstance(value, Problem):
            raise InputError([value])
        try:
            yield Dialogue.model_validate(value)
        except ValidationError as error:
            place = f"{path}:{number}"
            raise InputError(problems_of(error, lambda _, p=place: p, keys)) from error
