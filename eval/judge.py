"""Has a language model grade evaluations against the error list of their own clip. Optional.

grades = grade(graph, answers, Endpoint("http://localhost:8000/v1", "judge"), out)

Grades come with a reason and are cached. A judge is a second opinion beside the coach metrics: it
reads what the matcher may misread, and is itself no ground truth.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.answers import Answer, of_stage
from eval.predict_cache import AnswerCache, answer_key
from flex.files import hash_text, write_jsonl
from flex.graph import Graph, Occurrence
from flex.records import read_records
from flex.templates import render
from vlm.generate import Conversation, Decoding, Reply

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


class Judge(Protocol):
    """A served model, such as `vlm.endpoint.Endpoint`."""

    base_url: str
    model: str

    def generate(self, conversations: Sequence[Conversation], decoding: Decoding) -> list[str]:
        """Return one reply for each conversation."""


def grade(graph: Graph, answers: Sequence[Answer], judge: Judge, out: Path) -> list[Graded]:
    """Grade the evaluations among `answers`; write OUT/judge.jsonl; return them in order.

    Raises:
        InputError: the endpoint cannot be reached.
    """
    asked = of_stage(answers, "evaluate")
    prompts = [rubric(graph, answer) for answer in asked]
    replies: dict[int, str] = {}
    grades: dict[int, Grade | None] = {}
    with AnswerCache(out / "judge-cache.jsonl") as cache:
        for attempt in range(TRIES):
            decoding = Decoding(max_new_tokens=300, seed=attempt)
            left = [n for n in range(len(asked)) if grades.get(n) is None]
            for n, reply in _ask(judge, {n: prompts[n] for n in left}, decoding, cache).items():
                replies[n], grades[n] = reply, read_grade(reply)
    graded = [
        Graded(clip=a.clip, mode=a.mode, view=a.view, grade=grades[n], reply=replies[n])
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
    start, end = reply.find("{"), reply.rfind("}")
    try:
        return Grade.model_validate(json.loads(reply[start : end + 1]))
    except (json.JSONDecodeError, ValidationError):
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


def _ask(
    judge: Judge, prompts: dict[int, str], decoding: Decoding, cache: AnswerCache
) -> dict[int, str]:
    messages = {n: [{"role": "user", "content": prompt}] for n, prompt in prompts.items()}
    shared: dict[str, Any] = {
        "frames": "",
        "weights": hash_text("judge", judge.base_url, judge.model),
        "decoding": decoding.fingerprint(),
    }
    keys = {n: answer_key(messages=said, **shared) for n, said in messages.items()}
    missing = [n for n, key in keys.items() if cache.get(key) is None]
    replies = judge.generate([Conversation((), messages[n]) for n in missing], decoding)
    for n, reply in zip(missing, replies, strict=True):
        cache.put(keys[n], Reply(reply))
    return {n: kept.text if (kept := cache.get(key)) else "" for n, key in keys.items()}


def _described(graph: Graph, error: Occurrence) -> str:
    return graph.error_types[error.error_type].description
