"""Small runs and reviews for the tests of the review."""

from collections.abc import Sequence
from pathlib import Path

from flex.files import write_text
from flex.graph import Graph
from qa_gen.dialogue import Dialogue, Finding
from qa_gen.runs import DIALOGUES, FLAGGED, RUN, RunRecord
from review.bench import dialogues
from review.decisions import decide
from review.load import load
from review.people import add_person
from review.records import Action, Decision, get_item
from review.rules import Rules
from review.store import Store

FINDING = Finding(stage="evaluate", code="missing_error", message="AK04:ET015 is not named")
FIRST, SECOND = ("ana", "ben", "cleo"), ("rita", "sam", "tom")
# Without draws, so that the queue is the plain order of priority.
PLAIN = Rules(gold_share=0, audit_share=0)


def made(graph: Graph, count: int = 6) -> list[Dialogue]:
    return list(dialogues(graph, count, seed=1))


def write_review_run(
    folder: Path, graph: Graph, good: Sequence[Dialogue], flagged: Sequence[Dialogue] = ()
) -> Path:
    for name, rows in ((DIALOGUES, good), (FLAGGED, flagged)):
        lines = (row.model_dump_json(exclude_defaults=True) + "\n" for row in rows)
        write_text(folder / name, "".join(lines))
    record = RunRecord(
        data="made up",
        graph=graph.version,
        graph_name=graph.name,
        writer="template",
        seed=1,
        split="none",
        prompts="",
        versions={},
    )
    write_text(folder / RUN, record.model_dump_json())
    return folder


def open_review(
    folder: Path,
    graph: Graph,
    good: Sequence[Dialogue],
    flagged: Sequence[Dialogue] = (),
    rules: Rules = PLAIN,
) -> Store:
    """A loaded review with three people in each stage, and the admin "ada"."""
    store = Store(folder / "review.db")
    load(store, write_review_run(folder / "run", graph, good, flagged), graph, rules)
    for name in FIRST:
        add_person(store, name, "first")
    for name in SECOND:
        add_person(store, name, "second")
    add_person(store, "ada", "admin")
    return store


def say(
    store: Store, person: str, clip: str, action: Action = "accept", **more: object
) -> Decision:
    """Decide on the present version; a reject gets a reason."""
    if action == "reject":
        more.setdefault("reason", "wrong")
    version = get_item(store, clip).version
    return decide(store, person, clip, action, version=version, **more)  # type: ignore[arg-type]
