"""Answers that real models gave on real lifts, beside labels with times of some error types.

A line is {"clip", "exercise", "labels": {name: [start, end] or null}, "answer_untuned": …}: each
`answer_NAME` becomes the mode NAME. What a label means is said by a mapping (`flex.import_map`).
"""

from pathlib import Path

from eval.answers import Answer, Stage, Truth
from flex.files import read_jsonl
from flex.graph import Graph
from flex.import_labels import import_labels
from flex.import_map import ImportMap
from flex.problems import InputError, Problem
from flex.sample import Annotation

PREFIX = "answer_"
# One text of such a model names the exercise and judges it.
_STAGES: tuple[Stage, ...] = ("recognise", "evaluate")


def is_lifts(path: Path) -> bool:
    """Say whether the first line of a file is a labelled lift, and not one of our answers."""
    for _, row in read_jsonl(path):
        return isinstance(row, dict) and "exercise" in row and "labels" in row
    return False


def read_lifts(path: Path, mapping: ImportMap, graph: Graph) -> list[Answer]:
    """Return the answers of all modes on all clips, judged on the labelled error types only.

    Raises:
        InputError: every problem at once; also a file without any `answer_…` field.
    """
    records = import_labels(path, mapping, graph)
    answers: list[Answer] = []
    for record, (_, row) in zip(records, read_jsonl(path), strict=True):
        assert isinstance(row, dict)
        rule = mapping.exercises[row[mapping.exercise.field]]
        names = {name.removesuffix(" error"): item for name, item in rule.labels.items()}
        for field, text in row.items():
            if field.startswith(PREFIX):
                mode = field.removeprefix(PREFIX)
                answers += [_answer(record, mode, stage, str(text), names) for stage in _STAGES]
    if not answers:
        raise InputError([Problem(str(path), f"no field starts with {PREFIX}, so none is judged")])
    return answers


def _answer(
    record: Annotation, mode: str, stage: Stage, text: str, names: dict[str, str]
) -> Answer:
    times = {
        str(label.occurrence): (label.start_s, label.end_s)
        for label in record.errors
        if label.start_s is not None and label.end_s is not None
    }
    return Answer(
        clip=record.clip,
        action=record.action,
        subject=record.subject,
        skill=record.skill,
        mode=mode,
        stage=stage,
        answer=text,
        names=names,
        truth=Truth(
            errors=tuple(map(str, record.occurrences)),
            score=None,
            labelled=record.labelled,
            times=times,
        ),
    )
