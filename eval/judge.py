"""Has a language model grade evaluations against the error list of their own clip. Optional.

grades = grade(graph, answers, Endpoint("http://localhost:8000/v1", "judge"), out)

Grades come with a reason and are cached. A judge is a second opinion beside the coach metrics: it
reads what the matcher may misread, and is itself no ground truth.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.answers import Answer, of_stage
from eval.asking import Served, ask_all, json_object
from eval.predict_cache import AnswerCache
from flex.files import write_jsonl
from flex.graph import Graph, Occurrence
from flex.records import read_records
from flex.templates import render
from vlm.generate import Decoding

# A judge that does not answer in the form is asked this often before its grade is missing.
TRIES = 2
MARKS = ("found", "honest", "advice", "clear")
GRADES_FILE = "judge.jsonl"
Mark = Annotated[int, Field(ge=1, le=5, strict=True)]


class Grade(BaseModel):
    """Four marks from 1 to 5, and why."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    found: Mark
    honest: Mark
    advice: Mark
    clear: Mark
    reason: Annotated[str, Field(min_length=1)]


class Graded(BaseModel):
    """One evaluation with its grade; `None` where the judge did not answer in the form.

    Attributes:
        reply: what the judge wrote last.
    """

    clip: str
    mode: str
    view: str | None = None
    grade: Grade | None = None
    reply: str


def grade(graph: Graph, answers: Sequence[Answer], judge: Served, out: Path) -> list[Graded]:
    """Grade the evaluations among `answers`; write OUT/judge.jsonl; return them in order.

    Raises:
        InputError: the endpoint cannot be reached; see `eval.asking.ask_all`.
    """
    asked = of_stage(answers, "evaluate")
    prompts = [rubric(graph, answer) for answer in asked]
    replies: dict[int, str] = {}
    grades: dict[int, Grade | None] = {}
    with AnswerCache(out / "judge-cache.jsonl") as cache:
        for attempt in range(TRIES):
            decoding = Decoding(max_new_tokens=300, seed=attempt)
            left = {
                n: [{"role": "user", "content": prompts[n]}]
                for n in range(len(asked))
                if grades.get(n) is None
            }
            for n, reply in ask_all(judge, left, decoding, cache).replies.items():
                replies[n], grades[n] = reply, read_grade(reply)
    graded = [
        Graded(clip=a.clip, mode=a.mode, view=a.view, grade=grades.get(n), reply=replies.get(n, ""))
        for n, a in enumerate(asked)
    ]
    write_jsonl(out / GRADES_FILE, graded)
    return graded


def read_grades(out: Path) -> list[Graded]:
    """Return the grades of a run; none where no judge was asked.

    Raises:
        InputError: a line that is no grade.
    """
    path = out / GRADES_FILE
    return read_records(path, Graded) if path.exists() else []


def rubric(graph: Graph, answer: Answer) -> str:
    """Return what the judge is asked about one evaluation."""
    labelled = answer.truth.labelled
    return render(
        "eval/judge.j2",
        action=graph.action(answer.action),
        labelled=[_described(graph, Occurrence.parse(text)) for text in labelled or ()],
        errors=[
            {
                "phase": graph.key_steps[error.key_step].phase,
                "step": graph.key_steps[error.key_step].name,
                "description": _described(graph, error),
                "advice": graph.corrections(error)[0],
            }
            for error in answer.truth.observed
        ],
        answer=answer.answer.strip() or "(nothing)",
    ).strip("\n")


def read_grade(reply: str) -> Grade | None:
    """Return the grade in a reply, or `None`; text around the JSON object is passed over."""
    try:
        return Grade.model_validate(json_object(reply))
    except ValidationError:
        return None


def means(graded: Sequence[Graded]) -> dict[str, dict[str, float]]:
    """Return mode → mean marks, with the share of evaluations that have a grade as "graded"."""
    found: dict[str, dict[str, float]] = {}
    for mode in dict.fromkeys(one.mode for one in graded):
        members = [one.grade for one in graded if one.mode == mode]
        given = [one for one in members if one is not None]
        marks = {
            name: sum(getattr(one, name) for one in given) / len(given) for name in MARKS if given
        }
        found[mode] = {**marks, "graded": len(given) / len(members)}
    return found


def _described(graph: Graph, error: Occurrence) -> str:
    return graph.error_types[error.error_type].description
