"""The commands of `python -m review` that show figures."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flex.agreement import Agreement
from flex.cli import err
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from review.agreement import KappaReport, ReviewAgreement, questions_of, review_agreement
from review.drift import Period, drift
from review.kappa import Kappa
from review.options import DEFAULT, AsJson, Db, GraphFile, existing
from review.progress import Progress, progress_of
from review.recount import standing_decisions
from review.words import words

out = Console(highlight=False)


def progress(db: Db = DEFAULT, as_json: AsJson = False) -> None:
    """Show what is done and left by stage and person, the pace, gold items, and agreement."""
    with existing(db) as store:
        found = progress_of(store)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
    else:
        _print_progress(found)


def agreement(
    by: Annotated[Period, typer.Option(help="Drift by week, or by hundred decisions.")] = "week",
    db: Db = DEFAULT,
    as_json: AsJson = False,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Show how far reviewers agree on the errors they saw: α, pairwise κ, and drift over time."""
    graph = load_graph(graph_file)
    with existing(db) as store:
        decisions, questions = standing_decisions(store), questions_of(store)
    report = review_agreement(decisions, questions, graph)
    points = drift(decisions, questions, by=by)
    if as_json:
        stages = {stage: _plain(found) for stage, found in report.items()}
        drifts = [asdict(point) for point in points]
        typer.echo(json.dumps({"stages": stages, "drift": drifts}, indent=1))
        return
    if not report:
        typer.echo("Nobody has said yet which errors they saw.")
    for stage, found in report.items():
        _print_stage(words().stages[stage], found, graph)
    table = Table("stage", "person", by, "decisions", "κ with the others", title="Drift")
    for point in points:
        row = (point.stage, point.person, point.period, str(point.decisions))
        table.add_row(*row, _kappa_text(point.agreement))
    out.print(table)


def bench_command(
    clips: Annotated[int, typer.Option(help="Dialogues in the store.", min=100)] = 7512,
    steps: Annotated[int, typer.Option(help="Items that are reviewed.", min=10)] = 300,
    behind: Annotated[
        int, typer.Option(help="Items that one person has done alone before.", min=0)
    ] = 2000,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Measure next item, decision and fact check in a made-up store of its own."""
    from review.bench import bench

    with tempfile.TemporaryDirectory() as folder, err.status("making dialogues and reviewing them"):
        found = bench(Path(folder), load_graph(graph_file), clips=clips, steps=steps, behind=behind)
    table = Table("", "times", "median ms", "p95 ms", "worst ms", title=f"{clips:,} dialogues")
    for one in found:
        numbers = (f"{ms:.1f}" for ms in (one.median_ms, one.p95_ms, one.worst_ms))
        table.add_row(one.name, str(one.times), *numbers)
    out.print(table)


def _print_progress(found: Progress) -> None:
    table = Table(title="Review", show_header=False)
    table.add_row("dialogues", f"{found.items:,}, {found.gold:,} of them gold")
    for state, count in found.states.items():
        table.add_row(words().states[state], f"{count:,}")
    table.add_row("split, for an admin", f"{found.undecided:,}")
    table.add_row("flagged and not decided", f"{found.flagged_left:,}")
    table.add_row("earlier decisions that do not count", f"{found.stale:,}")
    for name, stage in found.stages.items():
        done = f"{stage.done:,} done, {stage.left:,} left ({stage.voices_left:,} decisions)"
        table.add_row(words().stages[name], f"{done}; α {_alpha_text(stage.alpha)}")
    if found.hours_left is not None:
        table.add_row("hours of work left", f"{found.hours_left:,.0f}")
    out.print(table)
    people = Table("person", "role", "decisions", "last hour", "median s", "gold right")
    for person in found.people:
        look = "–" if person.median_s is None else f"{person.median_s:.0f}"
        gold = f"{person.gold.right} of {person.gold.judged}"
        numbers = (str(person.decisions), str(person.last_hour), look, gold)
        people.add_row(person.name, person.role, *numbers)
    out.print(people)


def _print_stage(name: str, found: ReviewAgreement, graph: Graph) -> None:
    table = Table("error type", "α", "units", *found.people, title=f"{name}: α, κ with the others")
    rows = [("all", found.alpha.overall, [r.overall for r in found.people.values()])]
    for error, alpha in found.alpha.error_types.items():
        missing = Kappa(None, 0, 0.0, "not judged")
        kappas = [report.error_types.get(error, missing) for report in found.people.values()]
        rows.append((f"{error} {graph.error_types[error].name}", alpha, kappas))
    for label, alpha, kappas in rows:
        table.add_row(label, _alpha_text(alpha), str(alpha.units), *map(_kappa_text, kappas))
    out.print(table)
    pairs = Table("pair", "κ", "units", "same answer", title=f"{name}: pairs")
    for (one, other), report in found.pairs.items():
        kappa = report.overall
        pairs.add_row(
            f"{one} and {other}", _kappa_text(kappa), str(kappa.units), f"{kappa.same:.0%}"
        )
    out.print(pairs)
    out.print(f"Whether the text can stay: α {_alpha_text(found.verdicts)}")


def _alpha_text(found: Agreement) -> str:
    return f"not defined: {found.why}" if found.alpha is None else f"{found.alpha:.3f}"


def _kappa_text(found: Kappa) -> str:
    return "not defined" if found.kappa is None else f"{found.kappa:.3f}"


def _plain(found: ReviewAgreement) -> dict[str, Any]:
    def plain(report: KappaReport) -> dict[str, Any]:
        return asdict(report)

    return {
        "alpha": asdict(found.alpha),
        "verdicts": asdict(found.verdicts),
        "pairs": [{"people": list(pair), **plain(report)} for pair, report in found.pairs.items()],
        "people": {person: plain(report) for person, report in found.people.items()},
    }
