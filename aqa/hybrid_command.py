"""`python -m aqa hybrid`: makes a run of two others."""

from pathlib import Path
from typing import Annotated

import typer

from aqa.commands import RUNS, console
from flex.problems import InputError, Problem


def join(
    graph: Annotated[Path, typer.Argument(help="Folder of a run of the graph head.")],
    core: Annotated[Path, typer.Argument(help="Folder of a run of CoRe.")],
    out: Annotated[Path, typer.Option(help="Folder of the joint run.")] = RUNS / "hybrid",
) -> None:
    """Take CoRe as a second opinion: a run whose scores are a mean of two runs' scores.

    How much of it is the graph head's is told by the validation clips. Nothing is trained; the
    result can be evaluated like any run.

        python -m aqa hybrid runs/aqa/graph runs/aqa/mv_pose_emg

        python -m aqa evaluate runs/aqa/graph runs/aqa/hybrid
    """
    from aqa.hybrid import hybrid, second_opinion
    from aqa.predictions import PREDICTIONS_FILE, read_predictions, write_predictions
    from flex.files import write_text
    from flex.recipes import RECIPE_FILE

    if out.resolve() in (graph.resolve(), core.resolve()):
        raise InputError([Problem("--out", f"{out} is one of the two runs; name another folder")])
    first, second = (read_predictions(run / PREDICTIONS_FILE) for run in (graph, core))
    opinion = second_opinion(first, second)
    # The split and what else the report asks of a run are those of the graph head's.
    write_text(out / RECIPE_FILE, (graph / RECIPE_FILE).read_text(encoding="utf-8"))
    write_predictions(out / PREDICTIONS_FILE, hybrid(first, second, opinion))
    console.print(
        f"{opinion.weight:.0%} {graph.name}, {1 - opinion.weight:.0%} {core.name}, by "
        f"{opinion.clips} validation clips, on which they differ by {opinion.gap:.1f} points: {out}"
    )
