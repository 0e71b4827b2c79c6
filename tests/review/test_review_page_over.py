"""The skeleton over the first view: what the server projects, and where the page draws it."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_server import (
    CHROMIUM,
    NO_CHROMIUM,
    Server,
    Watcher,
    chromium,
    clip_of,
    prepare,
    press,
    sit_down,
)
from review_runs import made
from waiting import eventually

from flex.cameras import Calibration, cameras_path, project, write_cameras
from flex.dataset import load_skeleton, skeleton_path
from flex.files import write_text
from flex.graph import Graph
from review.page_media import Media
from review.store import Store

pytest.importorskip("gradio")
# Three metres before the small skeleton of `page_server`, which faces it.
CAMERA = Calibration.model_validate(
    {
        "width": 64,
        "height": 48,
        "matrix": [[50.0, 0.0, 32.0], [0.0, 50.0, 24.0], [0.0, 0.0, 1.0]],
        "rotation": [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]],
        "translation": [0.0, 0.85, 3.0],
    }
)
SEEN, UNSEEN, WRONG, OTHER, OUTSIDE = (f"A0{number}/001" for number in range(1, 6))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, graph: Graph) -> Path:
    """Five recorded dialogues: with cameras, without, a wrong file, another view, a link out."""
    folder = tmp_path_factory.mktemp("over")
    data = prepare(folder, graph, made(graph, 5))
    write_cameras(cameras_path(data, SEEN), {"View-1": CAMERA})
    write_text(cameras_path(data, WRONG), json.dumps({"View-1": {"width": 64}}))
    write_cameras(cameras_path(data, OTHER), {"View-2": CAMERA})
    write_cameras(folder / "secret.json", {"View-1": CAMERA})
    cameras_path(data, OUTSIDE).parent.mkdir(parents=True)
    cameras_path(data, OUTSIDE).symlink_to(folder / "secret.json")
    return folder


@pytest.fixture(scope="module")
def media(folder: Path, graph: Graph) -> Iterator[Media]:
    with Store(folder / "review.db") as store:
        yield Media(store, folder / "data", graph)


def expected(folder: Path) -> Any:
    return project(CAMERA, load_skeleton(skeleton_path(folder / "data", SEEN)))


def test_the_server_projects_the_skeleton_for_each_frame(media: Media, folder: Path) -> None:
    over = media.skeleton(SEEN)["over"]
    assert (over["width"], over["height"]) == (64, 48)
    assert over["last_s"] == pytest.approx(1.9)  # the 20th of 20 frames, ten a second
    rows = np.array(over["frames"]).reshape(20, 21, 2)
    assert np.abs(rows - expected(folder)).max() <= 0.05 + 1e-9
    assert len(json.dumps(over)) < 15 * rows.size / 2  # numbers are short


def test_the_server_says_why_there_is_nothing_over_the_view(media: Media) -> None:
    faults = {clip: media.skeleton(clip)["over"] for clip in (UNSEEN, WRONG, OTHER, OUTSIDE)}
    no_cameras = {"fault": "no_cameras", "view": "View-1"}
    bad_cameras = {"fault": "bad_cameras", "view": "View-1"}
    assert faults == {
        UNSEEN: no_cameras,
        WRONG: bad_cameras,
        OTHER: no_cameras,
        OUTSIDE: no_cameras,
    }


def test_a_joint_behind_the_camera_and_a_folder_of_frames(tmp_path: Path, folder: Path) -> None:
    from review.page_overlay import overlay

    points = load_skeleton(skeleton_path(folder / "data", SEEN))
    points[3, 0, 0] = 3.5  # the head, past the lens
    over = overlay(points, CAMERA, tmp_path)
    assert over["last_s"] is None
    assert over["frames"][3][:2] == [None, None]
    assert None not in over["frames"][2]
    json.dumps(over, allow_nan=False)


INK = """() => {
  const canvas = document.querySelector('#views canvas.over');
  const { width, height } = canvas;
  const inked = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  return [width, height, Array.from({ length: width * height }, (_, i) => inked[4 * i + 3] > 99)];
}"""


def drawn(page: Any) -> Any:
    """Return where the page has drawn over the first view: (H, W)."""
    width, height, inked = page.evaluate(INK)
    return np.array(inked, dtype=bool).reshape(height, width)


def on_page(page: Any, pixels: Any) -> Any:
    """Return where pixels of the video lie on the canvas over it: (..., 2)."""
    box = page.locator("#views video").first.bounding_box()
    own = page.locator("#views canvas.over").bounding_box()
    scale = min(box["width"] / 64, box["height"] / 48)
    left = box["x"] - own["x"] + (box["width"] - 64 * scale) / 2
    top = box["y"] - own["y"] + (box["height"] - 48 * scale) / 2
    return pixels * scale + (left, top), scale


def show_frame(page: Any, number: int) -> None:
    page.locator(".track input").fill(str(number / 10 + 0.02))
    page.wait_for_function(
        f"Math.abs(document.querySelector('#views video').currentTime - {number / 10 + 0.02}) < .03"
    )
    page.wait_for_function("!document.querySelector('#views video').seeking")


def assert_lies_on(page: Any, pixels: Any) -> None:
    """The ink is at every joint, and as far as the joints go, within 3 pixels of the screen."""
    places, scale = on_page(page, pixels)
    ink = drawn(page)
    for column, row in places:
        near = ink[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2]
        assert near.mean() > 0.7
    rows, columns = np.nonzero(ink)
    radius = max(1.6, 0.48 * scale)  # of a joint
    low, high = places.min(axis=0) - radius, places.max(axis=0) + radius
    assert [columns.min(), rows.min()] == pytest.approx(low, abs=3)
    assert [columns.max(), rows.max()] == pytest.approx(high, abs=3)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_the_page_draws_the_skeleton_over_the_first_view(folder: Path) -> None:
    pytest.importorskip("playwright")
    server = Server(folder / "review.db", folder / "data")
    try:
        with chromium() as browser:
            watcher = Watcher(server.url)
            page = watcher.page(browser, viewport={"width": 1280, "height": 800})
            sit_down(page, server.url, "ana")
            skip_to(page, SEEN)
            page.wait_for_selector("#views canvas.over", state="attached")
            page.keyboard.press(" ")
            page.keyboard.press("k")
            assert not page.is_visible("figure.body")
            whole = expected(folder)
            for number in (10, 0, 19, 4):
                show_frame(page, number)
                eventually(functools.partial(assert_lies_on, page, whole[number]))
            page.set_viewport_size({"width": 700, "height": 900})
            eventually(lambda: assert_lies_on(page, whole[4]))
            page.keyboard.press("k")
            assert not page.is_visible("canvas.over")
            page.keyboard.press("k")
            assert page.is_visible("canvas.skeleton")
            assert not page.is_visible(".why")
            page.keyboard.press("k")
            press(page, "s")
            _without_cameras(page)
            other = watcher.page(browser)
            sit_down(other, server.url, "ben")
            skip_to(other, WRONG)
            assert "wrong" in why(other)
            assert watcher.faults == []
    finally:
        server.stop()


def skip_to(page: Any, clip: str) -> None:
    while clip_of(page) != clip:
        press(page, "s")


def why(page: Any) -> str:
    page.wait_for_selector("figure.body .why")
    return str(page.inner_text("figure.body .why"))


def _without_cameras(page: Any) -> None:
    """The skeleton is beside, the page says why it cannot be over, and `k` leaves that out."""
    assert clip_of(page) in (UNSEEN, OTHER, OUTSIDE)
    assert "View-1: the data folder has no camera of it" in why(page)
    assert page.is_visible("canvas.skeleton")
    page.keyboard.press("k")
    assert not page.is_visible("figure.body")
    assert page.locator("canvas.over").count() == 0
    page.keyboard.press("k")
    assert page.is_visible("canvas.skeleton")
