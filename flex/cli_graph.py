"""`python -m flex graph`: check, show and export the knowledge graph; find errors in a text.

python -m flex graph show A16
python -m flex graph find A16 "Your knees caved in."
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flex import cli, graph_export, graph_svg
from flex.files import read_jsonl, write_text
from flex.graph import Graph, Occurrence
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem

app = cli.new_app("Check, show and export the knowledge graph; find errors in a text.")
out = Console(highlight=False)

GraphFile = Annotated[
    Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
]
ActionName = Annotated[str, typer.Argument(help="Id or name of an action, such as A16 or Squat.")]


class Format(StrEnum):
    """What `export` writes."""

    JSON = "json"
    GRAPHML = "graphml"
    MERMAID = "mermaid"
    SVG = "svg"


_WRITERS: dict[Format, Callable[[Graph], str]] = {
    Format.JSON: graph_export.to_json,
    Format.GRAPHML: graph_export.to_graphml,
    Format.MERMAID: graph_export.to_mermaid,
    Format.SVG: graph_svg.to_svg,
}


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(help="A graph file.", show_default="FLEX's")] = GRAPH_FILE,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail on wording that the matcher misreads, too.")
    ] = False,
) -> None:
    """Validate a graph file as a whole; every problem is listed with its line.

    Wording that the matcher would misread is a warning, since texts about it cannot be checked.
    Exits with 2 if there is a problem.
    """
    from flex.wording import wording_problems

    graph = load_graph(file)
    misread = wording_problems(graph)
    if misread and strict:
        raise InputError(misread)
    for problem in misread:
        cli.err.print(f"warning {problem}", markup=False)
    out.print(_summary(graph))


@app.command("show")
def show_command(action: ActionName, graph_file: GraphFile = GRAPH_FILE) -> None:
    """Print an action: its key steps with their standards, errors, weights and corrections."""
    graph = load_graph(graph_file)
    chosen = graph.action(action)
    out.print(f"[bold]{chosen.id} {chosen.name}[/] · {chosen.equipment}, {chosen.posture}")
    out.print(chosen.summary)
    out.print(f"Target muscles: {', '.join(chosen.target_muscles)}")
    if chosen.recorded_muscles:
        out.print(f"Recorded muscles: {', '.join(chosen.recorded_muscles)}")
    out.print(f"Phases: {' → '.join(chosen.phases)} · total weight {graph.total(chosen.id)}")
    for step in map(graph.key_steps.__getitem__, chosen.key_steps):
        out.print(f"\n[bold]{step.id} {step.name}[/] ({step.phase})\n{step.standard}")
        table = Table("error", "weight", "what", "correction", "known from", show_lines=True)
        for error in map(graph.error_types.__getitem__, step.errors):
            advice = graph.corrections(Occurrence(step.id, error.id))[0]
            known = ", ".join(error.known_from) or "not at all"
            table.add_row(error.id, str(error.weight), error.description, advice, known)
        out.print(table)


@app.command("export")
def export_command(
    export_format: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.JSON,
    action: Annotated[str | None, typer.Option(help="Only this action.")] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="A file; else it is printed.")
    ] = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Write the graph for other tools: JSON, GraphML, Mermaid, or a picture."""
    graph = load_graph(graph_file)
    text = _WRITERS[export_format](graph_export.only(graph, action) if action else graph)
    if target is None:
        typer.echo(text)
    else:
        write_text(target, text)


@app.command("find")
def find_command(
    action: ActionName,
    text: Annotated[str, typer.Argument(help="What somebody says of a repetition.")],
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Print the ids of the error types that a text says are present, one a line."""
    from flex.matcher import find_errors

    for error_type in find_errors(load_graph(graph_file), text, action):
        typer.echo(error_type)


@app.command("measure")
def measure_command(
    sentences: Annotated[Path, typer.Argument(help="Labelled sentences, JSON Lines.")],
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Measure the matcher on labelled sentences: precision, recall, and sentences fully right."""
    from flex.matcher_measure import measure

    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for _, row in read_jsonl(sentences):
        if isinstance(row, Problem):
            problems.append(row)
        else:
            rows.append(row)
    if problems:
        raise InputError(problems)
    table = Table("sentences", "count", "precision", "recall", "F1", "fully right")
    for name, quality in measure(load_graph(graph_file), rows).items():
        figures = (quality.precision, quality.recall, quality.f1)
        right = f"{quality.exact / quality.sentences:.1%}"
        table.add_row(name, str(quality.sentences), *(f"{f:.3f}" for f in figures), right)
    out.print(table)


def _summary(graph: Graph) -> Table:
    edges = len(list(graph_export.action_edges(graph)))
    pairs = len(list(graph_export.error_edges(graph)))
    occurrences = sum(len(graph.occurrences(action)) for action in graph.actions)
    title = (
        f"{graph.name}: {len(graph.actions)} actions, {len(graph.key_steps)} key steps, "
        f"{len(graph.error_types)} error types; {edges} action–step and {pairs} step–error "
        f"edges, {occurrences} occurrences"
    )
    table = Table("id", "action", "phases", "key steps", "occurrences", "total weight", title=title)
    for column in table.columns[3:]:
        column.justify = "right"
    for action in graph.actions.values():
        counts = (len(action.key_steps), len(graph.occurrences(action.id)), graph.total(action.id))
        table.add_row(action.id, action.name, " → ".join(action.phases), *map(str, counts))
    return table
