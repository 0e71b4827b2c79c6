"""Turns the figures into words: report.md, report.html, report.json. Wording is in prompts/eval."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from eval.bootstrap import Difference, Interval
from eval.ceilings import STYLES, Ceiling, ceilings_json, say_ceilings
from eval.predict import PredictRecord
from eval.readers import Reader
from eval.report_clips import ShownClip
from eval.report_measure import Measures
from eval.report_svg import Bar, bars, say_interval, scatter
from eval.scorecard import Scorecard
from eval.text_metrics.bertscore import PAPER_ENCODER
from flex import templates
from flex.graph import Graph
from flex.plain import without_nan
from flex.templates import wording

Row = dict[str, Any]
SIGNIFICANT = 0.05
_ENOUGH = 0.9  # of the answers, for a figure that leaves out the others


def page_words(
    graph: Graph,
    measures: Measures,
    runs: Sequence[PredictRecord],
    *,
    simulated: str,
    data: str,
    split: str,
    reader: Reader,
    ceilings: Mapping[str, Ceiling],
    marks: dict[str, dict[str, float]] | None = None,
    worst: Sequence[ShownClip] = (),
    best: Sequence[ShownClip] = (),
) -> dict[str, Any]:
    """Return what the templates are filled with.

    Args:
        graph: names and weights.
        measures: all figures.
        runs: how each mode was run, where that is known.
        simulated: "all", "some" or "" of the clips are simulated.
        data: name of the data.
        split: which part was asked about.
        reader: who read errors out of the answers.
        ceilings: style → what perfect answers measure with that reader.
        marks: mode → mean marks of the judge, if one was asked.
        worst: clips to show, the worst first.
        best: clips to show, the best first.
    """
    figures = figure_list()
    names = figures["modes"]
    columns = [*measures.models, *measures.baselines]
    paper = [mode for mode in columns if _in_prose(measures.cards[mode])]
    card = measures.cards[measures.main]
    return {
        "graph": graph,
        "measures": measures,
        "card": card,
        "runs": runs,
        "simulated": simulated,
        "data": data,
        "split": split,
        "names": {**names, **{mode: names.get(mode, mode) for mode in columns}},
        "columns": columns,
        "paper_columns": paper,
        "paper": [
            _row(_labelled(row, measures), measures, paper, figures["published"])
            for row in figures["paper"]
        ],
        "sections": [
            {
                **part,
                "rows": [
                    _row(row, measures, columns, {})
                    | {"ceiling": say_ceilings(row["name"], ceilings)}
                    for row in part["rows"]
                    if not row.get("if_any") or _is_any(row, measures)
                ],
            }
            for part in figures["coach"]
        ],
        "ranks": _ranks(measures, columns),
        "reader": ceilings_json(reader, ceilings),
        "styles": STYLES,
        "marks": marks or {},
        "tests": _tests(figures, measures),
        "types": sorted(card.per_type.items(), key=lambda item: -item[1]["support"]),
        "group_rows": _groups(graph, measures),
        "clips": {"worst": worst, "best": best},
        "stages": {t["stage"]: t["title"] for t in figures["stages"]},
        "missing": {n: why for c in measures.cards.values() for n, why in c.missing.items()},
        "signatures": card.signatures,
        "share": share,
        "md": markdown_text,
    }


def render(name: str, words: dict[str, Any], *, plots: bool = False) -> str:
    """Return a filled template of prompts/eval."""
    drawn = _plots(words) if plots else {}
    return templates.render(f"eval/{name}", **words, **drawn)


def report_json(words: dict[str, Any]) -> dict[str, Any]:
    """Return all figures as plain data; what could not be judged is null."""
    measures: Measures = words["measures"]
    content = {
        "simulated": words["simulated"],
        "data": words["data"],
        "split": words["split"],
        "subjects": measures.subjects,
        "main": measures.main,
        "runs": [record.model_dump() for record in words["runs"]],
        "modes": {mode: card.as_json() for mode, card in measures.cards.items()},
        "differences": {
            f"{measures.main} − {other}": {name: vars(one) for name, one in found.items()}
            for other, found in measures.tests.items()
        },
        "breakdown": measures.groups,
        "judge": words["marks"],
        "reader": words["reader"],
    }
    plain: dict[str, Any] = without_nan(content)
    return plain


def figure_list() -> dict[str, Any]:
    """Return which metrics are shown, in which order and under which names."""
    return wording("eval/figures.yaml")


def share(value: float | None, digits: int = 1) -> str:
    """Return "61.2 %", or a dash for what could not be judged."""
    return "–" if value is None or math.isnan(value) else f"{100 * value:.{digits}f} %"


def markdown_text(text: object) -> str:
    """Escape what Markdown, its tables and HTML would read as markup."""
    plain = re.sub(r"\s*\n\s*", " ", str(text))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", plain)


def _in_prose(card: Scorecard) -> bool:
    """Whether a mode answers every stage in prose, so that its text metrics compare."""
    return "bleu" in card.figures and "action_accuracy" in card.figures


def _labelled(row: Row, measures: Measures) -> Row:
    """Name BERTScore by its encoder, since each has a scale of its own, and few the paper's."""
    signatures = (card.signatures.get(row["name"], "") for card in measures.cards.values())
    encoder = next((m[1] for s in signatures if (m := re.search(r"\|encoder:([^|]+)", s))), "")
    if not encoder:
        return row
    papers = encoder == PAPER_ENCODER
    return {**row, "label": f"{row['label']} by {encoder}", "as_published": papers}


