"""One answer of a coach beside what is true of its clip: what `predict` writes and `score` reads.

answers = read_answers(Path("runs/eval/answers.jsonl"))
answers[0].mode, answers[0].stage, answers[0].answer
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flex.files import read_jsonl, write_jsonl
from flex.graph import Graph, Occurrence
from flex.problems import InputError, Problem, problems_of
from flex.sample import OccurrenceId, Seconds

Stage = Literal["recognise", "standard", "evaluate", "score"]
STAGES: tuple[Stage, ...] = ("recognise", "standard", "evaluate", "score")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Truth(_Record):
    """What annotators say of a clip.

    Attributes:
        errors: the observed occurrences, such as `AK04:ET015`.
        score: Eq. 1, 0–100; `None` where the source gives none.
        labelled: the occurrences that were looked for; `None` means all of the action.
        times: occurrence → (start, end) in seconds, where the annotators gave them.
    """

    errors: tuple[OccurrenceId, ...] = ()
    score: Annotated[float, Field(ge=0, le=100)] | None = None
    labelled: tuple[OccurrenceId, ...] | None = None
    times: dict[OccurrenceId, tuple[Seconds, Seconds]] = {}

    @property
    def observed(self) -> tuple[Occurrence, ...]:
        """The observed (key step, error type) pairs."""
        return tuple(map(Occurrence.parse, self.errors))

    def scope(self, graph: Graph, action: str) -> tuple[Occurrence, ...]:
        """Return the occurrences that were looked for: an answer is judged on these only."""
        if self.labelled is None:
            return graph.occurrences(action)
        return tuple(map(Occurrence.parse, self.labelled))


class Answer(_Record):
    """One answer of one mode to one question about one clip.

    Attributes:
        action: id of the action that the clip really shows.
        subject: who lifts; intervals are clustered by it. Unknown subjects count one a clip.
        view: the camera that the model saw.
        mode: pretrained, prompted, tuned, or the name of a baseline.
        reference: the answer of the data set; empty where there is none.
        answer: what the model said; may be empty.
        cut: whether it was cut at the longest length allowed.
        found: error occurrences stated as ids, for a baseline that does not write prose.
        names: the clip's own names for its labels ("knees" → `AK04:ET015`), which an answer may
            use in a list of moments: "knees from 0.7 s to 2.1 s".
    """

    clip: Annotated[str, Field(min_length=1)]
    action: str
    subject: str | None = None
    skill: str | None = None
    view: str | None = None
    mode: Annotated[str, Field(min_length=1)]
    stage: Stage
    question: str = ""
    reference: str = ""
    answer: str
    cut: bool = False
    found: tuple[OccurrenceId, ...] | None = None
    names: dict[str, OccurrenceId] = {}
    truth: Truth

    @property
    def cluster(self) -> str:
        """What the bootstrap draws: the subject, or the clip where nobody says who lifts."""
        return self.subject or f"clip {self.clip}"


def read_answers(path: Path, graph: Graph | None = None) -> list[Answer]:
    """Return the answers of a JSON Lines file.

    Args:
        path: one `Answer` a line.
        graph: if given, actions and occurrences are checked against it.

    Raises:
        InputError: every problem at once: unreadable lines, unknown fields, wrong values, unknown
            actions or errors, one question answered twice by one mode.
    """
    answers: list[Answer] = []
    problems: list[Problem] = []
    first: dict[tuple[str, str, str, str | None], str] = {}
    for number, row in read_jsonl(path):
        place = f"{path}:{number}"
        if isinstance(row, Problem):
            problems.append(row)
            continue
        try:
            answer = Answer.model_validate(row)
        except ValidationError as error:
            known = sorted({*Answer.model_fields, *Truth.model_fields})
            problems += problems_of(error, lambda _, at=place: at, known)  # type: ignore[misc]
            continue
        problems += [Problem(place, why) for why in _unknown(answer, graph)]
        key = (answer.mode, answer.clip, answer.stage, answer.view)
        if key in first:
            message = f"{answer.mode} already answers {answer.stage} of {answer.clip} at "
            problems.append(Problem(place, message + first[key]))
        first.setdefault(key, place)
        answers.append(answer)
    if not answers and not problems:
        problems.append(Problem(str(path), "holds no answers; expected one JSON object a line"))
    if problems:
        raise InputError(problems)
    return answers


def answer_files(given: Sequence[Path] | None, out: Path) -> list[Path]:
    """Return the files given, or every answers-*.jsonl of a run.

    Raises:
        InputError: there is none.
    """
    files = list(given) if given else sorted(out.glob("answers-*.jsonl"))
    if not files:
        raise InputError([Problem(str(out), "holds no answers-*.jsonl; run `predict` first")])
    return files


def find_answers(given: Sequence[Path] | None, out: Path, graph: Graph) -> list[Answer]:
    """Return all answers of the files given, or of a run."""
    return [answer for file in answer_files(given, out) for answer in read_answers(file, graph)]


def write_answers(path: Path, answers: Iterable[Answer]) -> int:
    """Write answers as JSON Lines, atomically; return how many."""
    return write_jsonl(path, answers)


def of_stage(answers: Iterable[Answer], stage: Stage) -> list[Answer]:
    """Return the answers to one stage, in order."""
    return [answer for answer in answers if answer.stage == stage]


def by_mode(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    """Return mode → its answers, in the order in which modes first occur."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(answer.mode, []).append(answer)
    return groups


def paired(one: Sequence[Answer], other: Sequence[Answer]) -> tuple[list[int], list[int]]:
    """Return the positions in both lists of the questions that both answer, in one order."""
    where = {(a.clip, a.stage, a.view): number for number, a in enumerate(other)}
    pairs = [
        (number, where[key])
        for number, a in enumerate(one)
        if (key := (a.clip, a.stage, a.view)) in where
    ]
    return [left for left, _ in pairs], [right for _, right in pairs]


def _unknown(answer: Answer, graph: Graph | None) -> list[str]:
    if graph is None:
        return []
    try:
        known = set(map(str, graph.occurrences(answer.action)))
    except InputError as error:
        return [problem.message for problem in error.problems]
    truth = answer.truth
    given = (*truth.errors, *(truth.labelled or ()), *truth.times, *(answer.found or ()))
    return [
        f"{item} is not an error of {answer.action}"
        for item in dict.fromkeys(given)
        if item not in known
    ]
