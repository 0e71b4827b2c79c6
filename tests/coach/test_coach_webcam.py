"""A clip recorded in the page: Chromium's fake camera films a film, and the coach answers."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coach_browser import CHROMIUM, FLAGS, WHY_NOT, browser, chat_server, served, visit
from coach_clips import pictures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT),
]
WIDTH, HEIGHT, FPS = 320, 240, 20
LABEL = "document.querySelector(\"#clip button[aria-label='start recording']\")?.innerText"


def write_y4m(path: Path) -> Path:
    """Write two seconds of a square that moves down, raw, as the fake camera reads it."""
    import av

    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n"
    with path.open("wb") as file:
        file.write(head.encode())
        for pixels in pictures(2 * FPS, WIDTH, HEIGHT):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            file.write(b"FRAME\n" + frame.reformat(format="yuv420p").to_ndarray().tobytes())
    return path


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Any]:
    """A browser whose camera shows a film, and which allows every page to use it."""
    film = write_y4m(tmp_path / "camera.y4m")
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    with browser([*FLAGS, *flags]) as found:
        yield found


def test_a_recording_gets_an_answer(camera: Any, tmp_path: Path) -> None:
    nothing = ("--data", str(tmp_path / "none"), "--dialogues", str(tmp_path / "none.jsonl"))
    with (
        chat_server(lambda _: "This is the Squat.") as (address, asked),
        served(tmp_path / "page", "--endpoint", address, "--model", "fake", *nothing) as server,
        visit(camera, server) as seen,
    ):
        page = seen.page
        page.click("#clip button[aria-label='Capture from camera']")
        page.click("#clip [title='grant webcam access'] button")
        page.wait_for_function("document.querySelector('#clip video')?.videoWidth > 0")
        record = page.locator("#clip button[aria-label='start recording']")
        began = time.monotonic()
        record.click()
        page.wait_for_function(f"{LABEL} == 'Stop'")
        shown = page.evaluate("document.querySelector('#clip video').currentTime")
        page.wait_for_function(f"document.querySelector('#clip video').currentTime > {shown} + 2")
        record.click()
        page.wait_for_selector("#frames img")
        most = time.monotonic() - began
        assert page.locator("#frames img").count() == 16
        assert page.inner_text("#clip-note").strip() == ""
        assert page.evaluate("document.querySelector('#clip video').videoWidth") == WIDTH
        said = page.inner_text("#talk .clip")
        seconds = float(re.search(r"([\d.]+) s", said)[1])  # type: ignore[index]
        assert 1.5 < seconds < most, said
        times = [float(text.split()[0]) for text in page.locator("#frames span").all_inner_texts()]
        assert times == sorted(times)
        assert times[0] < times[-1] <= seconds
        page.fill("#question textarea, #question input", "Which exercise is it?")
        page.click("#ask")
        page.wait_for_selector("#talk .bubble.said:not([aria-busy])")
        assert page.inner_text("#talk .bubble.said") == "This is the Squat."
    sent = asked[-1]["messages"][-1]["content"][0]["video_url"]["url"]
    assert len(set(sent.split(","))) > 8, "the frames of the camera's film, which moves"