def _row(row: Row, measures: Measures, columns: Sequence[str], published: Row) -> Row:
    figures = {mode: measures.cards[mode].figures.get(row["name"]) for mode in columns}
    known = {
        mode: figure.value
        for mode, figure in figures.items()
        if figure is not None and mode in measures.models and _rests(row, measures.cards[mode])
    }
    best = (min if row.get("lower") else max)(known.values(), default=math.nan)
    return {
        **row,
        "arrow": "↓" if row.get("lower") else "↑",
        "cells": {
            mode: "missing" if row["name"] in measures.cards[mode].missing else _say(row, figure)
            for mode, figure in figures.items()
        },
        "best": {m for m, v in known.items() if v == best and len(set(known.values())) > 1},
        "published": published.get(row["name"], []) if row.get("as_published", True) else [],
    }


def _is_any(row: Row, measures: Measures) -> bool:
    return any(row["name"] in card.figures for card in measures.cards.values())


def _rests(row: Row, card: Scorecard) -> bool:
    """Whether a figure rests on enough answers to be compared."""
    share = card.figures.get(row["of"]) if "of" in row else None
    return share is None or share.value >= _ENOUGH


def _say(row: Row, figure: Interval | None) -> str:
    if figure is None:
        return "–"
    if row.get("percent"):
        return say_interval(figure.value, figure.low, figure.high, percent=True)
    digits = row.get("digits", 3)
    said = f"{figure.value:.{digits}f}"
    if math.isnan(figure.low):
        return said
    return f"{said} [{figure.low:.{digits - 1}f}–{figure.high:.{digits - 1}f}]"


def _ranks(measures: Measures, columns: Sequence[str]) -> list[Row]:
    rows = []
    for kind in ("stated", "graph"):
        for which in ("pooled", "mean over actions"):
            cells = {}
            for mode in columns:
                value = float(measures.cards[mode].ranks.get(kind, {}).get(which, math.nan))
                cells[mode] = "–" if math.isnan(value) else f"{value:.3f}"
            rows.append({"kind": kind, "which": which, "cells": cells})
    return rows


def _tests(figures: dict[str, Any], measures: Measures) -> dict[str, list[Row]]:
    rows = [*figures["paper"], *(row for part in figures["coach"] for row in part["rows"])]
    labels = {row["name"]: _labelled(row, measures) for row in reversed(rows)}
    wanted = [row["name"] for row in figures["paper"]] + list(figures["plots"])
    return {
        other: [
            {"label": labels[name]["label"], **_lead(labels[name], found[name])}
            for name in dict.fromkeys(wanted)
            if name in found and not math.isnan(found[name].value)
        ]
        for other, found in measures.tests.items()
    }


def _lead(row: Row, one: Difference) -> Row:
    scale, unit = (100, " points") if row.get("percent") else (1, "")
    digits = 1 if row.get("percent") else row.get("digits", 3)
    low, high = ("–" if math.isnan(v) else f"{scale * v:+.{digits}f}" for v in (one.low, one.high))
    return {
        "value": f"{scale * one.value:+.{digits}f}{unit}",
        "interval": f"{low} to {high}",
        "p": "–" if math.isnan(one.p) else f"{one.p:.3g}",
        "sure": one.p < SIGNIFICANT,
        "questions": one.questions,
    }


def _groups(graph: Graph, measures: Measures) -> dict[str, list[tuple[str, dict[str, float]]]]:
    """Return by → (label, figures), without the error types, which have a table of their own."""
    found = {}
    for by, groups in measures.groups.items():
        if by != "error type":
            found[by] = [
                (f"{group} {graph.actions[group].name}" if by == "action" else group, figures)
                for group, figures in groups.items()
            ]
    return found


def _plots(words: dict[str, Any]) -> dict[str, Any]:
    figures, measures = figure_list(), words["measures"]
    rows = {row["name"]: row for part in words["sections"] for row in part["rows"]}
    drawn: list[tuple[str, str, Markup]] = []
    for name in figures["plots"]:
        row = rows[name]
        shown = [
            Bar(words["names"][mode], one.value, one.low, one.high, kind)
            for kind, modes in (("model", measures.models), ("trivial", measures.baselines))
            for mode in modes
            if (one := measures.cards[mode].figures.get(name)) is not None
        ]
        percent = bool(row.get("percent"))
        figure = bars(row["label"], shown, most=1.0 if percent else None, percent=percent)
        better = "less is better" if row.get("lower") else "more is better"
        if ceiling := row.get("ceiling"):
            better = f"{better} · a perfect answer, as read: {ceiling} %"
        drawn.append((row["label"], better, figure))
    points = [
        (judged.answer.truth.score, value)
        for judged, value in measures.judged
        if judged.answer.truth.score is not None
    ]
    title = "True scores and those that the graph computes from the errors named"
    return {"bar_plots": drawn, "score_plot": scatter(title, points) if points else ""}
