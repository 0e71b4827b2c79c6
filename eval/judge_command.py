"""`python -m eval judge`: the options of `eval.judge.grade`."""

import os
from typing import Annotated

import typer
from rich.table import Table

from eval.options import OUT, AnswerFiles, GraphFile, Out
from flex.cli import err
from flex.graph_file import GRAPH_FILE


def judge(
    endpoint: Annotated[
        str, typer.Option(help="OpenAI-compatible server, up to and with /v1.", show_default=False)
    ],
    model: Annotated[str, typer.Option(help="Name of the served model.", show_default=False)],
    answers: AnswerFiles = None,
    out: Out = OUT,
    limit: Annotated[
        int | None, typer.Option(help="Only the first evaluations of each mode.", min=1)
    ] = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Have a language model grade the evaluations against their clips' error lists.

    Four marks from 1 to 5 with a reason go to judge.jsonl; `report` shows their means. Replies are
    cached, so that a stopped run goes on. The key is taken from OPENAI_API_KEY.
    """
    from eval.answers import by_mode, find_answers, of_stage
    from eval.judge import MARKS, grade, means
    from flex.graph_file import load_graph
    from vlm.endpoint import Endpoint

    graph = load_graph(graph_file)
    given = of_stage(find_answers(answers, out, graph), "evaluate")
    asked = [answer for members in by_mode(given).values() for answer in members[:limit]]
    asker = Endpoint(endpoint, model, os.environ.get("OPENAI_API_KEY", "none"))
    found = means(grade(graph, asked, asker, out))
    table = Table("mode", *MARKS, "graded", title=f"Marks by {model}, 1 to 5")
    for mode, marks in found.items():
        values = [f"{marks[name]:.2f}" if name in marks else "–" for name in MARKS]
        table.add_row(mode, *values, f"{marks['graded']:.0%}")
    err.print(table)
    err.print(f"Written: {out / 'judge.jsonl'}; `python -m eval report` shows the means")
