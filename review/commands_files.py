"""The commands of `python -m review` that read and write files."""

from pathlib import Path
from typing import Annotated

import typer

from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from review.feedback import import_feedback
from review.gold import read_gold, set_gold
from review.options import DEFAULT, Db, GraphFile, counting, existing

DATA, EXPORT = Path("data/flex-sim"), Path("runs/review/export")


def export_command(
    out: Annotated[Path, typer.Option(help="A folder of its own.")] = EXPORT,
    db: Db = DEFAULT,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Write the reviewed dialogues and everybody's votes, in the form of a run.

    `python -m qa_gen export OUT` makes the data set of it; what was rejected or fails the fact
    check is left out there. `python -m flex data agreement OUT/votes.jsonl` reads the votes.
    """
    from review.export import export_review

    graph = load_graph(graph_file)
    with existing(db) as store, counting("dialogues") as step:
        done = export_review(store, out, graph, progress=step)
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(done.states.items()))
    typer.echo(f"{done.dialogues:,} dialogues, {done.flagged:,} flagged: {states}")
    if done.edits_failed:
        typer.echo(f"{done.edits_failed:,} edits fail the fact check and stay flagged")
    if done.few_voices:
        typer.echo(f"{done.few_voices:,} are decided by fewer people than the rules ask for")
    typer.echo(f"{done.votes:,} votes; written to {out}")


def gold(
    file: Annotated[Path, typer.Argument(help="JSON Lines: clip, verdict, errors.")],
    db: Db = DEFAULT,
) -> None:
    """Make items gold: everybody gets them, and `progress` shows who is right.

    A line is `{"clip": "A01/001", "verdict": "reject", "errors": ["AK01:ET001"]}`. The verdict is
    accept or reject (then an edit is right too); without `errors` only the verdict is compared.
    """
    golds = read_gold(file)
    with existing(db) as store:
        set_gold(store, golds)
    typer.echo(f"{len(golds):,} items are gold")


def feedback(
    file: Annotated[Path, typer.Argument(help="What the chat wrote: feedback.jsonl.")],
    data: Annotated[Path, typer.Option(help="The data folder with the recordings.")] = DATA,
    db: Db = DEFAULT,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Import what users of the chat said; clips with an answer called wrong come first.

    An item that had all its votes is asked about again. Clips are found by their id, or by the
    bytes of a recording in the data folder.
    """
    from review.page_media import Media
    from review.recordings import Recordings

    graph = load_graph(graph_file)
    with existing(db) as store, counting("recordings compared") as step:
        recordings = Recordings(Media(store, data, graph), step)
        done = import_feedback(store, file, recordings.clips_of)
    typer.echo(
        f"{done.new:,} new, {done.known:,} known, {done.elsewhere:,} about clips not in the review"
    )
    if done.reopened:
        typer.echo(f"{done.reopened:,} items had all their votes; they are asked about again")


def to_label_studio(
    file: Annotated[Path, typer.Argument(help="Tasks to write, to be imported there.")],
    data: Annotated[
        Path, typer.Option(help="The data folder; Label Studio serves the folder that holds it.")
    ] = DATA,
    db: Db = DEFAULT,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Write tasks for Label Studio, with the decisions so far.

    The labeling interface is `label-studio/config.xml` in the export of `python -m qa_gen`.
    """
    from review.label_studio import write_tasks

    graph = load_graph(graph_file)
    with existing(db) as store:
        count = write_tasks(store, file, graph, folder=data.resolve().name)
    typer.echo(f"{count:,} tasks; written to {file}")


def from_label_studio(
    file: Annotated[Path, typer.Argument(help="What Label Studio exported as JSON.")],
    people: Annotated[
        list[str] | None,
        typer.Option("--person", help="A user there and who it is here, as 1=ana; for each."),
    ] = None,
    db: Db = DEFAULT,
) -> None:
    """Import annotations from Label Studio as decisions. Doing it again adds nothing."""
    from review.label_studio_import import read_annotations

    names: dict[str, str] = {}
    for pair in people or []:
        user, equals, name = pair.partition("=")
        if not equals:
            raise InputError([Problem(f"--person {pair}", "expected USER=NAME such as 1=ana")])
        names[user.strip()] = name.strip()
    with existing(db) as store, counting("tasks") as step:
        done = read_annotations(store, file, names, progress=step)
    typer.echo(
        f"{done.new:,} new decisions, {done.known:,} known, {done.stale:,} about an earlier text, "
        f"{done.elsewhere:,} about clips not in the review"
    )
