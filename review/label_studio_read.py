"""Reads Label Studio's JSON export: tasks, and what each annotation says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from flex.problems import InputError, Problem, problems_of
from review.label_studio import EVALUATION, META, REASON, VERDICT, said_hash
from review.records import ACTIONS, Action, Item


class _Export(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class LabelStudioAnnotation(_Export):
    """One annotation, as Label Studio exports it.

    Attributes:
        completed_by: who made it; of one that came in a file, who imported that.
        updated_by: who changed it last; `None` for one that is as it was imported.
    """

    updated_by: int | str | dict[str, Any] | None = None
    completed_by: int | str | dict[str, Any] | None = None
    result: list[dict[str, Any]] = []
    was_cancelled: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    lead_time: float | None = None


class LabelStudioTask(_Export):
    """One task of the export."""

    data: dict[str, Any]
    annotations: list[LabelStudioAnnotation] = []


class _Meta(_Export):
    person: str
    time_s: float
    duration_ms: int | None = None
    occurrences: tuple[str, ...] | None = None
    said: str


@dataclass(frozen=True)
class Said:
    """What one annotation says, by one of our people; times as in `review.records.Decision`."""

    person: str
    action: Action
    text: str | None
    reason: str | None
    occurrences: tuple[str, ...] | None
    time_s: float | None
    duration_ms: int | None


def read_tasks(path: Path) -> list[LabelStudioTask]:
    """Return the tasks of an export.

    Raises:
        InputError: the file cannot be read, or is no such export.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        raise InputError([Problem(str(path), f"not valid JSON: {error}")]) from error
    try:
        return TypeAdapter(list[LabelStudioTask]).validate_python(value)
    except ValidationError as error:

        def place(loc: tuple[int | str, ...]) -> str:
            return f"{path}, task {int(loc[0]) + 1}" if loc else str(path)

        raise InputError(problems_of(error, place)) from error


def said_in(
    annotations: Sequence[LabelStudioAnnotation],
    names: Mapping[str, str],
    item: Item | None,
    place: str,
    problems: list[Problem],
) -> list[Said]:
    """Return what the annotations of a task say, in order of time; problems are added."""
    found = []
    for annotation in annotations:
        if annotation.was_cancelled:
            continue
        action = _value(annotation, VERDICT, "choices")
        text, reason = _value(annotation, EVALUATION, "text"), _value(annotation, REASON, "text")
        if action not in ACTIONS:
            expected = f"expected {VERDICT} to be one of {', '.join(ACTIONS)}, found {action!r}"
            problems.append(Problem(place, expected))
            continue
        meta = _meta(annotation)
        if meta is None or meta.said != said_hash(action, text, reason):
            meta = None
        person = meta.person if meta else _person(annotation, names, place, problems)
        if action != "edit" and meta is None:
            text = None
        if action == "edit" and item and (text or "").strip() in ("", item.evaluation.strip()):
            problems.append(Problem(place, f"{EVALUATION}: an edit that changes nothing"))
        if action == "reject" and not reason:
            problems.append(Problem(place, f"{REASON}: a reject without a reason"))
        when = annotation.updated_at or annotation.created_at
        # Who changes another's annotation keeps its time.
        changed = annotation.updated_by not in (None, annotation.completed_by)
        lead_s = None if changed else annotation.lead_time
        looked_ms = None if lead_s is None else round(lead_s * 1000)
        found.append(
            Said(
                person=person,
                action=action,
                text=text,
                reason=reason,
                occurrences=meta.occurrences if meta else None,
                time_s=meta.time_s if meta else when.timestamp() if when else None,
                duration_ms=meta.duration_ms if meta else looked_ms,
            )
        )
    return sorted(found, key=lambda one: one.time_s or 0)


def _value(annotation: LabelStudioAnnotation, name: str, kind: str) -> Any:
    """Return the last value of a control, or `None` if the annotator did not use it."""
    for result in reversed(annotation.result):
        if result.get("from_name") == name:
            values = result.get("value", {}).get(kind)
            return values[-1] if isinstance(values, list) and values else values or None
    return None


def _meta(annotation: LabelStudioAnnotation) -> _Meta | None:
    for result in annotation.result:
        try:
            return _Meta.model_validate(json.loads(result["meta"]["text"][0])[META])
        except (KeyError, IndexError, TypeError, ValueError):
            continue
    return None


def _person(
    annotation: LabelStudioAnnotation,
    names: Mapping[str, str],
    place: str,
    problems: list[Problem],
) -> str:
    # Who changes another's annotation says what it says now.
    by = annotation.completed_by if annotation.updated_by is None else annotation.updated_by
    keys = [str(by.get("id")), str(by.get("email"))] if isinstance(by, dict) else [str(by)]
    for key in keys:
        if key in names:
            return names[key]
    problems.append(Problem(place, f"user {keys[-1]}: say who it is, as in --person {keys[0]}=ana"))
    return ""
