"""The page's server: who gets in, what it serves, and what it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from page_server import Server, prepare, write_small_video
from review_runs import FINDING, made
from waiting import PATIENCE_S

from flex.accounts import add_account
from flex.files import write_text
from flex.graph import Graph
from review.decisions import history
from review.records import get_item
from review.store import Store

httpx = pytest.importorskip("httpx")
pytest.importorskip("gradio")
ORIGIN = "0123456789abcdef"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, graph: Graph) -> Path:
    """Six dialogues; A01/001 is recorded, the views of A02/001 lead out, A03/001 is a text."""
    folder = tmp_path_factory.mktemp("page")
    one, *rest = made(graph)
    outside = rest[0].model_copy(update={"views": {"View-1": "../secret.mp4", "Up": "/etc/passwd"}})
    broken = rest[1].model_copy(update={"views": {"View-1": "text.mp4", "Gone": "gone.mp4"}})
    prepare(folder, graph, [one])
    prepare(folder, graph, [outside, broken, *rest[2:]], flagged=[one])
    write_small_video(folder / "secret.mp4")
    write_text(folder / "data" / "text.mp4", "no video")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    add_account(folder / "users.txt", "ana", "correct horse")
    add_account(folder / "users.txt", "eve", "another horse")
    found = Server(folder / "review.db", folder / "data", "--auth-file", str(folder / "users.txt"))
    yield found
    found.stop()


@contextmanager
def enter(server: Server, name: str = "ana", password: str = "correct horse") -> Iterator[Any]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as client:
        client.post("/login", data={"name": name, "password": password})
        yield client


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    """Ana, who is logged in."""
    with enter(server) as found:
        yield found


def version_now(clip: str, folder: Path) -> str:
    with Store(folder / "review.db") as store:
        return get_item(store, clip).version


def test_only_reviewers_come_in(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S) as stranger:
        assert stranger.get("/").headers["location"] == "/login"
        for path in ("next", "decide", "undo", "check", "skip", "ahead"):
            assert stranger.post(f"/review/{path}", json={}).status_code == 401, path
        for path in ("media?clip=A01/001&view=View-1", "skeleton?clip=A01/001", "progress"):
            assert stranger.get(f"/review/{path}").status_code == 401, path
        assert stranger.get("/config").status_code == 401
        wrong = stranger.post("/login", data={"name": "ana", "password": "wrong horse"})
        assert wrong.status_code == 401
        assert "do not belong together" in wrong.text
    with enter(server, "eve", "another horse") as eve:  # may log in, but is nobody's reviewer
        assert eve.get("/review/me").status_code == 401
    with enter(server) as ana:
        assert ana.get("/review/me").json() == {"name": "ana", "role": "first"}


def test_other_sites_and_names_are_refused(client: Any) -> None:
    foreign = client.post("/review/undo", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    assert client.get("/review/me", headers={"Host": "evil.example"}).status_code == 403
    assert "frame-ancestors 'none'" in client.get("/").headers["content-security-policy"]


def test_recordings_are_served_by_range_and_only_those_of_items(client: Any) -> None:
    where = "/review/media?clip=A01/001&view=View-1"
    whole = client.get(where)
    assert whole.headers["content-type"] == "video/mp4"
    part = client.get(where, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, whole.content[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(whole.content)}"
    assert len(client.get("/review/skeleton?clip=A01/001").json()["frames"]) == 20
    for query in (
        "clip=A02/001&view=View-1",  # leads to ../secret.mp4
        "clip=A02/001&view=Up",  # leads to /etc/passwd
        "clip=A01/001&view=../../secret",
        "clip=../secret&view=View-1",
        "clip=A03/001&view=Gone",
    ):
        assert client.get(f"/review/media?{query}").status_code == 404, query
    for path in ("/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/review/../secret.mp4"):
        assert client.get(path).status_code in (403, 404), path


def test_the_page_says_which_views_cannot_be_shown(client: Any) -> None:
    clips = {}
    for _ in range(6):
        item = client.post("/review/next").json()["item"]
        clips[item["clip"]] = item
        client.post("/review/skip", json={"clip": item["clip"]})
    assert [view["fault"] for view in clips["A01/001"]["views"]] == [None, None]
    assert [view["fault"] for view in clips["A02/001"]["views"]] == ["outside", "outside"]
    assert [view["fault"] for view in clips["A03/001"]["views"]] == ["broken", "missing"]
    assert "gold" not in str(clips)


def test_decisions_are_checked_and_count_once(client: Any, folder: Path) -> None:
    seen = version_now("A04/001", folder)
    said = {"clip": "A04/001", "seen": seen, "origin": ORIGIN}
    assert client.post("/review/decide", json={**said, "action": "like"}).status_code == 422
    assert client.post("/review/decide", json={**said, "action": "reject"}).status_code == 422
    unknown = client.post("/review/decide", json={**said, "action": "accept", "person": "ben"})
    assert unknown.status_code == 422
    old = client.post("/review/decide", json={**said, "seen": "x", "action": "accept"})
    # A conflict is an answer like others: of another code the browser's console would speak.
    assert (old.status_code, old.json()["refused"]["kind"]) == (200, "changed")
    edit = {**said, "action": "edit", "text": "Your knees were fine."}
    failing = client.post("/review/decide", json=edit)
    assert failing.json()["decision"] is None
    assert failing.json()["failing"]
    for _ in range(2):
        assert client.post("/review/decide", json={**edit, "failing": True}).status_code == 200
    with Store(folder / "review.db") as store:
        assert [(row["person"], row["action"]) for row in history(store, "A04/001")] == [
            ("ana", "edit")
        ]
    assert client.post("/review/undo").json()["item"]["clip"] == "A04/001"
    assert client.post("/review/check", json={"clip": "none", "text": ""}).status_code == 422
    long = client.post("/review/check", content=b"x" * 2_000_000)
    assert long.status_code == 403
    endless = client.post("/review/check", content=iter([b"x"]))
    assert endless.status_code == 403


def test_an_open_page_needs_accounts(folder: Path) -> None:
    with pytest.raises(AssertionError, match="--auth-file"):
        Server(folder / "review.db", folder / "data", "--host", "0.0.0.0")


def test_findings_of_the_run_are_shown(graph: Graph, tmp_path: Path) -> None:
    from review.page_items import shown
    from review.page_media import Media
    from review.queue import next_item

    one = made(graph, 1)[0].model_copy(update={"findings": (FINDING,)})
    prepare(tmp_path, graph, [], flagged=[one])
    with Store(tmp_path / "review.db") as store:
        assignment = next_item(store, "ana")
        assert assignment is not None
        page = shown(store, graph, Media(store, tmp_path / "data", graph), assignment)
    assert page["flagged"]
    assert page["time"]["length"] > 3  # no record and no video: 103 frames
