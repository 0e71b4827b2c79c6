"""Views that are folders of JPEG frames, as FLEX has them: what the page is told and served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    write_small_video,
)
from review_runs import made
from waiting import PATIENCE_S

from flex.files import write_text
from flex.graph import Graph
from review.page_media import Media
from review.records import get_item
from review.store import Store

httpx = pytest.importorskip("httpx")
pytest.importorskip("gradio")
FRAMES = 7
CLIP = "A01/001"


def write_frames(folder: Path, count: int) -> None:
    """Write JPEG pictures that grow brighter, and a file that is none of them."""
    from PIL import Image

    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("L", (32, 24), 10 + 30 * number).save(folder / f"{number:05}.jpg")
    write_text(folder / "notes.txt", "no frame")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, graph: Graph) -> Path:
    """One clip with frames, an empty folder, a link that leads out, and one view as a video."""
    folder = tmp_path_factory.mktemp("frames")
    views = {"Front": "A01/front", "Empty": "A01/empty", "Out": "A01/out"}
    one, two, three = made(graph, 3)
    rows = [
        one.model_copy(update={"views": views}),
        two.model_copy(update={"views": {"Front": "A01/front", "Film": "film.mp4"}}),
        three.model_copy(update={"views": {"Up": "../secret"}}),
    ]
    prepare(folder, graph, rows)
    write_frames(folder / "data" / "A01" / "front", FRAMES)
    (folder / "data" / "A01" / "empty").mkdir()
    write_frames(folder / "secret", 2)
    (folder / "data" / "A01" / "out").symlink_to(folder / "secret", target_is_directory=True)
    write_small_video(folder / "data" / "film.mp4")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    found = Server(folder / "review.db", folder / "data")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as found:
        found.post("/login", data={"name": "ana"})
        yield found


def test_each_frame_is_served_in_order(client: Any, folder: Path) -> None:
    item = client.post("/review/next").json()["item"]
    while item["clip"] != CLIP:
        item = client.post("/review/skip", json={"clip": item["clip"]}).json()["item"]
    views = {view["name"]: view for view in item["views"]}
    assert (views["Front"]["kind"], len(views["Front"]["frames"])) == ("frames", FRAMES)
    for number, address in enumerate(views["Front"]["frames"]):
        answer = client.get(address)
        assert answer.headers["content-type"] == "image/jpeg"
        file = folder / "data" / "A01" / "front" / f"{number:05}.jpg"
        assert answer.content == file.read_bytes()
    assert views["Empty"]["fault"] == "missing"
    assert views["Out"]["fault"] == "outside"


@pytest.mark.parametrize(
    "query",
    [
        f"clip={CLIP}&view=Front&number={FRAMES}",
        f"clip={CLIP}&view=Front&number=-1",
        f"clip={CLIP}&view=Empty&number=0",
        f"clip={CLIP}&view=Out&number=0",
        f"clip={CLIP}&view=../secret&number=0",
        "clip=A03/001&view=Up&number=0",
        "clip=A02/001&view=Film&number=0",
    ],
)
def test_no_other_frame_is_served(client: Any, query: str) -> None:
    assert client.get(f"/review/frame?{query}").status_code == 404


def test_frames_need_a_ticket_and_are_no_video(client: Any) -> None:
    where = f"/review/frame?clip={CLIP}&view=Front&number=0"
    assert httpx.get(f"{client.base_url}{where[1:]}", timeout=PATIENCE_S).status_code == 401
    assert client.get(f"/review/media?clip={CLIP}&view=Front").status_code == 404
    assert client.get(f"{where}x").status_code == 422


def test_a_step_shows_the_next_frame(folder: Path, graph: Graph) -> None:
    with Store(folder / "review.db") as store:
        media = Media(store, folder / "data", graph)
        only, mixed = (get_item(store, clip) for clip in (CLIP, "A02/001"))
        time = media.time(only, media.views(only))
        assert time["step"] * (FRAMES - 1) == pytest.approx(time["length"])
        # With a video beside them the clip lasts as long as that, and a step is a frame of it.
        time = media.time(mixed, media.views(mixed))
        assert time["length"] == pytest.approx(2)
        assert time["step"] == pytest.approx(1 / 30)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)
def test_a_step_draws_the_next_frame(server: Server) -> None:
    pytest.importorskip("playwright")
    shade = (
        "document.querySelector('#views canvas').getContext('2d').getImageData(9, 9, 1, 1).data[0]"
    )
    with chromium() as browser:
        watcher = Watcher(server.url)
        page = watcher.page(browser)
        sit_down(page, server.url, "ben")
        while clip_of(page) != CLIP:
            press(page, "s")
        page.keyboard.press(" ")
        page.locator(".track input").fill("0")
        for number in range(FRAMES):
            page.wait_for_function(f"Math.abs({shade} - {10 + 30 * number}) < 8")
            page.keyboard.press(".")
        for number in reversed(range(FRAMES - 1)):
            page.keyboard.press(",")
            page.wait_for_function(f"Math.abs({shade} - {10 + 30 * number}) < 8")
        faults = page.locator(".view .fault:visible").all_inner_texts()
        assert len(faults) == 2
        assert watcher.faults == []
