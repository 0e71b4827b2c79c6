"""In Chromium: a dialogue that changes while somebody looks at it, drafts, and new people."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_server import IN_CHROMIUM, Server, Watcher, clip_of, prepare, press, sit_down
from review_runs import made, open_review, say
from waiting import PATIENCE_S

from flex.files import write_text
from flex.graph import Graph
from review.decisions import history
from review.feedback import import_feedback
from review.load import load
from review.people import people
from review.records import get_item
from review.rules import Rules
from review.store import Store

pytest.importorskip("playwright")
pytest.importorskip("gradio")
pytestmark = [pytest.mark.slow, IN_CHROMIUM]
ONE_VOICE = Rules(voices=1, gold_share=0, audit_share=0)
ODD = "<img src=x onerror=alert(1)>"


@pytest.fixture
def store(graph: Graph, tmp_path: Path) -> Iterator[Store]:
    """Three recorded dialogues; one voice in each stage is enough."""
    prepare(tmp_path, graph, made(graph, 3), rules=ONE_VOICE)
    with Store(tmp_path / "review.db") as found:
        yield found


@pytest.fixture
def server(store: Store) -> Iterator[Server]:
    found = Server(store.path, store.path.parent / "data")
    yield found
    found.stop()


def change_all(store: Store, graph: Graph) -> None:
    """Load the same clips with other texts."""
    rows = []
    for row in made(graph, 3):
        turns = tuple(t.model_copy(update={"answer": f"{t.answer} New."}) for t in row.turns)
        rows.append(row.model_copy(update={"turns": turns}))
    open_review(store.path.parent / "later", graph, rows).close()
    load(store, store.path.parent / "later" / "run", graph, ONE_VOICE)


def answer(page: Any) -> str:
    return str(page.inner_text(".turn.evaluate .answer"))


def test_a_changed_dialogue_is_shown_anew_with_a_message(
    store: Store, server: Server, browser: Any, graph: Graph
) -> None:
    watcher = Watcher(server.url)
    page = watcher.page(browser)
    sit_down(page, server.url, "ana")
    clip = clip_of(page)
    change_all(store, graph)
    press(page, "a")
    assert "has changed" in page.inner_text(".note.bad")
    assert history(store, clip) == []
    assert (clip_of(page), answer(page)[-4:]) == (clip, "New.")
    press(page, "a")
    assert [row["action"] for row in history(store, clip)] == ["accept"]
    assert watcher.faults == []


def test_what_was_written_outlives_a_conflict_and_escape(
    store: Store, server: Server, browser: Any, graph: Graph
) -> None:
    watcher = Watcher(server.url)
    page = watcher.page(browser)
    sit_down(page, server.url, "ana")
    clip = clip_of(page)
    text = f"{answer(page)} Keep it up next time!"
    page.keyboard.press("e")
    page.fill("textarea.edit", text)
    page.keyboard.press("Escape")
    assert answer(page) != text
    page.keyboard.press("e")
    assert page.input_value("textarea.edit") == text
    change_all(store, graph)
    press(page, "Control+Enter")
    assert "has changed" in page.inner_text(".note.bad")
    assert (clip_of(page), page.input_value("textarea.edit")) == (clip, text)
    press(page, "Control+Enter")
    assert [row["text"] for row in history(store, clip)] == [text]
    assert watcher.faults == []


def test_an_edit_after_the_decision_of_another_is_seen(
    store: Store, server: Server, browser: Any
) -> None:
    watcher = Watcher(server.url)
    page = watcher.page(browser)
    good = get_item(store, "A01/001").evaluation
    say(store, "ana", "A01/001", "edit", text=f"{good} First.")
    sit_down(page, server.url, "rita")
    assert answer(page).endswith("First.")
    say(store, "ana", "A01/001", "edit", text=f"{good} Second.")
    press(page, "a")
    assert "has changed" in page.inner_text(".note.bad")
    assert answer(page).endswith("Second.")
    page.keyboard.press("e")
    page.fill("textarea.edit", good)  # neither of ana's: the text as it was generated
    press(page, "Control+Enter")
    assert get_item(store, "A01/001").state == "accepted"
    assert watcher.faults == []


def test_a_reopened_item_says_why(store: Store, server: Server, browser: Any) -> None:
    for person in ("ana", "rita"):
        say(store, person, "A02/001")
    line = {"clip": "A02/001", "verdict": "wrong", "stage": "score", "note": ODD, "answer": "12"}
    write_text(store.path.with_name("said.jsonl"), json.dumps(line) + "\n")
    assert import_feedback(store, store.path.with_name("said.jsonl")).reopened == 1
    watcher = Watcher(server.url)
    page = watcher.page(browser)
    sit_down(page, server.url, "ben")
    assert clip_of(page) == "A02/001"
    heard = page.inner_text(".heard")
    assert "Reopened" in heard
    assert f"called an answer wrong (score): {ODD}" in heard
    assert heard.endswith("12")
    assert page.is_visible("[data-flag]")
    assert watcher.faults == []


def test_a_reason_is_written_and_does_not_accept(
    store: Store, server: Server, browser: Any
) -> None:
    page = browser.new_page()
    sit_down(page, server.url, "ana")
    clip = clip_of(page)
    page.keyboard.press("r")
    page.keyboard.type("another exercise")
    press(page, "Enter")
    said = [(row["action"], row["reason"]) for row in history(store, clip)]
    assert said == [("reject", "another exercise")]


def test_an_admin_adds_people(store: Store, server: Server, browser: Any) -> None:
    watcher = Watcher(server.url)
    ana, ada = watcher.page(browser), watcher.page(browser)
    for page, name in ((ana, "ana"), (ada, "ada")):
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(server.url)
        page.get_by_role("button", name=name).click()
        page.get_by_role("tab", name="People").click()
        page.get_by_text(f"{name} (you)").wait_for()
    assert not ana.get_by_role("button", name="Add or change").is_visible()
    ada.get_by_label("Name").fill(f"  {ODD} ")
    ada.get_by_label("Role").click()
    ada.get_by_role("option", name="second").click()
    ada.get_by_role("button", name="Add or change").click()
    ada.get_by_role("cell", name=ODD).wait_for()
    roles = {person.name: person.role for person in people(store)}
    assert roles[ODD] == "second"
    ada.get_by_label("Name").fill("ana")
    ada.get_by_role("button", name="Add or change").click()
    ada.get_by_role("row", name="ana second").wait_for()
    ada.get_by_label("Name").fill(" ")
    ada.get_by_role("button", name="Add or change").click()
    ada.get_by_text("expected a name of 1 to 80 characters").wait_for()
    assert len(people(store)) == len(roles)
    assert watcher.faults == []
