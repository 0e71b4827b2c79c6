"""The paper's figures and ours, each in a table of its own; ours come from the rooms' report.json.

    for figure in figures({"figure6": Path("runs/aqa/report/report.json")}): ...

What is compared, and what the paper prints, is data: prompts/reproduce/figures.yaml.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flex.problems import InputError, Problem
from flex.templates import wording


class Measure(NamedTuple):
    """A column: its name in the report, what people read, digits, and whether less is better."""

    key: str
    label: str
    digits: int
    lower: bool


class Cell(NamedTuple):
    """A figure with its interval; NaN where there is none.

    Attributes:
        share: of the greatest figure of a model in its column, 0 to 1: the length of its bar.
        best: the best of the models in its column; baselines may be better still.
    """

    value: float
    low: float
    high: float
    share: float
    best: bool


class Row(NamedTuple):
    """One model."""

    label: str
    baseline: bool
    cells: tuple[Cell, ...]


class Table(NamedTuple):
    """Rows of models and columns of measures."""

    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]


class Figure(NamedTuple):
    """One figure of the paper.

    Attributes:
        published: as the paper prints it.
        ours: `None` where there is no report.
        lacking: where our report should be, when there is none.
        simulated: "all", "some" or "" of our clips are simulated.
        clips: how many of ours were judged, of how many subjects.
    """

    name: str
    title: str
    about: str
    published: Table
    ours: Table | None
    lacking: str
    simulated: str
    clips: int
    subjects: int


def figures(reports: Mapping[str, str]) -> list[Figure]:
    """Return the paper's figures in order, each with ours where its report is there.

    Args:
        reports: "figure6", … → path of the report.json.

    Raises:
        InputError: a report that is no JSON, or of another room.
    """
    return [_figure(name, spec, reports.get(name, "")) for name, spec in words().items()]


def words() -> dict[str, Any]:
    """Return what is compared under which names."""
    return wording("reproduce/figures.yaml")


def _figure(name: str, spec: Mapping[str, Any], path: str) -> Figure:
    measures = tuple(Measure(**one) for one in spec["measures"])
    printed = {
        row: {key: {"value": value} for key, value in found.items()}
        for row, found in spec["published"].items()
    }
    figure = Figure(
        name=name,
        title=spec["title"],
        about=spec["about"],
        published=_table(measures, spec["rows"], printed),
        ours=None,
        lacking=path,
        simulated="",
        clips=0,
        subjects=0,
    )
    if not path or not Path(path).is_file():
        return figure
    report = _read(Path(path), spec["at"])
    models = report[spec["at"]]
    found = {row: models[row]["figures"] for row in models}
    clips = report.get("clips") or max(model["clips"] for model in models.values())
    return figure._replace(
        ours=_table(measures, spec["rows"], found),
        lacking="",
        simulated=report["simulated"],
        clips=int(clips),
        subjects=int(report["subjects"]),
    )


def _read(path: Path, at: str) -> dict[str, Any]:
    try:
        report: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError([Problem(str(path), f"cannot be read as JSON: {error}")]) from error
    lacking = [key for key in (at, "simulated", "subjects") if key not in report]
    if lacking:
        raise InputError(
            Problem(str(path), f"expected a report with {key!r}, which it lacks") for key in lacking
        )
    known: dict[str, Any] = report
    return known


def _table(
    measures: tuple[Measure, ...],
    labels: Mapping[str, str],
    found: Mapping[str, Mapping[str, Mapping[str, float | None]]],
) -> Table:
    """Return rows in the order of `labels`, others behind; columns without a figure are dropped."""
    order = [row for row in labels if row in found] + [row for row in found if row not in labels]
    shown = tuple(
        m for m in measures if any(_number(found[row].get(m.key), "value") for row in order)
    )
    baseline = {row: labels.get(row, row).startswith("Baseline") for row in order}
    columns = []
    for measure in shown:
        values = {row: _value(found[row].get(measure.key), "value") for row in order}
        finite = [value for value in values.values() if math.isfinite(value)]
        models = [v for row, v in values.items() if math.isfinite(v) and not baseline[row]]
        most = max([0.0, *(models or finite)]) or 1.0
        best = (min if measure.lower else max)(models) if len(models) > 1 else math.nan
        columns.append((measure, values, most, best))
    rows = []
    for row in order:
        cells = tuple(
            Cell(
                value=values[row],
                low=_value(found[row].get(measure.key), "low"),
                high=_value(found[row].get(measure.key), "high"),
                share=min(max(values[row] / most, 0.0), 1.0) if math.isfinite(values[row]) else 0.0,
                best=values[row] == best and not baseline[row],
            )
            for measure, values, most, best in columns
        )
        rows.append(Row(labels.get(row, row), baseline[row], cells))
    return Table(shown, tuple(rows))


def _number(figure: Mapping[str, float | None] | None, key: str) -> bool:
    return math.isfinite(_value(figure, key))


def _value(figure: Mapping[str, float | None] | None, key: str) -> float:
    value = (figure or {}).get(key)
    return math.nan if value is None else float(value)
