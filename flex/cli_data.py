"""`python -m flex data`: check a data folder, split it, import labels, merge annotators' votes.

python -m flex data check ROOT
python -m flex data split ROOT --by subject
python -m flex data import LABELS --map MAP.yaml --out ROOT
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from flex import cli, splits
from flex.agreement import Agreement, StageAgreement, agreement
from flex.annotations import ANNOTATIONS_FILE, load_annotations, write_annotations
from flex.data_check import DataReport, check_data
from flex.graph import Graph
from flex.graph_file import GRAPH_FILE, load_graph
from flex.import_labels import import_labels
from flex.import_map import load_map
from flex.labels import Merged, merge
from flex.sample import Annotation
from flex.votes import Stage, questions_of, read_votes

app = cli.new_app("Check a data folder, split it, import labels, merge annotators' votes.")
out = Console(highlight=False)

GraphFile = Annotated[
    Path, typer.Option("--graph", help="Knowledge graph file.", show_default="FLEX's")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Overwrite = Annotated[bool, typer.Option(help="Replace annotations that are there already.")]
Root = Annotated[Path, typer.Argument(help="The data folder.")]


@app.command("check")
def check_command(
    root: Root,
    graph: GraphFile = GRAPH_FILE,
    quick: Annotated[bool, typer.Option(help="Look for files without opening them.")] = False,
    as_json: Json = False,
) -> None:
    """Name everything that is wrong with a data folder: records, recordings, split lists.

    Exits with 2 if there is a problem.
    """
    shown = partial(track, description="opening", console=cli.err, disable=as_json)
    report = check_data(root, load_graph(graph), open_files=not quick, track=shown)
    if as_json:
        rows = [problem._asdict() for problem in report.problems]
        typer.echo(json.dumps({"root": str(root)} | asdict(report) | {"problems": rows}, indent=1))
    else:
        for problem in report.problems:
            typer.echo(str(problem))
        _print_report(root, report)
    if report.problems:
        raise typer.Exit(2)


@app.command("split")
def split_command(
    root: Root,
    by: Annotated[splits.Kind, typer.Option(help="What a split keeps together.")] = "subject",
    seed: Annotated[int, typer.Option(help="What the draw starts from.")] = 0,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Default: ROOT/split_KIND.json.")
    ] = None,
    graph: GraphFile = GRAPH_FILE,
) -> None:
    """Split the clips into training, validation and test, and refuse a split that leaks."""
    path = root / ANNOTATIONS_FILE
    needs_records = by != "released" or path.exists()
    records = load_annotations(path, load_graph(graph)) if needs_records else []
    split = _make_split(by, root, records, seed)
    if by == "released":
        # The lists are as they are: a record that they leave out is no leak.
        records = [record for record in records if record.clip in split.clips]
    splits.leaks(split, records, root)
    target = out_file or root / f"split_{by}.json"
    splits.save(split, target)
    _print_split(split, records, target)


@app.command("import")
def import_command(
    labels: Annotated[Path, typer.Argument(help="JSON Lines, or CSV with a header row.")],
    mapping: Annotated[Path, typer.Option("--map", help="Which field is what.")],
    root: Annotated[Path, typer.Option("--out", help="The data folder to write to.")],
    graph: GraphFile = GRAPH_FILE,
    overwrite: Overwrite = False,
) -> None:
    """Turn a table of labels into annotation records; nothing is written if a row is wrong."""
    known = load_graph(graph)
    records = import_labels(labels, load_map(mapping, known), known)
    path = root / ANNOTATIONS_FILE
    write_annotations(path, records, overwrite=overwrite)
    table = Table("action", "clips", "subjects", "labelled", "with an error")
    for action, name in ((a.id, a.name) for a in known.actions.values()):
        own = [record for record in records if record.action == action]
        if own:
            labelled = sorted({text for record in own for text in record.labelled or ()})
            subjects = len({record.subject for record in own} - {None})
            faulty = sum(bool(record.errors) for record in own)
            counts = (str(len(own)), str(subjects), ", ".join(labelled), str(faulty))
            table.add_row(f"{action} {name}", *counts)
    out.print(table)
    typer.echo(f"wrote {path}: {len(records)} records")


@app.command("merge")
def merge_command(
    votes: Annotated[Path, typer.Argument(help="votes.jsonl")],
    records: Annotated[Path, typer.Option(help="The annotations that the votes are about.")],
    root: Annotated[Path, typer.Option("--out", help="The data folder to write to.")],
    graph: GraphFile = GRAPH_FILE,
    overwrite: Overwrite = False,
) -> None:
    """Merge several votes a clip into one label: reviewers before annotators, majority decides."""
    known = load_graph(graph)
    before = load_annotations(records, known)
    merged = merge(before, read_votes(votes, known, questions_of(before, known)), known)
    path = root / ANNOTATIONS_FILE
    write_annotations(path, merged.records, overwrite=overwrite)
    _print_merged(merged)
    typer.echo(f"wrote {path}: {len(merged.records)} records")


@app.command("agreement")
def agreement_command(
    votes: Annotated[Path, typer.Argument(help="votes.jsonl")],
    records: Annotated[
        Path | None, typer.Option(help="Their annotations, if ids are not like A01/001.")
    ] = None,
    graph: GraphFile = GRAPH_FILE,
    as_json: Json = False,
) -> None:
    """Show how far annotators agree: Krippendorff's alpha per error type and stage."""
    known = load_graph(graph)
    questions = questions_of(load_annotations(records, known), known) if records else None
    report = agreement(read_votes(votes, known, questions), known, questions)
    if as_json:
        stages = {str(stage): asdict(found) for stage, found in report.items()}
        typer.echo(json.dumps({"stages": stages}, indent=1))
    else:
        _print_agreement(report, known)


