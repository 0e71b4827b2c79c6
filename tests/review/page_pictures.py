"""Takes the pictures of docs/review.md: `python tests/review/page_pictures.py`, in the checkout.

It needs the simulated clips (`make sim`) and their dialogues (`make qa-dataset`).
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from page_server import ROOT, Server, chromium, sit_down

from flex.graph_file import load_graph
from review.load import load
from review.people import add_person
from review.queue import next_item
from review.records import get_item
from review.store import Store
from review.submit import submit

OUT = ROOT / "docs" / "review"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "review.db"
        _work_a_little(store)
        server = Server(store, ROOT / "data" / "flex-sim")
        try:
            with chromium() as browser:
                _take(browser, server.url, "desk", DESK)
                _take(browser, server.url, "skeleton", DESK, "k")
                _take(browser, server.url, "dark", DESK, "e", color_scheme="dark")
                _take(browser, server.url, "phone", PHONE, "r")
                _take(browser, server.url, "progress", DESK, tab="Progress")
                _take(browser, server.url, "agreement", DESK, tab="Agreement")
        finally:
            server.stop()


def _work_a_little(path: Path) -> None:
    graph = load_graph()
    with Store(path) as store:
        load(store, ROOT / "runs" / "qa", graph)
        for name in ("ana", "ben", "cleo"):
            add_person(store, name, "first")
        add_person(store, "rita", "second")
        for number in range(120):
            person = ("ana", "ben", "cleo")[number % 3]
            found = next_item(store, person)
            assert found is not None
            clip, errors = found.item.clip, get_item(store, found.item.clip).labels
            wrong = number % 7 == 0 and len(errors) > 1
            submit(
                store,
                graph,
                person,
                clip,
                "reject" if wrong else "accept",
                seen=found.seen,
                reason="An error is named that the clip does not show." if wrong else None,
                occurrences=errors[1:] if wrong else None,
                duration_ms=20_000 + 300 * number,
            )


def _take(
    browser: Any, url: str, name: str, size: dict[str, int], *keys: str, tab: str = "", **how: Any
) -> None:
    page = browser.new_context(viewport=size, **how).new_page()
    sit_down(page, url, "rita" if tab else "ana")
    page.wait_for_timeout(3000)
    page.keyboard.press(" ")
    for key in keys:
        page.keyboard.press(key)
    if tab:
        page.get_by_role("tab", name=tab).click()
        page.get_by_text("κ" if tab == "Agreement" else "have all voices").first.wait_for()
    page.wait_for_timeout(1000)
    page.screenshot(path=OUT / f"{name}.jpg", type="jpeg", quality=82)


if __name__ == "__main__":
    main()
