"""The mapping file of an import: which field is what, and which label is which error.

    mapping = load_map(Path("configs/import/fitness-aqa.yaml"), graph)

Its keys are the attributes of `ImportMap`; docs/data-format.md shows one in full.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from flex.annotation_checks import occurrence_problem
from flex.graph import Graph, Occurrence
from flex.problems import InputError, Loc, Problem, problems_of
from flex.sample import OccurrenceId
from flex.yaml_places import PlacedYaml, read_yaml

Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldRule(_Part):
    """Where a value comes from: a field, or the first group of a pattern over it.

    In a mapping file a bare name stands for `{field: name}`.
    """

    field: Name
    pattern: re.Pattern[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"field": value} if isinstance(value, str) else value

    @field_validator("pattern")
    @classmethod
    def _one_group(cls, value: re.Pattern[str] | None) -> re.Pattern[str] | None:
        if value is not None and value.groups < 1:
            raise ValueError(r"expected a group in parentheses such as ^(\d+)_")
        return value


class ExerciseRule(_Part):
    """What a value of the exercise field stands for.

    Attributes:
        action: id in the graph.
        labels: name of a label in the source → occurrence. A row's record counts as labelled for
            those of them that the row has.
    """

    action: str
    labels: Annotated[dict[str, OccurrenceId], Field(min_length=1)]


class ImportMap(_Part):
    """How the rows of a label table become annotation records.

    Attributes:
        source: what the records name as their source.
        clip: the clip's id.
        exercise: the field whose value `exercises` maps.
        exercises: value of that field → action and labels.
        labels: the field that holds the labels as an object; without it, they are fields of the
            row itself, as in a CSV file.
        start: name of the column with a label's start, `{label}` standing for the label.
        end: likewise for the end; both or none.
        subject: who lifts, or what keeps together the clips that must not be split up.
        repetition: a number from 1.
        skill: novice, amateur or expert.
        load_kg: a number.
        duration_s: a number.
        views: view name → path relative to the data folder, `{clip}` standing for the clip's id.
        ignore: fields that are not needed.
    """

    source: Name
    clip: FieldRule
    exercise: FieldRule
    exercises: Annotated[dict[str, ExerciseRule], Field(min_length=1)]
    labels: Name | None = None
    start: str | None = None
    end: str | None = None
    subject: FieldRule | None = None
    repetition: FieldRule | None = None
    skill: FieldRule | None = None
    load_kg: FieldRule | None = None
    duration_s: FieldRule | None = None
    views: dict[str, Name] = {}
    ignore: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _interval_columns(self) -> "ImportMap":
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end go together")
        for name in (self.start, self.end):
            if name is not None and "{label}" not in name:
                raise ValueError(f"{name!r} must hold {{label}}, the name of the label")
        return self

    @property
    def attributes(self) -> dict[str, FieldRule]:
        """Attribute of the record → its rule, for those that a single field gives."""
        names = ("subject", "repetition", "skill", "load_kg", "duration_s")
        rules = {name: getattr(self, name) for name in names}
        return {name: rule for name, rule in rules.items() if rule is not None}

    @property
    def label_names(self) -> frozenset[str]:
        """The labels of all exercises."""
        return frozenset(name for rule in self.exercises.values() for name in rule.labels)


def load_map(path: Path, graph: Graph) -> ImportMap:
    """Return the mapping in a YAML file.

    Raises:
        InputError: every problem with its line: unknown keys, actions and errors, bad patterns.
    """
    placed = read_yaml(path)
    keys = sorted({*ImportMap.model_fields, *FieldRule.model_fields, *ExerciseRule.model_fields})
    try:
        mapping = ImportMap.model_validate(placed.data)
    except ValidationError as error:
        raise InputError(problems_of(error, placed.place, keys)) from error
    problems = list(_unknown_ids(mapping, graph, placed))
    if problems:
        raise InputError(problems)
    return mapping


def _unknown_ids(mapping: ImportMap, graph: Graph, placed: PlacedYaml) -> Iterator[Problem]:
    for name, rule in mapping.exercises.items():
        loc: Loc = ("exercises", name)
        try:
            action = graph.action(rule.action)
        except InputError as error:
            yield Problem(placed.place((*loc, "action")), error.problems[0].message)
            continue
        if action.id != rule.action:
            message = f"action: expected an id, found the name {rule.action!r}; it is {action.id}"
            yield Problem(placed.place((*loc, "action")), message)
            continue
        for label, text in rule.labels.items():
            place = placed.place((*loc, "labels", label))
            if why := occurrence_problem(Occurrence.parse(text), rule.action, graph):
                yield Problem(place, why)
            elif list(rule.labels.values()).count(text) > 1:
                yield Problem(place, f"{text} has more than one label")
