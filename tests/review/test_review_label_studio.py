"""A real export of Label Studio 1.23.2, made as docs/review.md tells, is read as it was meant.

In it, user 1 imported our tasks with cleo's decisions and rejected A01/041; user 2 accepted it,
edited A01/100 in the browser, skipped A01/119, and changed cleo's accept of A01/001 into a reject.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from review_runs import write_review_run

from flex.graph import Graph
from flex.problems import InputError
from qa_gen.dialogue import Dialogue
from review.label_studio import review_task
from review.label_studio_import import read_annotations
from review.load import load
from review.people import add_person
from review.records import get_item
from review.recount import standing_decisions
from review.store import Store

DATA = Path(__file__).with_name("data")
EXPORT = DATA / "label-studio-1.23.2.json"
NAMES = {"1": "ana", "2": "ben"}


@pytest.fixture
def store(graph: Graph, tmp_path: Path) -> Iterator[Store]:
    """The dialogues that the export is about, and nobody's decisions."""
    lines = (DATA / "label-studio-dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [Dialogue.model_validate_json(line) for line in lines]
    with Store(tmp_path / "review.db") as found:
        load(found, write_review_run(tmp_path / "run", graph, rows), graph)
        for name in ("ana", "ben", "cleo"):
            add_person(found, name, "first")
        yield found


def test_annotations_are_whose_they_are_now(store: Store) -> None:
    done = read_annotations(store, EXPORT, NAMES)
    assert (done.new, done.known, done.stale, done.elsewhere) == (5, 0, 0, 0)
    found = {(d.clip, d.person): d for d in standing_decisions(store)}
    assert {key: one.action for key, one in found.items()} == {
        ("A01/001", "ben"): "reject",  # ben's, though user 1 imported what it was before
        ("A01/021", "cleo"): "reject",
        ("A01/041", "ana"): "reject",
        ("A01/041", "ben"): "accept",
        ("A01/100", "ben"): "edit",
    }
    changed, kept = found["A01/001", "ben"], found["A01/021", "cleo"]
    assert changed.reason == "The text is hard to understand."
    assert changed.duration_ms is None  # the 8.1 s were cleo's
    assert changed.occurrences is None
    assert kept.duration_ms == 31_000
    assert kept.occurrences == get_item(store, "A01/021").labels[1:]
    assert found["A01/041", "ben"].duration_ms == 5_800
    edited = get_item(store, "A01/100").evaluation + " Keep it up next time!"
    assert found["A01/100", "ben"].text == edited
    assert read_annotations(store, EXPORT, NAMES).known == 5


def test_users_are_numbers_in_the_export(store: Store) -> None:
    with pytest.raises(InputError, match="user 2: say who it is, as in --person 2=ana"):
        read_annotations(store, EXPORT, {"1": "ana", "ben@example.org": "ben"})


def test_tasks_lead_to_recordings_that_label_studio_serves(store: Store, graph: Graph) -> None:
    """It serves nothing that lies directly in the folder that it was given."""
    task = review_task(get_item(store, "A01/041"), [], graph, folder="flex-sim")
    (exported,) = (
        row["data"] for row in json.loads(EXPORT.read_text()) if row["data"]["clip"] == "A01/041"
    )
    assert task["data"] == exported
    assert exported["video_View_1"] == "/data/local-files/?d=flex-sim/A01/041/View-1.mp4"
