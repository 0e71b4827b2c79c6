"""The dialogues that `make qa-dataset` wrote, read back: one `DialogueRecord` a clip.

for record in read_dialogues(Path("runs/qa/dialogues.jsonl"), split="train"):
    clip = view_path(Path("data/flex-sim"), record)
"""

from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flex.files import read_jsonl
from flex.problems import InputError, Problem, problems_of

Stage = Literal["recognise", "standard", "evaluate", "score"]
STAGES: tuple[Stage, ...] = get_args(Stage)
DEFAULT_VIEW = "View-1"
# How long an answer may get. The longest reference answer of FLEX-Sim has 667 tokens of Qwen2.5's
# tokenizer and 663 of the tiny coach's; 10 of 399 evaluations have more than 512.
MAX_NEW_TOKENS = 1024


class Turn(BaseModel):
    """One question and its answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: Stage
    question: str
    answer: str


class DialogueRecord(BaseModel):
    """What is asked and answered about one clip.

    Attributes:
        clip: the clip's id, `A01/001`.
        split: train, validation or test; by subject.
        views: view name → path relative to the data folder; empty where the authors' layout holds.
        turns: the four stages, in order.
        facts: what the answers were written from: errors, penalty, score.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    clip: str
    action: str
    subject: str | None = None
    skill: str | None = None
    split: str
    views: dict[str, str] = {}
    turns: tuple[Turn, ...] = Field(min_length=1)
    facts: dict[str, Any] = {}
    simulated: bool = False


def read_dialogues(path: Path, split: str | None = None) -> list[DialogueRecord]:
    """Return the dialogues of one split, or of all.

    Raises:
        InputError: every line that is not a dialogue; or the split has none.
    """
    records, problems = [], []
    for number, row in read_jsonl(path):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        place = f"{path}:{number}"
        try:
            records.append(DialogueRecord.model_validate(row))
        except ValidationError as error:
            problems += problems_of(error, lambda _, place=place: place)  # type: ignore[misc]
    if problems:
        raise InputError(problems)
    chosen = [record for record in records if split in (None, record.split)]
    if not chosen:
        found = ", ".join(sorted({record.split for record in records})) or "no dialogues"
        raise InputError([Problem(str(path), f"has no dialogues of split {split!r}; has {found}")])
    return chosen


def view_path(data: Path, record: DialogueRecord, view: str = DEFAULT_VIEW) -> Path:
    """Return where one view of a clip lies: a folder of frames or a video file.

    Raises:
        InputError: the clip has no such view.
    """
    if view in record.views:
        path = data / record.views[view]
        if path.exists():
            return path
        raise InputError([Problem(str(path), f"{view} of clip {record.clip} is missing")])
    for path in (data / record.clip / view, data / record.clip / f"{view}.mp4"):
        if path.exists():
            return path
    place = str(data / record.clip)
    raise InputError([Problem(place, f"holds neither a folder {view} nor {view}.mp4")])
