"""Renders the data card: README.md for Hugging Face, and card.html, one page that opens by itself.

Both come from the same counts; their words are in `prompts/card/`. Text of the data set is escaped
in both, so that nothing in a label or an answer can act as markup.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from flex.graph import Graph
from flex.templates import environment
from qa_gen.card_figures import Bar, bars, histogram, length_ranges, weight_class
from qa_gen.card_stats import SCORE_BIN, SCORE_MAX, CardStats, ErrorRow
from qa_gen.dialogue import Dialogue
from qa_gen.export_parquet import parquet_file
from qa_gen.runs import RunRecord

README = "README.md"
PAGE = "card.html"
TOP_ERRORS = 20
TEXT_BAR = 30
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(
    folder: Path, record: RunRecord, graph: Graph, stats: CardStats, samples: list[Dialogue]
) -> None:
    """Write README.md and card.html into the export."""
    words = _words(record, graph, stats, samples)
    markdown = environment().get_template("card/card.md.j2")
    text = markdown.render(words, front=front_matter(stats), md=markdown_text, bar=_text_bar)
    (folder / README).write_text(text, encoding="utf-8")
    page = environment().get_template("card/card.html.j2")
    html = page.render(words, weight_class=weight_class, **_figures(graph, stats))
    (folder / PAGE).write_text(html, encoding="utf-8")


def front_matter(stats: CardStats) -> str:
    """Return the YAML head by which Hugging Face finds the splits, the licence and the tags."""
    size = next((name for below, name in SIZES if stats.dialogues < below), "n>1M")
    head = {
        "pretty_name": "FLEX-VideoQA",
        "license": "cc-by-nc-4.0",
        "language": ["en"],
        "task_categories": ["video-text-to-text", "visual-question-answering"],
        "size_categories": [size],
        "tags": ["fitness", "action-quality-assessment", "coaching"]
        + (["simulated"] if stats.simulated else []),
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": parquet_file(split)} for split in split_order(stats)
                ],
            }
        ],
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True)


def split_order(stats: CardStats) -> list[str]:
    """Return the splits that have dialogues: train, validation, test, then any others."""
    usual = ("train", "validation", "test")
    return sorted(stats.splits, key=lambda name: (usual.index(name) if name in usual else 9, name))


def markdown_text(text: object) -> str:
    """Escape what Markdown, its tables and HTML would read as markup."""
    plain = re.sub(r"\s*\n\s*", " ", str(text))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", plain)


def _words(
    record: RunRecord, graph: Graph, stats: CardStats, samples: list[Dialogue]
) -> dict[str, Any]:
    return {
        "record": record,
        "data_name": Path(record.data).name or record.data,
        "graph": graph,
        "stats": stats,
        "splits": split_order(stats),
        "scores": stats.scores(),
        "score_bins": [
            (low, low + SCORE_BIN, stats.score_bins[low // SCORE_BIN])
            for low in range(0, SCORE_MAX, SCORE_BIN)
        ],
        "errors": stats.error_rows(graph),
        "top_errors": TOP_ERRORS,
        "lengths": stats.lengths(),
        "samples": samples,
        "left_out": stats.left_out.total(),
    }


def _figures(graph: Graph, stats: CardStats) -> dict[str, Any]:
    top = [row for row in stats.error_rows(graph) if row.times][:TOP_ERRORS]
    actions = [
        Bar(f"{action.id}  {action.name}", count, f"{count:,}")
        for action in graph.actions.values()
        if (count := stats.actions[action.id])
    ]
    return {
        "score_figure": histogram(stats.score_bins, stats.scores()["mean"]),
        "error_figure": bars("The most frequent error types", [_error_bar(row) for row in top]),
        "action_figure": bars("Dialogues per action", actions),
        "length_figure": length_ranges(stats.lengths()),
    }


def _error_bar(row: ErrorRow) -> Bar:
    note = f"{row.times:,} · weight {row.weight}"
    return Bar(f"{row.id}  {row.name}", row.times, note, weight_class(row.weight))


def _text_bar(value: float, longest: float) -> str:
    """Return a bar of block characters, for Markdown."""
    return "█" * round(TEXT_BAR * value / longest) if longest else ""