def _make_split(
    by: splits.Kind, root: Path, records: Sequence[Annotation], seed: int
) -> splits.Split:
    if by == "released":
        return splits.split_as_released(root, records)
    make = splits.split_by_subject if by == "subject" else splits.split_by_repetition
    return make(records, seed=seed)


def _print_report(root: Path, report: DataReport) -> None:
    table = Table(title=str(root), show_header=False)
    table.add_row("clips", str(report.clips))
    table.add_row("records", str(report.records))
    table.add_row("subjects", str(report.subjects))
    table.add_row("actions", str(report.actions))
    table.add_row("views", ", ".join(report.views) or "none")
    table.add_row("problems", str(len(report.problems)))
    out.print(table)
    if not report.records and not report.problems:
        typer.echo(f"no {ANNOTATIONS_FILE}: recordings only; dialogues and splits need records")


def _print_split(split: splits.Split, records: Iterable[Annotation], path: Path) -> None:
    skill_of = {record.subject: record.skill or "skill not stated" for record in records}
    table = Table("part", "clips", "subjects", "skills")
    clips = Counter(split.clips.values())
    for part in splits.PARTS:
        subjects = split.subjects[part]
        skills = Counter(skill_of[subject] for subject in subjects)
        text = ", ".join(f"{count} {skill}" for skill, count in sorted(skills.items()))
        table.add_row(part, str(clips[part]), str(len(subjects)), text)
    out.print(table)
    told = {True: "subjects are in more than one part", None: "subjects are not known"}
    if split.leaks_subjects is not False:
        typer.echo(f"this split leaks or may leak: {told[split.leaks_subjects]}")
    typer.echo(f"wrote {path}")


def _print_merged(merged: Merged) -> None:
    for clip, occurrence in merged.undecided:
        typer.echo(f"{clip}: the votes on {occurrence} are even; left out, a person should look")
    for clips, message in (
        (merged.unreviewed, "without a review (stage 2); the annotators decided"),
        (merged.few_voters, "decided by fewer than three voters"),
    ):
        if clips:
            first = ", ".join(clips[:5]) + (", …" if len(clips) > 5 else "")
            typer.echo(f"{len(clips)} clips {message}: {first}")


def _print_agreement(report: dict[Stage, StageAgreement], graph: Graph) -> None:
    table = Table("error type", *(f"stage {stage} {x}" for stage in report for x in ("α", "units")))
    rows = [("all", [report[stage].overall for stage in report])]
    missing = Agreement(None, 0, 0.0, "no votes")
    for error in graph.error_types.values():
        found = [report[stage].error_types.get(error.id, missing) for stage in report]
        if any(item.units for item in found):
            rows.append((f"{error.id} {error.name}", found))
    for name, found in rows:
        cells = [text for item in found for text in (_alpha_text(item), str(item.units))]
        table.add_row(name, *cells)
    out.print(table)


def _alpha_text(found: Agreement) -> str:
    return f"not defined: {found.why}" if found.alpha is None else f"{found.alpha:.3f}"
