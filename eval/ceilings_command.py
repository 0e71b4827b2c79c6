"""`python -m eval ceilings`: the options of `eval.ceilings.measure_ceilings`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from eval.options import (
    OUT,
    GraphFile,
    Out,
    ReaderEndpoint,
    ReaderModel,
    ReaderName,
    ReaderRequests,
)
from flex.graph_file import GRAPH_FILE

if TYPE_CHECKING:
    from eval.ceilings import Ceiling
    from eval.readers import Reader

CEILINGS_FILE = "ceilings.json"


def ceilings(
    reader: ReaderName = "matcher",
    reader_endpoint: ReaderEndpoint = None,
    reader_model: ReaderModel = None,
    reader_requests: ReaderRequests = None,
    out: Out = OUT,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Measure a reader: what would a perfect answer reach, in each style of writing?

    Labelled texts are read as if they were answers. A served model's replies are kept in --out, so
    that a report with the same reader does not ask again. Writes ceilings.json.
    """
    from eval.ceilings import ceilings_json, measure_ceilings
    from eval.readers import choose
    from flex.cli import err
    from flex.files import write_text
    from flex.graph_file import load_graph
    from flex.plain import without_nan

    chosen = choose(
        reader, out=out, endpoint=reader_endpoint, model=reader_model, requests=reader_requests
    )
    found = measure_ceilings(load_graph(graph_file), chosen)
    Console(highlight=False).print(ceilings_table(chosen, found))
    for why, count in chosen.failures.items():
        err.print(f"Unread: {count} ({why})", markup=False)
    content = json.dumps(without_nan(ceilings_json(chosen, found)), indent=1)
    write_text(Path(out) / CEILINGS_FILE, content + "\n")


def ceilings_table(reader: "Reader", found: "dict[str, Ceiling]") -> Table:
    """Return what perfect answers measure with a reader, in per cent with 95 % intervals."""
    from eval.ceilings import FIGURES, STYLES

    table = Table("%", title=f"A perfect answer, as read by {reader.name}")
    for style, one in found.items():
        texts = f"{one.texts} texts" + (f", {one.unread} unread" if one.unread else "")
        table.add_column(f"{STYLES[style]}\n{texts}", justify="right")
    for name, label in FIGURES.items() if found else ():
        figures = [one.figures.get(name) for one in found.values()]
        cells = [
            "unknown"
            if figure is None
            else f"{100 * figure.value:.1f} ({100 * figure.low:.0f}–{100 * figure.high:.0f})"
            for figure in figures
        ]
        table.add_row(label, *cells)
    if not found:
        table.caption = "unknown: the labelled texts are about FLEX's own graph"
    return table
