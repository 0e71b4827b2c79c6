"""What a run writes, `run.json` and its dialogues, and how to read it, one dialogue at a time."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from flex.files import read_jsonl
from flex.problems import InputError, Loc, Problem, problems_of
from qa_gen.dialogue import Dialogue

DIALOGUES = "dialogues.jsonl"
FLAGGED = "flagged.jsonl"
RUN = "run.json"


class RunRecord(BaseModel):
    """What was run, kept beside its output as `run.json`.

    Attributes:
        data: folder or file of the annotations, as given.
        complete: false if the run was stopped; `stopped` then says why.
        settings: the writer's settings, without secrets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    graph: str
    graph_name: str
    writer: str
    model: str | None = None
    seed: int
    split: str
    prompts: str
    versions: dict[str, str]
    settings: dict[str, str | int | float | bool | None] = {}
    dialogues: int = 0
    flagged: int = 0
    complete: bool = True
    stopped: str | None = None

    @property
    def folder_name(self) -> str:
        """The name of the folder that holds the recordings."""
        given = Path(self.data)
        return (given.parent if given.suffix else given).name


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
            place = partial(_always, f"{path}:{number}")
            raise InputError(problems_of(error, place, keys)) from error


def _always(place: str, _: Loc) -> str:
    return place
