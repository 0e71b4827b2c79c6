"""In Chromium: the login ends while somebody works. They are told, and lose nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_server import IN_CHROMIUM, Server, Watcher, clip_of, prepare, press, sit_down
from review_runs import made

from flex.graph import Graph
from review.decisions import history
from review.page_words import page_words
from review.records import get_item
from review.store import Store

pytest.importorskip("playwright")
pytest.importorskip("gradio")
pytestmark = [pytest.mark.slow, IN_CHROMIUM]
# What browsers say themselves of such an answer, and no script can keep them from it.
OF_THE_BROWSER = "Failed to load resource: the server responded with a status of 401"


@pytest.fixture
def store(graph: Graph, tmp_path: Path) -> Iterator[Store]:
    prepare(tmp_path, graph, made(graph, 3))
    with Store(tmp_path / "review.db") as found:
        yield found


@pytest.fixture
def watcher(store: Store) -> Iterator[Watcher]:
    server = Server(store.path, store.path.parent / "data")
    yield Watcher(server.url)
    server.stop()


@pytest.fixture
def page(watcher: Watcher, browser: Any) -> Any:
    """Somebody who sits at the desk."""
    page = watcher.page(browser)
    sit_down(page, watcher.url, "ana")
    return page


def uncaught(watcher: Watcher) -> list[str]:
    return [fault for fault in watcher.faults if not fault.startswith(OF_THE_BROWSER)]


def test_whose_login_has_ended_is_told_and_loses_nothing(
    store: Store, watcher: Watcher, page: Any
) -> None:
    page.keyboard.press(" ")
    clip, good = clip_of(page), get_item(store, clip_of(page)).evaluation
    (ticket,) = (cookie for cookie in page.context.cookies() if cookie["name"] == "flex_review")
    page.context.clear_cookies()
    for key in ("a", "s", "u"):
        page.evaluate("document.querySelector('.note').textContent = ''")
        press(page, key)
        assert page.inner_text(".note.bad") == page_words().says["logged_out"]
        assert clip_of(page) == clip
    page.keyboard.press("e")
    page.evaluate("document.querySelector('.note').textContent = ''")
    page.fill("textarea.edit", f"{good} Well done!")  # the fact check is asked while one types
    page.wait_for_function("document.querySelector('.note.bad').textContent !== ''")
    press(page, "Control+Enter")
    assert page.input_value("textarea.edit") == f"{good} Well done!"
    assert history(store, clip) == []
    page.context.add_cookies([ticket])  # as after the login in another window
    press(page, "Control+Enter")
    assert [row["text"] for row in history(store, clip)] == [f"{good} Well done!"]
    assert watcher.faults
    assert uncaught(watcher) == []


def test_behind_a_tab_too_one_is_told_and_gets_to_the_door(watcher: Watcher, page: Any) -> None:
    page.context.clear_cookies()
    page.get_by_role("tab", name="Progress").click()
    told = page.locator(".login-ended")
    told.wait_for()
    assert page_words().says["tab_logged_out"] in told.inner_text()
    page.get_by_text("Error", exact=True).filter(visible=True).wait_for(state="detached")
    assert uncaught(watcher) == []
    told.get_by_role("link").click()
    sit_down(page, watcher.url, "ana")
    page.get_by_role("tab", name="Progress").click()
    page.get_by_text("have all voices").first.wait_for()
    assert told.count() == 0
