"""From a keystroke to the next dialogue on the screen, with 7,512 dialogues in the store.

    python -m benchmarks.review_rate --steps 100

Starts `python -m review page` on a made-up store, opens it in Chromium, and accepts dialogues by
key. `shown` ends with the frame in which the next dialogue is painted, `saved` when the server has
acknowledged the decision and the next one may be decided.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flex.graph_file import load_graph
from review.bench import CLIPS, write_run
from review.load import load
from review.people import add_person
from review.rules import Rules
from review.store import Store

STEPS = 60
FILMS = ("--subjects", "1", "--actions", "A01", "--reps", "1", "--views", "1,2")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
_WATCH = """
() => {
  const desk = document.querySelector("#desk");
  let pressed = 0;
  window.timings = [];
  document.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  new MutationObserver((changes) => changes.forEach(({ attributeName: name }) => {
    const since = pressed;
    if (name === "data-clip") requestAnimationFrame(() => setTimeout(() =>
      window.timings.push(["shown", performance.now() - since])));
    if (name === "data-busy" && desk.dataset.busy === "no")
      window.timings.push(["saved", performance.now() - since]);
  })).observe(desk, { attributes: true });
}
"""


def main() -> None:
    """Measure with the options of the command line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--steps", type=int, default=STEPS)
    asked.add_argument("--clips", type=int, default=CLIPS)
    given = asked.parse_args()
    run(Console(), given.steps, given.clips)


def run(console: Console, steps: int = STEPS, clips: int = CLIPS) -> dict[str, Any]:
    """Measure and print; the films shown are made for this."""
    with tempfile.TemporaryDirectory() as folder, console.status("making dialogues"):
        store, data = Path(folder) / "review.db", Path(folder) / "data"
        module = [sys.executable, "-m", "sim", "--out", str(data), *FILMS]
        subprocess.run(module, check=True, capture_output=True)
        _fill(store, clips, data)
        ready_s, timings = _measure(store, data, steps)
    table = Table("", "times", "median ms", "p95 ms", "worst ms", title=f"{clips:,} dialogues")
    results: dict[str, Any] = {"clips": clips, "first_page_s": round(ready_s, 2)}
    for name, times in timings.items():
        ordered = sorted(times)
        p95 = ordered[int(0.95 * (len(ordered) - 1))]
        median = statistics.median(times)
        table.add_row(
            f"keystroke to {name}",
            str(len(times)),
            *(f"{ms:.0f}" for ms in (median, p95, ordered[-1])),
        )
        results[name] = {"median_ms": round(median, 1), "p95_ms": round(p95, 1)}
    console.print(table)
    console.print(f"first page after {ready_s:.1f} s")
    return results


def _fill(path: Path, clips: int, data: Path) -> None:
    graph = load_graph()
    videos = sorted((data / "A01").glob("*/*.mp4"))[:2]
    views = {video.stem: str(video.relative_to(data)) for video in videos}
    write_run(path.parent / "run", graph, clips, views=views)
    with Store(path) as store:
        load(store, path.parent / "run", graph, Rules())
        add_person(store, "ana", "first")


def _measure(store: Path, data: Path, steps: int) -> tuple[float, dict[str, list[float]]]:
    from playwright.sync_api import sync_playwright

    start = time.perf_counter()
    command = [sys.executable, "-m", "review", "page", "--port", "0"]
    more = ["--store", str(store), "--data", str(data)]
    with subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        with sync_playwright() as play:
            chromium = shutil.which("chromium")
            browser: Any = play.chromium.launch(executable_path=chromium, args=list(FLAGS))
            page = browser.new_page()
            page.goto(address.group())
            ready_s = time.perf_counter() - start
            page.get_by_role("button", name="ana").click()
            page.wait_for_selector("#desk[data-state=item][data-busy=no]")
            page.evaluate(_WATCH)
            for _ in range(steps):
                page.wait_for_timeout(300)  # nobody decides faster than this
                page.keyboard.press("a")
                page.wait_for_selector("#desk[data-busy=no]")
            page.wait_for_timeout(300)
            rows = page.evaluate("window.timings")
            browser.close()
        server.terminate()
    timings: dict[str, list[float]] = {"shown": [], "saved": []}
    for name, ms in rows:
        timings[name].append(ms)
    return ready_s, timings


if __name__ == "__main__":
    main()
