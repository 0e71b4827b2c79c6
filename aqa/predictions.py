"""What a run says of clips, one JSON object a line: `predictions.jsonl`.

    write_predictions(run / PREDICTIONS_FILE, predictions)
    for row in read_predictions(run / PREDICTIONS_FILE): ...

Training and `predict` write it; evaluation reads nothing else of a run.
"""

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from aqa.options import Head
from flex.files import write_jsonl
from flex.records import read_records
from flex.sample import Skill
from flex.splits import Part

PREDICTIONS_FILE = "predictions.jsonl"


class Prediction(BaseModel):
    """What is said of one clip, beside what is true.

    Attributes:
        clip: id of the clip.
        action: id of its action.
        subject: who lifts, or `None` where nobody says.
        repetition: number within the set.
        skill: of the subject.
        part: where the clip lies in the split: train, validation or test.
        variant: name of the recipe, such as "mv_pose".
        head: CoRe, or the graph head.
        seed: of the training.
        views: the views that were read.
        score: what the model says, on the scale of Eq. 1; CoRe may leave 0–100.
        truth: the label's score, or `None` for a clip without one.
        votes: CoRe: what each exemplar says, in the order of the draw.
        voters: CoRe: the exemplars.
        probabilities: graph head: occurrence → calibrated probability, where it was judged.
        errors: graph head: the occurrences that are claimed.
        abstained: graph head: the occurrences that nothing recorded can show.
        claimed_score: graph head: Eq. 1 on the claimed errors over what was judged.
        true_errors: the label's occurrences, or `None` if errors were not labelled.
        labelled: what annotators looked for; `None` means all of the action.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: str
    action: str
    subject: str | None = None
    repetition: int | None = None
    skill: Skill | None = None
    part: Part
    variant: str
    head: Head
    seed: int
    views: tuple[str, ...] = ()
    score: float
    truth: float | None = None
    votes: tuple[float, ...] = ()
    voters: tuple[str, ...] = ()
    probabilities: dict[str, float] = Field(default_factory=dict)
    errors: tuple[str, ...] = ()
    abstained: tuple[str, ...] = ()
    claimed_score: float | None = None
    true_errors: tuple[str, ...] | None = None
    labelled: tuple[str, ...] | None = None


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> int:
    """Write predictions atomically; return how many."""
    return write_jsonl(path, predictions)


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions of a file.

    Raises:
        InputError: the file cannot be read, or every line that is no prediction.
    """
    return read_records(path, Prediction)
