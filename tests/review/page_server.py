"""The review's page in a process of its own, with small recordings, and browsers on it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from review_runs import open_review
from waiting import PATIENCE_S

from flex.graph import Graph
from flex.skeleton import INDEX, JOINTS
from qa_gen.dialogue import Dialogue

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NO_CHROMIUM = "no Chromium here: apt-get install chromium"
IN_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


class Server:
    """`python -m review page` on a free port."""

    def __init__(self, store: Path, data: Path, *more: str, port: int = 0) -> None:
        # Its temporary files lie apart, to see that none are left.
        self.temporary = Path(tempfile.mkdtemp(prefix="server-", dir=store.parent))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "review", "page", "--store", str(store)),
                *("--data", str(data), "--port", str(port), *more),
            ],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if found := re.search(r"http://\S+", line):
                self.url = found.group()
                return
        self.stop()
        raise AssertionError("".join(lines))

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        self.process.wait(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        assert how == signal.SIGKILL or not list(self.temporary.glob("flex-review-*"))


class Watcher:
    """Collects what a page must not do: errors in the console, requests that leave the machine."""

    def __init__(self, url: str) -> None:
        self.url, self.faults = url, list[str]()

    def page(self, browser: Any, **how: Any) -> Any:
        page = browser.new_context(**how).new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._asked)
        return page

    def _heard(self, said: Any) -> None:
        if said.type == "error":
            self.faults.append(said.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.faults.append(request.url)


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def sit_down(page: Any, url: str, name: str) -> None:
    """Choose a name and wait for the first item."""
    page.set_default_timeout(1000 * PATIENCE_S)
    page.goto(url)
    page.get_by_role("button", name=name).click()
    page.wait_for_selector("#desk[data-state=item][data-busy=no]")


def clip_of(page: Any) -> str:
    return str(page.get_attribute("#desk", "data-clip"))


def press(page: Any, *keys: str) -> None:
    """Press keys, the last of which decides, and wait until the server has it."""
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_selector("#desk[data-busy=no]")


def write_recordings(data: Path, clip: str) -> None:
    """Two views of 20 frames, and a skeleton that sinks and rises."""
    for view in ("View-1", "View-2"):
        write_small_video(data / clip / f"{view}.mp4")
    points = np.zeros((20, len(JOINTS), 3))
    heights = {"hip": 0.9, "knee": 0.5, "ankle": 0.1, "heel": 0.02, "toe": 0.02}
    heights |= {"shoulder": 1.4, "elbow": 1.2, "wrist": 1.0, "hand": 0.9}
    for side, sign in (("left", 1), ("right", -1)):
        for name, height in heights.items():
            points[:, INDEX[f"{side}_{name}"]] = [0.2 * (name == "toe"), 0.2 * sign, height]
    for name, height in (("upper_spine", 1.4), ("neck", 1.5), ("head", 1.7)):
        points[:, INDEX[name], 2] = height
    points[..., 2] -= 0.3 * np.sin(np.linspace(0, np.pi, 20))[:, None]
    path = data / "Skeleton" / clip / "skeleton_points.csv"
    path.parent.mkdir(parents=True)
    header = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
    np.savetxt(path, points.reshape(20, -1), "%.3f", ",", header=header, comments="")


def write_small_video(path: Path) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(20):
            picture = np.full((48, 64, 3), 12 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def prepare(folder: Path, graph: Graph, dialogues: list[Dialogue], **more: Any) -> Path:
    """Make a review and recordings of all dialogues that name none; return the data folder."""
    open_review(folder, graph, dialogues, **more).close()
    for dialogue in dialogues:
        if not dialogue.views:
            write_recordings(folder / "data", dialogue.clip)
    return folder / "data"
