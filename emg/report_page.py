"""Turns the figures into words: report.md, report.html, report.json. Wording is in prompts/emg."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emg.baselines import PHASE_MEAN
from emg.evaluate import LOWER_IS_BETTER, Evaluation, Figure, Judged
from flex.files import write_text
from flex.plain import without_nan
from flex.semg_columns import GROUPS
from flex.templates import render, wording

if TYPE_CHECKING:
    from emg.report import Report

PAGE = "report.md"


def words() -> dict[str, Any]:
    """Return which measures are shown, in which order, and how all is called."""
    return wording("emg/report.yaml")


def write_report(report: "Report", out: Path) -> Path:
    """Write the three files into `out`; return the Markdown."""
    content = _content(report)
    write_text(out / PAGE, render("emg/report.md.j2", **content))
    write_text(out / "report.html", render("emg/report.html.j2", **content))
    about = {
        "data": report.data,
        "part": report.part,
        "simulated": report.simulated,
        "recipe": report.recipe.model_dump(mode="json"),
        "training": {name: model.facts for name, model in report.models.items()},
    }
    plain = without_nan({**about, **report_json(report.evaluation)})
    write_text(out / "report.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    return out / PAGE


def report_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return all figures as plain data."""
    return {
        "clips": evaluation.clips,
        "subjects": evaluation.subjects,
        "actions": evaluation.actions,
        "methods": {
            name: {
                "figures": {key: _plain(one) for key, one in judged.figures.items()},
                "muscles": {
                    muscle: {key: _plain(one) for key, one in found.items()}
                    for muscle, found in judged.groups.items()
                },
                "sides": judged.sides,
                "level_share": judged.level_share,
            }
            for name, judged in evaluation.methods.items()
        },
        "leads": {
            name: {
                muscle: {key: _plain(one) for key, one in found.items()}
                for muscle, found in leads.items()
            }
            for name, leads in evaluation.leads.items()
        },
    }


def say(figure: Figure, digits: int, *, sign: bool = False) -> str:
    """Return "0.412 [0.35, 0.47]", the value alone without an interval, a dash without a value."""
    if math.isnan(figure.value):
        return "–"
    plus = "+" if sign else ""
    said = f"{figure.value:{plus}.{digits}f}"
    if math.isnan(figure.low) or math.isnan(figure.high):
        return said
    return f"{said} [{figure.low:{plus}.{digits}f}, {figure.high:{plus}.{digits}f}]"


def _plain(figure: Figure) -> dict[str, float]:
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def _content(report: "Report") -> dict[str, Any]:
    said, evaluation = words(), report.evaluation
    figure8, others = (
        [{**column, "lower": column["name"] in LOWER_IS_BETTER} for column in said[part]]
        for part in ("figure8", "others")
    )
    columns = [*figure8, *others]
    return {
        "said": said,
        "e": evaluation,
        "data": report.data,
        "recipe": report.recipe,
        "simulated": report.simulated,
        "mark": " (simulated data)" if report.simulated else "",
        "figure8": figure8,
        "others": others,
        "columns": columns,
        "rows": [_row(report, name, columns) for name in evaluation.methods],
        "models": [_model(report, name) for name in report.models],
    }


def _label(report: "Report", name: str) -> str:
    if name not in report.models:
        return str(words()["methods"][name])
    recipe, said = report.models[name].recipe, words()["inputs"]
    read = [said["views"].format(views=", ".join(recipe.views))] if recipe.views else []
    read += [said["pose"]] if recipe.pose else []
    return f"{words()['model'].format(name=name)} ({' and '.join(read)})"


def _row(report: "Report", name: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    methods = report.evaluation.methods
    return {
        "label": _label(report, name),
        "baseline": name not in report.models,
        "cells": {
            column["name"]: {
                "said": say(methods[name].figures[column["name"]], column["digits"]),
                "best": _is_best(report.evaluation, name, column["name"]),
            }
            for column in columns
        },
    }


def _is_best(evaluation: Evaluation, method: str, name: str) -> bool:
    """Whether no other method, baselines included, is as good."""
    values = {other: judged.figures[name].value for other, judged in evaluation.methods.items()}
    known = {other: value for other, value in values.items() if not math.isnan(value)}
    if method not in known or len(known) < 2:
        return False
    best = (min if name in LOWER_IS_BETTER else max)(known.values())
    return known[method] == best and list(known.values()).count(best) == 1


def _model(report: "Report", name: str) -> dict[str, Any]:
    """Return a model's table of muscles, and where it does not beat the per-phase mean."""
    said, evaluation = words(), report.evaluation
    judged, base = evaluation.methods[name], evaluation.methods[PHASE_MEAN]
    leads = evaluation.leads[name]
    muscles = [
        {
            "label": f"{muscle} ({said['groups'][GROUPS[muscle]]})",
            "clips": evaluation.counts[muscle],
            **{
                key: text
                for measure, digits in (("mae", 4), ("r", 3))
                for key, text in (
                    (measure, f"{judged.groups[muscle][measure].value:.{digits}f}"),
                    (f"base_{measure}", f"{base.groups[muscle][measure].value:.{digits}f}"),
                    (f"lead_{measure}", say(leads[muscle][measure], digits, sign=True)),
                    (f"verdict_{measure}", said["verdicts"][_verdict(measure, leads[muscle])]),
                    (f"kind_{measure}", _verdict(measure, leads[muscle])),
                )
            },
        }
        for muscle in judged.groups
    ]
    reasons = [text for muscle in judged.groups if (text := _reason(report, name, muscle))]
    unsure = [
        said["unsure"].format(muscle=muscle, measure=said["measures"][measure])
        for muscle in judged.groups
        for measure in ("mae", "r")
        if not leads[muscle][measure].sure
    ]
    summary = said["not_beaten" if reasons else "beats_all"].format(model=name)
    if unsure and not reasons:
        summary += " " + said["within"].format(which=", ".join(unsure))
    return {
        "label": _label(report, name),
        "sides": judged.sides,
        "muscles": muscles,
        "reasons": reasons,
        "summary": summary,
    }


def _verdict(measure: str, leads: dict[str, Figure]) -> str:
    lead = leads[measure]
    if not lead.sure:
        return "unsure"
    return "better" if (lead.value < 0) == (measure in LOWER_IS_BETTER) else "worse"


def _reason(report: "Report", name: str, muscle: str) -> str:
    """Return where and why a model does not beat the per-phase mean; nothing if it does."""
    said, methods = words(), report.evaluation.methods
    mine, base = methods[name].groups[muscle], methods[PHASE_MEAN].groups[muscle]
    what = [
        said[f"on_{measure}"].format(model=mine[measure].value, base=base[measure].value)
        for measure, sign in (("mae", 1), ("r", -1))
        if not sign * mine[measure].value < sign * base[measure].value
    ]
    if not what:
        return ""
    return str(
        said["reason"].format(
            muscle=muscle, what=", ".join(what), why=_why(methods[name], report, muscle)
        )
    )


def _why(judged: Judged, report: "Report", muscle: str) -> str:
    share, said = judged.level_share[muscle], words()["why"]
    if share >= 0.5:
        return str(said["level"].format(share=share))
    return str(said["course"].format(share=1 - share, clips=report.taught.get(muscle, 0)))
