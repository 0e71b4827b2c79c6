"""Turns somebody else's table of labels into annotation records, by a mapping file.

    python -m flex data import LABELS --map MAP.yaml --out ROOT

Such a table usually labels only some of an action's errors. The record says which (`labelled`), and
its score covers that part only. Nothing is written unless every row could be understood.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flex.annotation_checks import record_problems, score_of
from flex.graph import Graph, Occurrence
from flex.import_map import ExerciseRule, FieldRule, ImportMap
from flex.label_rows import Row, Seen, interval, read_label, read_rows
from flex.problems import InputError, Problem, nearest, problems_of
from flex.sample import Annotation


def import_labels(path: Path, mapping: ImportMap, graph: Graph) -> list[Annotation]:
    """Return one record for every row of a label table.

    Args:
        path: JSON Lines, or CSV with a header row (file name ending in .csv).
        mapping: which field is what.
        graph: actions, key steps, error types and weights.

    Raises:
        InputError: every problem at once: unreadable lines, unmapped fields and labels, unknown
            exercises, wrong values, clips that come twice.
    """
    records: list[Annotation] = []
    problems: list[Problem] = []
    first: dict[str, str] = {}
    try:
        for place, row in read_rows(path):
            if isinstance(row, Problem):
                problems.append(row)
                continue
            record, wrong = _RowReader(row, mapping, graph).record()
            problems += [Problem(place, message) for message in dict.fromkeys(wrong)]
            if record is None:
                continue
            if record.clip in first:
                message = f"clip {record.clip!r} is already at {first[record.clip]}"
                problems.append(Problem(place, message))
            first.setdefault(record.clip, place)
            records.append(record)
    except InputError as error:
        problems += error.problems
    if not records and not problems:
        problems.append(Problem(str(path), "holds no rows"))
    if problems:
        raise InputError(problems)
    return records


class _RowReader:
    """Reads one row, and keeps what is wrong with it."""

    def __init__(self, row: Row, mapping: ImportMap, graph: Graph) -> None:
        self.row, self.mapping, self.graph = row, mapping, graph
        self.problems: list[str] = []

    def record(self) -> tuple[Annotation | None, list[str]]:
        """Return the record, or `None` and the problems."""
        rule = self._exercise()
        values = self._labels_of_row()
        self.problems += self._unknown_fields()
        seen = self._seen(rule, values) if rule else {}
        clip = self._value(self.mapping.clip)
        data = {name: self._value(field) for name, field in self.mapping.attributes.items()}
        if clip is None:
            self.problems.append(f"{self.mapping.clip.field!r}, the clip's id, is empty")
        if self.problems or rule is None:
            return None, self.problems
        views = {
            view: path.replace("{clip}", str(clip)) for view, path in self.mapping.views.items()
        }
        return self._annotation(rule, seen, {**data, "clip": str(clip), "views": views})

    def _annotation(
        self, rule: ExerciseRule, seen: dict[Occurrence, Seen | None], data: dict[str, Any]
    ) -> tuple[Annotation | None, list[str]]:
        errors = [
            {**item._asdict(), **span._asdict()}
            for item in self.graph.in_order(rule.action, seen)
            if (span := seen[item]) is not None
        ]
        labelled = [str(item) for item in self.graph.in_order(rule.action, seen)]
        data |= {"action": rule.action, "errors": errors, "labelled": labelled}
        try:
            record = Annotation.model_validate({**data, "source": self.mapping.source})
        except ValidationError as error:
            return None, [problem.message for problem in problems_of(error, str)]
        wrong = list(record_problems(record, self.graph))
        if wrong:
            return None, wrong
        return record.model_copy(update={"score": score_of(record, self.graph)}), []

    def _exercise(self) -> ExerciseRule | None:
        known = self.mapping.exercises
        value = self._value(self.mapping.exercise)
        name = "" if value is None else str(value)
        if name not in known:
            message = f"exercise {name!r} is not in the map{nearest(name, known)}"
            self.problems.append(f"{message}; it maps {', '.join(known)}")
        return known.get(name)

    def _labels_of_row(self) -> Row:
        """Return label → value, whether they lie in an object, in cells or in pairs of cells."""
        field, names = self.mapping.labels, self.mapping.label_names
        if field is not None:
            values = self.row.get(field)
            if not isinstance(values, dict):
                self.problems.append(f"{field!r}: expected an object of labels, found {values!r}")
                return {}
            return values
        if self.mapping.start and self.mapping.end:
            return {name: pair for name in names if (pair := self._pair(name)) is not None}
        return {name: self.row[name] for name in names if name in self.row}

    def _pair(self, label: str) -> tuple[Any, Any] | None:
        columns = self._pair_columns(label)
        if not all(column in self.row for column in columns):
            return None
        start, end = (self.row[column] for column in columns)
        return start, end

    def _pair_columns(self, label: str) -> tuple[str, ...]:
        patterns = (self.mapping.start, self.mapping.end)
        return tuple(text.replace("{label}", label) for text in patterns if text)

    def _seen(self, rule: ExerciseRule, values: Row) -> dict[Occurrence, Seen | None]:
        """Return occurrence → when it was seen, for every label of the exercise in the row."""
        seen: dict[Occurrence, Seen | None] = {}
        for label, value in values.items():
            if label not in rule.labels:
                # One table for several exercises leaves the others' labels empty.
                if label not in self.mapping.label_names or not _is_blank(value):
                    hint = nearest(label, rule.labels)
                    self.problems.append(f"label {label!r} is not mapped for {rule.action}{hint}")
                continue
            try:
                found = _pair_label(value) if isinstance(value, tuple) else read_label(value)
            except ValueError as error:
                self.problems.append(f"{label!r}: {error}")
                continue
            seen[Occurrence.parse(rule.labels[label])] = found
        if not seen and not self.problems:
            self.problems.append(f"has none of the labels of {rule.action}")
        return seen

    def _unknown_fields(self) -> Iterator[str]:
        mapping = self.mapping
        rules = (mapping.clip, mapping.exercise, *mapping.attributes.values())
        known = {rule.field for rule in rules} | set(mapping.ignore)
        if mapping.labels:
            known.add(mapping.labels)
        elif mapping.start:
            known |= {name for label in mapping.label_names for name in self._pair_columns(label)}
        else:
            known |= mapping.label_names
        for name in self.row:
            if name not in known:
                hint = nearest(name, known)
                yield f"field {name!r} is not mapped{hint}; map it, or name it under ignore"

    def _value(self, rule: FieldRule) -> Any:
        if rule.field not in self.row:
            self.problems.append(f"{rule.field!r} is missing")
            return None
        value = self.row[rule.field]
        if value is None or value == "":
            return None
        if rule.pattern is None:
            return value
        found = rule.pattern.search(str(value))
        if found is None:
            self.problems.append(f"{rule.field!r}: {value!r} does not fit {rule.pattern.pattern!r}")
        return found[1] if found else None


def _pair_label(pair: tuple[Any, Any]) -> Seen | None:
    return None if _is_blank(pair) else interval(*pair)


def _is_blank(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_blank, value))
    return value is None or value is False or value == "" or value == []
