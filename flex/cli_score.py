"""`python -m flex score`: the score that errors give, by Eq. 1 of the paper."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flex.graph import Graph, Occurrence
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from flex.scoring import denominator, penalty, score

# Values after the first one of --errors arrive as further arguments.
CONTEXT = {"allow_extra_args": True}


def score_command(
    context: typer.Context,
    action: Annotated[str, typer.Option(help="Id or name of the action, such as A01.")],
    errors: Annotated[
        list[str] | None,
        typer.Option(help="Observed errors as KEYSTEP:ERRORTYPE, with blanks or commas between."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how it comes about.")] = False,
    graph_file: Annotated[
        Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
) -> None:
    """Print the score (0-100) of an action with the given errors.

    Figure 11 of the paper: `--action A01 --errors AK01:ET001 AK02:ET006 AK04:ET005 AK04:ET008
    AK05:ET018 AK05:ET003` gives 77.02.
    """
    graph = load_graph(graph_file)
    action_id = graph.action(action).id
    observed = _parse([*(errors or []), *context.args])
    value = score(graph, action_id, observed)
    if explain:
        Console().print(_table(graph, action_id, observed))
    typer.echo(f"{value:.2f}")


def _parse(values: list[str]) -> list[Occurrence]:
    observed = []
    problems = []
    for text in (part for value in values for part in value.replace(",", " ").split()):
        try:
            observed.append(Occurrence.parse(text))
        except ValueError as error:
            problems.append(Problem("--errors", str(error)))
    if problems:
        raise InputError(problems)
    return observed


def _table(graph: Graph, action: str, observed: list[Occurrence]) -> Table:
    table = Table("error", "what", "weight", title=f"{action} {graph.actions[action].name}")
    table.columns[2].justify = "right"
    in_order = graph.in_order(action, observed)
    for occurrence in in_order:
        error = graph.error_types[occurrence.error_type]
        table.add_row(str(occurrence), error.description, str(error.weight))
    table.add_section()
    table.add_row("", "sum of the observed", str(penalty(graph, in_order)))
    table.add_row("", "sum over all of the action", str(denominator(graph, action)))
    return table
