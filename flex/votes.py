"""What several annotators saw: `votes.jsonl`, one line per clip and annotator.

    {"clip": "A01/001", "annotator": "s1-a", "stage": 1, "errors": ["AK01:ET001"]}

Stage 1 labels; stage 2 reviews, by other people (section 3.3.2). A vote holds everything that its
annotator saw, so an empty list says "no error", and a clip that somebody skipped has no line.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flex.annotation_checks import occurrence_problem
from flex.files import read_jsonl
from flex.graph import Graph, Occurrence
from flex.problems import InputError, Problem, problems_of
from flex.sample import Annotation, OccurrenceId

Stage = Literal[1, 2]
STAGES: tuple[Stage, ...] = (1, 2)


class Vote(BaseModel):
    """Every error that one annotator saw in one clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip: Annotated[str, Field(min_length=1)]
    annotator: Annotated[str, Field(min_length=1)]
    stage: Stage
    errors: tuple[OccurrenceId, ...]

    @property
    def occurrences(self) -> frozenset[Occurrence]:
        """The errors as (key step, error type) pairs."""
        return frozenset(map(Occurrence.parse, self.errors))


@dataclass(frozen=True)
class Question:
    """What was asked about a clip: its action, and which occurrences were looked for."""

    action: str
    scope: tuple[Occurrence, ...]


def questions_of(records: Iterable[Annotation], graph: Graph) -> dict[str, Question]:
    """Return clip → what its annotators were asked."""
    return {
        record.clip: Question(record.action, record.scope or graph.occurrences(record.action))
        for record in records
    }


def read_votes(
    path: Path, graph: Graph, questions: Mapping[str, Question] | None = None
) -> list[Vote]:
    """Return all votes of a file.

    Args:
        path: a JSON Lines file.
        graph: what errors an action can show.
        questions: the clips that there are; without it, a clip's action is the first part of its
            id, as in `A01/001`.

    Raises:
        InputError: every problem: unknown clips and errors, an annotator who votes twice or in
            both stages of one clip, errors outside what was labelled.
    """
    votes: list[Vote] = []
    problems: list[Problem] = []
    lines: dict[tuple[str, str], tuple[int, Stage]] = {}
    for line, value in read_jsonl(path):
        if isinstance(value, Problem):
            problems.append(value)
            continue
        place = f"{path}:{line}"
        vote = _vote(value, place, problems)
        if vote is None:
            continue
        first_line, stage = lines.setdefault((vote.clip, vote.annotator), (line, vote.stage))
        if first_line != line:
            message = f"{vote.annotator} already votes on {vote.clip} on line {first_line}"
            more = "" if stage == vote.stage else "; nobody reviews a label of their own"
            problems.append(Problem(place, message + more))
        question = question_of(vote.clip, graph, questions)
        problems += [Problem(place, why) for why in _wrong(vote, question, graph)]
        votes.append(vote)
    if problems:
        raise InputError(problems)
    return votes


def question_of(
    clip: str, graph: Graph, questions: Mapping[str, Question] | None
) -> Question | None:
    """Return what was asked about a clip, or `None` if the clip or its action is not known."""
    if questions is not None:
        return questions.get(clip)
    action = clip.partition("/")[0]
    return Question(action, graph.occurrences(action)) if action in graph.actions else None


def _vote(value: object, place: str, problems: list[Problem]) -> Vote | None:
    try:
        return Vote.model_validate(value)
    except ValidationError as error:
        problems += problems_of(error, lambda _: place, sorted(Vote.model_fields))
        return None


def _wrong(vote: Vote, question: Question | None, graph: Graph) -> Iterator[str]:
    if question is None:
        yield f"clip {vote.clip!r} has no record, so its action is not known"
        return
    for text in vote.errors:
        try:
            item = Occurrence.parse(text)
        except ValueError as error:
            yield f"errors: {error}"
            continue
        if why := occurrence_problem(item, question.action, graph):
            yield f"errors: {why}"
        elif item not in question.scope:
            yield f"errors: {item} is outside what the record of {vote.clip} says was labelled"
        if vote.errors.count(text) > 1:
            yield f"errors: {text} is given twice"
