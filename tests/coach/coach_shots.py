"""Takes the pictures of the coach's page that the docs show: `python tests/coach/coach_shots.py`.

They show the flow, not how good a model is: the answers are scripted and the page says so in the
model's name. Needs FLEX-Sim (`make sim`) and dialogues (`make qa-dataset`).
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from coach_browser import ROOT, browser, chat_server, served

OUT = ROOT / "docs" / "coach"
ANSWERS = {
    "Which exercise": "This is the Barbell Biceps Curl. You bend your elbows to lift the bar.",
    "How should": "Stand tall, keep your upper arms still, and lower the bar under control.",
    "How well": "Your spine stayed neutral. As you curled the bar, your elbows moved forward. "
    "Keep your elbows at your sides. As you lowered the bar, you lowered the weight too fast.",
    "What score": "I give it 78 out of 100.",
}
NAMES = ("--model", "scripted answers", "--base-endpoint-model", "scripted base")
DONE = "!document.querySelector('#talk .caret, #talk .dots')"


def say(request: dict[str, Any]) -> str:
    """Answer by what the last question begins with."""
    content = request["messages"][-1]["content"]
    asked = content if isinstance(content, str) else content[-1]["text"]
    time.sleep(0.3)
    return next((said for begin, said in ANSWERS.items() if begin in asked), "Good.")


def shoot(chromium: Any, address: str, width: int, scheme: str) -> None:
    """Walk through the page at one width, in light or dark."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#examples img", timeout=60_000)
    name = f"{'phone' if width < 700 else 'desktop'}-{scheme}"
    page.wait_for_timeout(1500)
    _keep(page, f"{name}-start")
    page.locator("#examples img").nth(1).click()
    page.wait_for_selector("#frames img", timeout=60_000)
    page.click("#assess")
    page.wait_for_function(
        f"document.querySelectorAll('#talk .said').length == 4 && {DONE}", timeout=60_000
    )
    page.locator("#panel [data-seek]").first.click()
    page.wait_for_selector("#muscles [role=status]", state="detached", timeout=120_000)
    page.wait_for_timeout(1500)
    _keep(page, f"{name}-assessed")
    page.get_by_role("tab", name="Compare").click()
    page.click("#compare")
    page.wait_for_function(
        "document.querySelectorAll('#compared .said, #compared .doubted').length == 3",
        timeout=60_000,
    )
    page.wait_for_timeout(500)
    _keep(page, f"{name}-compare")
    context.close()


def _keep(page: Any, name: str) -> None:
    page.screenshot(path=OUT / f"{name}.jpg", type="jpeg", quality=72, full_page=True)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        chat_server(say) as (endpoint, _),
        served(Path(name) / "page", "--endpoint", endpoint, *NAMES) as page,
        browser() as found,
    ):
        for size, colours in ((1280, "light"), (1280, "dark"), (390, "light")):
            shoot(found, page.address, size, colours)
