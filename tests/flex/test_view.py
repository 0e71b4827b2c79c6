"""`python -m flex view`: what the page holds, what it says is missing, and how it plays."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result
from waiting import until

from flex.__main__ import app
from flex.dataset import semg_path, skeleton_path
from flex.files import write_jsonl
from flex.graph import Graph, Occurrence
from flex.number_table import Floats
from flex.physiology import COLUMNS, physiology_path
from flex.problems import InputError
from flex.sample import Annotation
from flex.skeleton import INDEX
from flex.view_signals import draw_skeleton

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CLIP = "A16/003"
LASTS_S = 2.0
MakeRecord = Callable[..., Annotation]
WriteVideo = Callable[[Path, int, int], None]


def standing() -> Floats:
    """(103, 21, 3): facing x, the left at +y, up z; the whole body sinks and rises."""
    points = np.zeros((103, 21, 3))
    heights = {"hip": 0.9, "knee": 0.5, "ankle": 0.1, "heel": 0.02, "toe": 0.02}
    heights |= {"shoulder": 1.4, "elbow": 1.2, "wrist": 1.0, "hand": 0.9}
    for side, sign in (("left", 1), ("right", -1)):
        for name, height in heights.items():
            points[:, INDEX[f"{side}_{name}"]] = [0.2 * (name == "toe"), 0.2 * sign, height]
    for name, height in (("upper_spine", 1.4), ("neck", 1.5), ("head", 1.7)):
        points[:, INDEX[name], 2] = height
    points[..., 2] -= 0.3 * np.sin(np.linspace(0, np.pi, 103))[:, None]
    return points


def write_physiology(path: Path) -> None:
    times_s = np.linspace(0, LASTS_S, 51)
    rows = np.stack([times_s, 110 + times_s, 0 * times_s + 20, np.sin(times_s)], axis=1)
    path.parent.mkdir(parents=True)
    np.savetxt(path, rows, "%.4f", ",", header=",".join(COLUMNS), comments="")


@pytest.fixture
def root(
    tmp_path: Path, make_record: MakeRecord, write_video: WriteVideo, jpeg: Callable[..., bytes]
) -> Path:
    """A data folder with one whole clip."""
    root = tmp_path / "data"
    write_video(root / CLIP / "View-1.mp4", 60, 40)
    frames = root / CLIP / "View-2"
    frames.mkdir()
    for number in range(1, 104):
        (frames / f"img_{number:05d}.JPG").write_bytes(jpeg(number, 32, 32))
    rng = np.random.default_rng(0)
    for path, values in (
        (skeleton_path(root, CLIP), standing().reshape(103, 63)),
        (semg_path(root, CLIP), rng.normal(size=(4000, 2))),
    ):
        path.parent.mkdir(parents=True)
        header = "x" * (values.shape[1] == 63)
        np.savetxt(path, values, "%.4f", ",", header=header, comments="")
    write_physiology(physiology_path(root, CLIP))
    record = make_record(
        CLIP,
        subject="P03",
        skill="expert",
        load_kg=82.5,
        errors=["AK44:ET055", "AK44:ET056"],
        duration_s=LASTS_S,
        frame_rate_hz=50,
        phases=[
            {"phase": "preparation", "start_s": 0, "end_s": 0.5},
            {"phase": "eccentric", "start_s": 0.5, "end_s": 1.25},
            {"phase": "concentric", "start_s": 1.25, "end_s": 2},
        ],
        semg={"sample_rate_hz": 2000, "channels": ["left quadriceps", "right quadriceps"]},
        source="simulated",
    )
    write_jsonl(root / "annotations.jsonl", [record])
    return root


def _view(root: Path, *options: object, clip: str = CLIP) -> tuple[Result, Path]:
    out = root.parent / "pages" / "clip.html"
    arguments = ["view", clip, "--data", root, "--out", out, *options]
    return CliRunner().invoke(app, [str(argument) for argument in arguments]), out


def _data(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    return found


def _change(root: Path, **fields: Any) -> None:
    path = root / "annotations.jsonl"
    record = {k: v for k, v in (json.loads(path.read_text()) | fields).items() if v is not None}
    path.write_text(json.dumps(record) + "\n")


def test_the_page_says_what_is_known(root: Path, graph: Graph) -> None:
    result, out = _view(root)
    assert result.exit_code == 0, result.output
    text = out.read_text()
    for expected in ("Squat", '<span class="badge">simulated</span>', "P03", "expert", "82.5 kg"):
        assert expected in text
    for error in ("ET055", "ET056"):
        assert graph.error_types[error].name in text
        assert graph.corrections(Occurrence("AK44", error))[0] in text
    assert 'id="missing"' not in text
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    data = _data(out)
    assert [view["kind"] for view in data["views"]] == ["video", "frames"]
    assert len(data["views"][1]["frames"]) == 103
    (muscle,) = data["semg"]["muscles"]
    assert (muscle["name"], [line["side"] for line in muscle["lines"]]) == (
        "quadriceps",
        ["left", "right"],
    )
    assert len(muscle["lines"][0]["values"]) == 400
    assert len(data["physiology"]["times_s"]) == 51


def test_a_video_that_browsers_cannot_play_is_made_again(root: Path) -> None:
    _, out = _view(root)
    assert "since browsers may not play mpeg4" in out.read_text()
    assert _data(out)["views"][0]["lasts_s"] == pytest.approx(2.0)


def test_frames_that_do_not_fit_become_a_small_video(
    root: Path, jpeg: Callable[..., bytes]
) -> None:
    for file in (root / CLIP / "View-2").iterdir():
        file.write_bytes(jpeg(200, 32, 32) + bytes(9_000) + b"\xff\xd9")
    result, out = _view(root, "--max-mb", 1)
    assert result.exit_code == 0, result.output
    assert out.stat().st_size < 1_000_000
    assert "to fit into the page" in out.read_text()
    assert _data(out)["views"][1]["lasts_s"] == LASTS_S


def test_links_are_relative_to_the_page(root: Path) -> None:
    _, out = _view(root, "--link")
    video, frames = _data(out)["views"]
    assert video["src"] == "../data/A16/003/View-1.mp4"
    assert (out.parent / frames["frames"][-1]).resolve() == root / CLIP / "View-2/img_00103.JPG"


def test_what_is_missing_is_said(root: Path) -> None:
    for folder in ("A16", "Skeleton", "EMG", "Physiology"):
        shutil.rmtree(root / folder)
    _change(root, phases=None, views={"phone": "phone.mp4"}, source="FLEX")
    result, out = _view(root)
    assert result.exit_code == 0, result.output
    text = out.read_text()
    for expected in (
        "phone.mp4",
        "Skeleton/A16/003/skeleton_points.csv",
        "EMG/A16/003/EMG.csv",
        "Physiology/A16/003/physiology.csv",
        "errors are listed without a place in time",
    ):
        assert expected in text
        assert expected in result.output
    assert "badge" not in text.partition("<body>")[2]


def test_a_clip_without_a_record_and_a_known_length_counts_frames(root: Path) -> None:
    (root / "annotations.jsonl").unlink()
    (root / CLIP / "View-1.mp4").unlink()
    _, out = _view(root)
    assert _data(out)["time"] == {"length": 102, "unit": "frames", "rate": 30.0, "step": 1}
    assert "the sample rate is not stated" in out.read_text()
    assert "the clip has no record" in out.read_text()


def test_a_low_rate_gives_no_envelope_and_says_so(root: Path) -> None:
    channels = ["left quadriceps", "right quadriceps"]
    _change(root, semg={"sample_rate_hz": 200, "channels": channels})
    _, out = _view(root)
    assert _data(out)["semg"] is None
    assert "needs a sample rate above 900 Hz, found 200 Hz" in out.read_text()


def test_an_unknown_clip_names_the_nearest(root: Path) -> None:
    result, _ = _view(root, clip="A16/03")
    assert isinstance(result.exception, InputError)
    assert "has no clip 'A16/03' (did you mean A16/003?)" in str(result.exception)


def test_every_unreadable_file_is_named(root: Path) -> None:
    files = [
        root / CLIP / "View-1.mp4",
        root / CLIP / "View-2/img_00007.JPG",
        skeleton_path(root, CLIP),
        semg_path(root, CLIP),
        physiology_path(root, CLIP),
    ]
    for file in files:
        file.write_text("x,y\n1,z\n")
    result, out = _view(root)
    assert isinstance(result.exception, InputError)
    for file in files:
        assert str(file) in str(result.exception)
    assert not out.exists()


@pytest.mark.parametrize("axes", [[0, 1, 2], [1, 2, 0], [2, 0, 1]])
@pytest.mark.parametrize("signs", [[1, 1, 1], [1, -1, -1], [-1, 1, 1]])
def test_a_skeleton_is_set_upright_whatever_its_axes(axes: list[int], signs: list[int]) -> None:
    drawing = draw_skeleton((standing() * signs)[..., axes])
    boxed = np.array(drawing["frames"]).reshape(103, 21, 3)
    assert boxed[..., 2].min() == 0
    assert np.ptp(boxed, axis=(0, 1)).max() == pytest.approx(1, abs=1e-3)
    assert (boxed[:, INDEX["head"], 2] > boxed[:, INDEX["left_hip"], 2]).all()
    assert drawing["mirrored"] == (np.prod(signs) < 0)
    angle = np.radians(drawing["facing_deg"])
    forward = np.array([np.cos(angle), np.sin(angle)])
    foot = boxed[0, INDEX["left_toe"], :2] - boxed[0, INDEX["left_heel"], :2]
    assert foot @ forward > 0
    to_left = boxed[0, INDEX["left_hip"], :2] - boxed[0, INDEX["right_hip"], :2]
    assert to_left @ [-forward[1], forward[0]] > 0


@pytest.fixture
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: install it to test the page")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


def _scrub(page: Any, share: float) -> None:
    page.locator("#axis").scroll_into_view_if_needed()
    box = page.locator("#axis").bounding_box()
    page.mouse.click(box["x"] + share * box["width"], box["y"] + 8)


def _wait(page: Any, condition: str) -> None:
    # Playwright's own waiting evaluates text inside the page, which the page forbids.
    until(lambda: page.evaluate(condition))


def _settled(page: Any, time_s: float) -> None:
    video = "document.querySelector('video')"
    _wait(page, f"!{video}.seeking && Math.abs({video}.currentTime - {time_s}) < 0.02")


def test_the_page_plays_by_itself_in_a_browser(root: Path, browser: Any) -> None:
    note = "</script><script>alert(1)</script>"
    _change(root, errors=[{"key_step": "AK44", "error_type": "ET056", "note": note}], score=None)
    result, out = _view(root)
    assert result.exit_code == 0, result.output
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(out.as_uri())
    _wait(page, "document.querySelector('video').readyState >= 2")

    picture = "document.getElementById('skeleton').toDataURL()"
    painted = page.evaluate(
        "(() => { const c = document.getElementById('skeleton');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return d.filter((_, i) => i % 4 === 3 && d[i] > 200).length })()"
    )
    assert painted > 500
    first = page.evaluate(picture)
    cursor = page.locator("#cursor")
    start = cursor.bounding_box()["x"]

    _scrub(page, 0.5)
    _settled(page, 1.0)
    axis = page.locator("#axis").bounding_box()
    assert cursor.bounding_box()["x"] - start == pytest.approx(axis["width"] / 2, abs=2)
    assert page.inner_text("#phase") == "eccentric"
    moved = page.evaluate(picture)
    assert moved != first
    page.keyboard.press("ArrowRight")
    _settled(page, 1.02)
    assert page.inner_text("#now") == "1.020 / 2.000 s"

    page.locator("#skeleton").scroll_into_view_if_needed()
    box = page.locator("#skeleton").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 190, box["y"] + 110)
    page.mouse.up()
    assert page.evaluate(picture) != moved

    page.locator("button.mark").first.click()
    assert page.locator("#tip").is_visible()
    assert "weight 10" in page.inner_text("#tip")
    _settled(page, 0.5)

    page.locator("#loop").uncheck()
    page.locator("[data-speed='0.5']").click()
    page.locator("#play").click()
    _wait(page, "document.getElementById('scrub').value >= 1")
    page.locator("#play").click()
    stopped = float(page.locator("#scrub").input_value())
    assert 1 <= stopped < 2
    _settled(page, stopped)
    assert note in page.inner_text("#errors")
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [out.as_uri()]
    assert not faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(root: Path, browser: Any, scheme: str) -> None:
    _, out = _view(root)
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page.goto(out.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
