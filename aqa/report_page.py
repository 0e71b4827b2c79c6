"""Turns the figures into words: report.md, report.html, report.json. Wording is in prompts/aqa."""

import base64
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aqa.baselines import PREFIX
from aqa.evaluate import LOWER_IS_BETTER, Evaluation, Figure
from aqa.fatigue import Study
from aqa.report_json import report_json
from aqa.report_words import label_of, render, words
from flex.files import write_text
from flex.graph import Graph

PAGE = "report.html"
Kind = Literal["evaluate", "ablate"]


@dataclass(frozen=True)
class Report:
    """What a report says.

    Attributes:
        evaluation: all figures.
        studies: variant → study of repetitions; empty where no set was predicted.
        figures: name → SVG text.
        data: name of the data.
        part: of the split.
        simulated: "all", "some" or "" of the clips are simulated.
        files: of predictions.
        graph: names of actions.
        kind: "evaluate" or "ablate", for title and lead (prompts/aqa/figures.yaml).
    """

    evaluation: Evaluation
    studies: dict[str, Study]
    figures: dict[str, str]
    data: str
    part: str
    simulated: str
    files: list[str]
    graph: Graph
    kind: Kind = "evaluate"


def write_report(report: Report, out: Path) -> Path:
    """Write the three files into `out`; return the page."""
    content = {**_content(report), "report": report, "said": words()["reports"][report.kind]}
    write_text(out / "report.md", render("report.md.j2", content))
    about = {name: getattr(report, name) for name in ("kind", "simulated", "data", "part", "files")}
    figures = report_json(report.evaluation, report.studies)
    text = json.dumps({**about, **figures}, indent=1, ensure_ascii=False)
    write_text(out / "report.json", text + "\n")
    write_text(out / PAGE, render("report.html.j2", content))
    return out / PAGE


def say(figure: Figure | None, digits: int, *, sign: bool = False) -> str:
    """Return "0.412 [0.35, 0.47]", the value alone without an interval, a dash without a value."""
    if figure is None or math.isnan(figure.value):
        return "–"
    plus = "+" if sign else ""
    said = f"{figure.value:{plus}.{digits}f}"
    if math.isnan(figure.low) or math.isnan(figure.high):
        return said
    short = max(digits - 1, 1)
    return f"{said} [{figure.low:{plus}.{short}f}, {figure.high:{plus}.{short}f}]"


def _content(report: Report) -> dict[str, Any]:
    evaluation, shown = report.evaluation, words()
    variants = list(evaluation.variants)
    present = {name for judged in evaluation.variants.values() for name in judged.figures}
    figure6, others = (
        [
            {**column, "lower": column["name"] in LOWER_IS_BETTER}
            for column in shown[part]
            if column["name"] in present
        ]
        for part in ("figure6", "others")
    )
    columns = [*figure6, *others]
    return {
        "figure6": figure6,
        "others": others,
        "rows": [_row(evaluation, name, columns) for name in variants],
        "leads": [
            {
                "label": f"{label_of(one)}, against {label_of(other)}",
                "cells": [
                    {
                        "said": say(found.get(column["name"]), column["digits"], sign=True),
                        "kind": _verdict(column["name"], found.get(column["name"])),
                    }
                    for column in columns
                ],
            }
            for (one, other), found in evaluation.leads.items()
            # Between two baselines nobody asks for the lead.
            if not one.startswith(PREFIX)
        ],
        "columns": columns,
        "notes": {name: note for name, note in shown["notes"].items() if name in present},
        "published": shown["published"],
        "by_action": _by_action(report, variants),
        "variants": [label_of(name) for name in variants],
        "studies": [_study_row(name, study) for name, study in report.studies.items()],
        "images": {name: _inside(svg) for name, svg in report.figures.items()},
        "number": lambda value, digits: "–" if math.isnan(value) else f"{value:.{digits}f}",
        "md": markdown_text,
    }


def _row(evaluation: Evaluation, variant: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    judged = evaluation.variants[variant]
    return {
        "label": label_of(variant),
        "baseline": variant.startswith(PREFIX),
        "seeds": len(judged.table.seeds),
        "cells": {
            column["name"]: {
                "said": say(judged.figures.get(column["name"]), column["digits"]),
                "best": _is_best(evaluation, variant, column["name"]),
                "seeds": _seeds(judged.figures.get(column["name"]), column["digits"]),
            }
            for column in columns
        },
    }


def _is_best(evaluation: Evaluation, variant: str, name: str) -> bool:
    """Whether no other variant, baselines included, is as good."""
    values = {
        other: judged.figures[name].value
        for other, judged in evaluation.variants.items()
        if name in judged.figures and not math.isnan(judged.figures[name].value)
    }
    if variant not in values or len(values) < 2:
        return False
    best = (min if name in LOWER_IS_BETTER else max)(values.values())
    return values[variant] == best and list(values.values()).count(best) == 1


def _seeds(figure: Figure | None, digits: int) -> str:
    if figure is None or len(figure.seeds) < 2 or math.isnan(figure.value):
        return ""
    return ", ".join(f"{value:.{digits}f}" for value in figure.seeds)


def _verdict(name: str, lead: Figure | None) -> str:
    """Return "better", "worse", or "" where the interval holds zero."""
    if lead is None or not lead.sure:
        return ""
    return "better" if (lead.value < 0) == (name in LOWER_IS_BETTER) else "worse"


def _by_action(report: Report, variants: list[str]) -> list[dict[str, Any]]:
    judged = report.evaluation.variants
    return [
        {
            "label": f"{action} {report.graph.action(action).name}",
            "clips": int(first["clips"]),
            "cells": [judged[name].actions[action] for name in variants],
        }
        for action, first in judged[variants[0]].actions.items()
    ]


def _study_row(variant: str, study: Study) -> dict[str, Any]:
    return {
        "label": label_of(variant),
        "image": f"repetitions-{variant}",
        "study": study,
        "subjects": len({one.subject for one in study.sets}),
        "courses": [(words()["truth"], study.true), (label_of(variant), study.given)],
    }


def _inside(svg: str) -> str:
    """Return a picture as an address that holds it, so that its ids meet no other's."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def markdown_text(text: object) -> str:
    """Escape what Markdown, its tables and HTML would read as markup."""
    plain = re.sub(r"\s*\n\s*", " ", str(text))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", plain)
