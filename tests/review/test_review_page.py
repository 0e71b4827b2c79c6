"""The review in Chromium: two people at once, by keyboard, and a server that is killed."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_server import IN_CHROMIUM, Server, Watcher, clip_of, prepare, press, sit_down
from review_runs import PLAIN, made, say

from flex.graph import Graph
from review.decisions import history
from review.records import get_item
from review.rules import Rules
from review.store import Store
from review.words import words

pytest.importorskip("playwright")
pytest.importorskip("gradio")
pytestmark = IN_CHROMIUM
ODD = "<img src=x onerror=alert(name)> <b>bold</b>"


@pytest.fixture
def store(graph: Graph, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Eight recorded dialogues, one voice in each stage where the test asks for it."""
    rules = getattr(request, "param", PLAIN)
    prepare(tmp_path, graph, made(graph, 8), rules=rules)
    with Store(tmp_path / "review.db") as found:
        yield found


def serve(store: Store, port: int = 0) -> Server:
    return Server(store.path, store.path.parent / "data", port=port)


def said(store: Store, clip: str) -> list[tuple[str, str, str | None]]:
    return [(row["person"], row["action"], row["reason"]) for row in history(store, clip)]


def test_two_people_review_at_once_by_keyboard(store: Store, browser: Any) -> None:
    server = serve(store)
    try:
        watcher = Watcher(server.url)
        ana = watcher.page(browser, viewport={"width": 1280, "height": 900})
        ben = watcher.page(browser, viewport={"width": 390, "height": 844})
        sit_down(ana, server.url, "ana")
        sit_down(ben, server.url, "ben")
        first = clip_of(ana)
        assert clip_of(ben) == first  # three people look at each, and all work blind
        press(ana, "a")
        second = clip_of(ana)
        assert second != first
        press(ben, "r", "4")
        assert clip_of(ben) == second
        assert said(store, first) == [
            ("ana", "accept", None),
            ("ben", "reject", words().reasons["4"]),
        ]
        press(ben, "u")
        assert clip_of(ben) == first
        assert said(store, first)[-1] == ("ben", "undo", None)
        assert not ben.is_visible(".earlier")
        press(ben, "s")
        assert clip_of(ben) != first
        ana.keyboard.press("?")
        assert ana.is_visible("dialog.keys")
        ana.keyboard.press("Escape")
        _edit(ana, store, second)
        _figures(ana)
        assert ben.evaluate("document.documentElement.scrollWidth") <= 390
        assert watcher.faults == []
    finally:
        server.stop()


def _edit(page: Any, store: Store, clip: str) -> None:
    """Edit an evaluation: the fact check speaks while one types, and HTML stays text."""
    good = get_item(store, clip).evaluation
    page.keyboard.press("e")
    page.wait_for_selector("textarea.edit:focus")
    page.wait_for_selector("#desk[data-findings='0']")
    page.keyboard.press("Control+a")
    page.keyboard.type("Well done.")
    page.wait_for_selector("#desk:not([data-findings='0'], [data-findings=checking])")
    assert "not" in page.inner_text(".turn.evaluate .findings")
    page.keyboard.press("Control+Enter")  # refused once, since it fails the check
    page.wait_for_selector(".note.bad")
    page.wait_for_selector("#desk[data-busy=no]")
    assert clip_of(page) == clip
    page.fill("textarea.edit", f"{good} {ODD}")
    page.wait_for_selector("#desk[data-findings='0']")
    press(page, "Control+Enter")
    assert clip_of(page) != clip
    assert history(store, clip)[-1]["text"] == f"{good} {ODD}"


def _figures(page: Any) -> None:
    page.get_by_role("tab", name="Progress").click()
    page.get_by_text("have all voices").first.wait_for()
    page.get_by_role("tab", name="Agreement").click()
    page.get_by_text("α on whether the text can stay").wait_for()
    page.get_by_role("tab", name="People").click()
    page.get_by_text("ana (you)").wait_for()


@pytest.mark.parametrize(
    "store", [Rules(voices=1, gold_share=0, audit_share=0)], indirect=True, ids=["one voice"]
)
def test_the_second_stage_sees_what_the_first_said(store: Store, browser: Any) -> None:
    clip = "A01/001"
    text = f"{get_item(store, clip).evaluation} {ODD}"
    say(store, "ana", clip, "edit", text=text)
    server = serve(store)
    try:
        watcher = Watcher(server.url)
        page = watcher.page(browser)
        sit_down(page, server.url, "rita")
        assert clip_of(page) == clip
        assert page.inner_text(".turn.evaluate .answer") == text
        assert "ana" in page.inner_text(".earlier")
        assert page.locator("#desk img").count() == 0
        _playback(page)
        press(page, "a")
        assert said(store, clip)[-1] == ("rita", "accept", None)
        assert get_item(store, clip).state == "edited"
        assert page.is_visible(".empty")
        assert watcher.faults == []
    finally:
        server.stop()


def _playback(page: Any) -> None:
    """All views stand at the same frame, also after a step; the skeleton is drawn."""
    times = "[...document.querySelectorAll('#views video')].map((v) => v.currentTime)"
    page.wait_for_function(f"{times}.length === 2 && {times}.every((t) => t > 0)")
    page.keyboard.press("1")
    assert page.inner_text(".speeds [aria-pressed=true]") == "0.25×"
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelectorAll('#views video:not([paused])').length === 2")
    page.locator(".track input").fill("1")
    page.wait_for_function(f"{times}.every((t) => Math.abs(t - 1) < 0.02)")
    page.keyboard.press(".")
    page.wait_for_function(f"{times}.every((t) => t > 1.02 && t < 1.08)")
    page.keyboard.press(",")
    page.wait_for_function(f"{times}.every((t) => Math.abs(t - 1) < 0.02)")
    page.wait_for_selector("canvas.skeleton")
    page.keyboard.press("k")  # no camera is known: it goes away at once
    assert not page.is_visible("canvas.skeleton")


@pytest.mark.slow
def test_a_killed_server_loses_nothing(store: Store, browser: Any) -> None:
    server = serve(store)
    watcher = Watcher(server.url)
    page = watcher.page(browser)
    sit_down(page, server.url, "ana")
    done = []
    for _ in range(3):
        done.append(clip_of(page))
        press(page, "a")
    server.stop(signal.SIGKILL)
    assert all(said(store, clip) == [("ana", "accept", None)] for clip in done)
    fourth = clip_of(page)
    page.keyboard.press("a")  # nobody answers: the desk sends it again and again
    page.wait_for_selector(".note.bad")
    assert said(store, fourth) == []
    server = serve(store, port=server.port)
    try:
        page.wait_for_selector("#desk[data-busy=no]")
        assert said(store, fourth) == [("ana", "accept", None)]
        assert clip_of(page) not in {*done, fourth}
        assert [fault for fault in watcher.faults if "net::ERR_" not in fault] == []
    finally:
        server.stop()
