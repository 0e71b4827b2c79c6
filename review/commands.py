"""The commands of `python -m review` that a review is done with."""

from pathlib import Path
from typing import Annotated

import typer

from flex.config import load_config
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from review.decisions import undo
from review.feedback import feedback_on
from review.load import load
from review.options import DEFAULT, Clip, Db, GraphFile, Name, counting, existing
from review.people import add_person, people
from review.queue import next_item, skip
from review.records import Action, Role, get_item
from review.rules import Rules, rules_of
from review.store import Store
from review.submit import FailingEditError, submit
from review.words import in_terminal, words


def load_command(
    run: Annotated[Path, typer.Argument(help="Folder of a run of `python -m qa_gen`.")],
    db: Db = DEFAULT,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="voices=3, lease_s=600, gold_share=0.05, audit_share=0.1, …"),
    ] = None,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Load the dialogues of a run, or load them again after they were made anew.

    Decisions stay with a dialogue whose text and labels are as before. Where they changed, the
    decisions are kept but do not count, and people look at the dialogue again. Settings stay as
    they are unless `--set` changes them.
    """
    graph = load_graph(graph_file)
    with Store(db) as store:
        rules = load_config(Rules, None, settings) if settings else None
        if rules is not None:
            given = rules.model_dump(exclude_unset=True)
            rules = rules_of(store).model_copy(update=given)
        with counting("dialogues") as step:
            loaded = load(store, run, graph, rules, progress=step)
    typer.echo(
        f"{loaded.new:,} new, {loaded.unchanged:,} as before, {loaded.changed:,} changed, "
        f"{loaded.gone:,} set aside; {loaded.stale:,} earlier decisions do not count"
    )


def people_command(
    name: Annotated[str | None, typer.Argument(help="Who to add; without it, list all.")] = None,
    role: Annotated[
        Role | None,
        typer.Option(
            help="first: labels anew; second: reviews the first; admin: settles.",
            show_default="first for a new person, else as before",
        ),
    ] = None,
    db: Db = DEFAULT,
) -> None:
    """Add a person, change a role, or list everybody.

    The paper has less experienced people in the first stage and more experienced ones in the
    second. An admin gets only what the second stage is split on, and then decides alone.
    """
    with existing(db) as store:
        roles = {person.name: person.role for person in people(store)}
        if name is not None:
            add_person(store, name, role or roles.get(name.strip(), "first"))
        for person in people(store):
            typer.echo(f"{person.name}: {person.role}")


def next_command(name: Name, db: Db = DEFAULT, graph_file: GraphFile = GRAPH_FILE) -> None:
    """Show the next item for a person, with the commands that decide it.

    The same item comes again until it is decided or skipped.
    """
    with existing(db) as store:
        assignment = next_item(store, name)
        heard = feedback_on(store, assignment.item.id) if assignment else []
    if assignment is None:
        typer.echo("Nothing is left for you at this moment.")
    else:
        typer.echo(in_terminal(load_graph(graph_file), assignment, heard))


def decide_command(
    name: Name,
    clip: Clip,
    action: Annotated[Action, typer.Argument(help="accept, edit or reject.")],
    seen: Annotated[
        str, typer.Option(help="Version that you saw, as `next` prints it.", show_default=False)
    ],
    text: Annotated[str | None, typer.Option(help="edit: the whole evaluation, edited.")] = None,
    reason: Annotated[str | None, typer.Option(help="reject: what is wrong.")] = None,
    errors: Annotated[
        list[str] | None,
        typer.Option("--error", help="An error that you saw, as AK04:ET015; again for more."),
    ] = None,
    no_errors: Annotated[bool, typer.Option("--no-errors", help="You saw no error.")] = False,
    failing: Annotated[
        bool, typer.Option("--failing", help="Keep an edit that fails the fact check.")
    ] = False,
    db: Db = DEFAULT,
    graph_file: GraphFile = GRAPH_FILE,
) -> None:
    """Accept, edit or reject an item.

    What you say replaces what you said of it before; what others said stays. An edit is checked
    against the labels. If the labels themselves are wrong, reject the item and name the errors
    that you saw with --error, or --no-errors: the votes then correct the labels.
    """
    if no_errors and errors:
        raise InputError([Problem("--no-errors", "does not go together with --error")])
    with existing(db) as store:
        try:
            decision = submit(
                store,
                load_graph(graph_file),
                name,
                clip,
                action,
                seen=seen,
                text=text,
                reason=reason,
                occurrences=errors or ([] if no_errors else None),
                failing=failing,
            )
        except FailingEditError as error:
            note = "the edit fails the fact check: {} (--failing keeps it all the same)"
            found = [Problem(clip, note.format(one.message)) for one in error.findings]
            raise InputError(found) from error
        state = get_item(store, clip).state
    typer.echo(f"{clip}: {decision.action}, as decision {decision.id}; now {words().states[state]}")


def skip_command(name: Name, clip: Clip, db: Db = DEFAULT) -> None:
    """Put an item aside for some minutes; somebody else may have it."""
    with existing(db) as store:
        skip(store, name, clip)
    typer.echo(f"{clip}: put aside")


def undo_command(
    name: Name,
    clip: Annotated[str | None, typer.Argument(help="Else the last clip that you decided.")] = None,
    db: Db = DEFAULT,
) -> None:
    """Take back your last decision; the item comes next. The history keeps both."""
    with existing(db) as store:
        undone = undo(store, name, clip)
    typer.echo(f"{undone.clip}: {undone.action} taken back" if undone else "nothing to take back")
