"""The coach's page in a real browser: clips, questions, chips, reports, and hostile visitors."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from coach_browser import CHROMIUM, ROOT, WHY_NOT, Server, browser, chat_server, served, visit
from coach_clips import MARKUP, write_film

from flex.accounts import add_account

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)
# Answers to slow questions wait for it.
GO_ON = threading.Event()
ANSWERS = {
    "Which exercise": "This is the Squat.",
    "How should": "Feet as wide as your shoulders.",
    "How well": "Your knees caved in as you came up.",
    "What score": "I give it 80 out of 100.",
    "slow": "One two three.",
    "markup": MARKUP,
}
DONE = "!document.querySelector('#talk .caret, #talk .dots')"
RECOGNISE = "Which exercise is the person in the video doing?"


def say(request: dict[str, Any]) -> str:
    """Answer by what the last question begins with."""
    content = request["messages"][-1]["content"]
    asked = content if isinstance(content, str) else content[-1]["text"]
    if "slow" in asked:
        GO_ON.wait()
    if "broken" in asked:
        raise ConnectionError
    return next((said for begin, said in ANSWERS.items() if begin in asked), "Good.")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("clips") / "squat.mp4", frames=48, size=(224, 224))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    nothing = ("--data", str(folder / "none"), "--dialogues", str(folder / "none.jsonl"))
    with ExitStack() as stack:
        address, _ = stack.enter_context(chat_server(say))
        models = ("--model", "fake", "--base-endpoint-model", "fake-base")
        options = ("--endpoint", address, *models, *nothing)
        yield stack.enter_context(served(folder, *options))


def take(page: Any, film: Path) -> None:
    page.set_input_files("#clip input[type=file]", str(film))
    page.wait_for_selector("#frames img")


def ask(page: Any, question: str) -> None:
    page.fill("#question textarea, #question input", question)
    page.click("#ask")


def answered(page: Any, count: int) -> None:
    page.wait_for_function(
        f"document.querySelectorAll('#talk .bubble.said').length >= {count} && {DONE}"
    )


def status(address: str, form: bytes | None = None) -> int:
    try:
        with urlopen(address, form) as found:
            return int(found.status)
    except HTTPError as error:
        with error:
            return error.code


def log_of(server: Server) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [row for row in rows if row["event"] == "answer"]


def test_all_four_questions_chips_feedback_and_report(
    chromium: Any, server: Server, film: Path
) -> None:
    with visit(chromium, server) as seen:
        page = seen.page
        take(page, film)
        assert page.locator("#frames img").count() == 16
        assert page.locator("#frames span").first.inner_text().endswith(" s")
        page.click("#assess")
        answered(page, 4)
        assert page.locator("#panel h3").first.inner_text() == "Squat"
        assert "The model itself says 80" in page.inner_text("#panel")
        assert "behind an endpoint, which gives no likelihoods" in page.inner_text("#panel")
        chip = page.locator("#panel [data-seek]").first
        start, until = (float(chip.get_attribute(f"data-{end}")) for end in ("seek", "until"))
        assert 0 < start < until <= 2
        chip.click()
        page.wait_for_function(f"document.querySelector('#clip video').currentTime >= {start}")
        page.wait_for_function("document.querySelector('#clip video').paused")
        at = page.evaluate("document.querySelector('#clip video').currentTime")
        assert start <= at < until + 0.5
        page.fill("#remark textarea, #remark input", f"No: {MARKUP}")
        page.click("#wrong")
        page.wait_for_selector("#note .coach-note")
        said = json.loads(server.feedback.read_text().splitlines()[-1])
        assert (said["verdict"], said["stage"], said["clip"]) == ("wrong", "score", "squat.mp4")
        assert said["note"] == f"No: {MARKUP}"
        for kind in ("html", "json"):
            with page.expect_download() as found:
                page.click(f"#report-{kind}")
            text = Path(found.value.path()).read_text()
            assert found.value.suggested_filename == f"coach-report.{kind}"
            assert "Your knees caved in" in text
        assert json.loads(text)["assessment"]["action_name"] == "Squat"


@pytest.mark.slow
def test_a_second_turn_decodes_nothing(chromium: Any, server: Server, film: Path) -> None:
    with visit(chromium, server) as seen:
        take(seen.page, film)
        for count, question in enumerate((RECOGNISE, "And what now?"), 1):
            ask(seen.page, question)
            answered(seen.page, count)
    first, second = log_of(server)[-2:]
    assert (first["turn"], second["turn"]) == (1, 2)
    assert first["decoded"] == second["decoded"]
    assert second["stage"] is None


def test_markup_is_shown_as_text(chromium: Any, server: Server, film: Path) -> None:
    with visit(chromium, server) as seen:
        page = seen.page
        take(page, film)
        typed = f"markup {MARKUP} ${{1+1}} {{{{value}}}}"
        ask(page, typed)
        answered(page, 1)
        assert page.inner_text("#talk .bubble.asked") == typed
        assert page.inner_text("#talk .bubble.said") == MARKUP
        assert page.locator("#talk img").count() == 0


@pytest.mark.slow
def test_the_user_knows_better(chromium: Any, server: Server, film: Path) -> None:
    with visit(chromium, server) as seen:
        page = seen.page
        take(page, film)
        page.click("#exercise input")
        page.get_by_role("option", name="Deadlift", exact=True).click()
        page.wait_for_function("document.querySelector('#panel h3').innerText == 'Deadlift'")
        page.click("#assess")
        answered(page, 3)
        assert "Your choice" in page.inner_text("#talk")
        assert "Your choice" in page.inner_text("#panel")


@pytest.mark.slow
def test_stop_retry_and_compare(chromium: Any, server: Server, film: Path) -> None:
    with visit(chromium, server) as seen:
        page = seen.page
        take(page, film)
        ask(page, "Say something slow.")
        page.wait_for_selector("#talk .dots")
        with page.expect_response(lambda answer: "/run/predict" in answer.url):
            page.click("#stop")
        GO_ON.set()  # the model goes on when the page has been told to stop
        page.wait_for_function(f"document.querySelector('#talk .turn') && {DONE}")
        assert log_of(server)[-1]["state"] == "stopped"
        page.click("#retry")
        page.wait_for_function("document.querySelector('#talk .said')?.innerText.includes('three')")
        page.get_by_role("tab", name="Compare").click()
        page.click("#compare")
        page.wait_for_function("document.querySelectorAll('#compared .doubted').length == 2")
        page.wait_for_selector("#compared .bubble.said")
        assert page.inner_text("#compared .bubble.said") == ANSWERS["How well"]
        page.fill("#compare-question input", RECOGNISE)
        page.keyboard.press("Enter")
        page.click("#compare")
        page.wait_for_function("document.querySelectorAll('#compared .bubble.said').length == 3")
        assert page.locator("#compared .doubted").count() == 2
        assert "fake-base told the rules" in page.inner_text("#compared")
        assert page.locator("#compared .left-out").count() == 0


@pytest.mark.slow
def test_hostile_files_get_a_sentence(
    chromium: Any, server: Server, film: Path, tmp_path: Path
) -> None:
    notes, nothing = tmp_path / "notes.mp4", tmp_path / "nothing.mp4"
    notes.write_text("Dear diary")
    nothing.touch()
    with visit(chromium, server) as seen:
        page = seen.page
        for path, said in ((notes, "not a video that can be read"), (nothing, "is empty")):
            page.set_input_files("#clip input[type=file]", str(path))
            page.wait_for_function(
                f"document.querySelector('#clip-note')?.innerText.includes('{said}')"
            )
            page.wait_for_selector("#clip input[type=file]", state="attached")
        take(page, film)
        assert page.inner_text("#clip-note").strip() == ""
        # The browser itself complains of a film without a byte, before the server sees it.
        seen.complaints = [said for said in seen.complaints if "416" not in said]


@pytest.mark.slow
def test_a_failure_is_said_and_touches_nobody_else(
    chromium: Any, server: Server, film: Path
) -> None:
    with visit(chromium, server) as one, visit(chromium, server) as other:
        take(one.page, film)
        ask(one.page, "Say something broken.")
        take(other.page, film)
        ask(other.page, RECOGNISE)
        answered(other.page, 1)
        one.page.wait_for_selector("#talk .status.failed")
        ask(one.page, RECOGNISE)
        answered(one.page, 1)


@pytest.mark.slow
def test_a_path_in_the_name_of_an_upload_stays_in_its_folder(
    server: Server, film: Path, tmp_path: Path
) -> None:
    name = f"../../../..{tmp_path}/escaped.mp4"
    head = f'--mark\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
    form = f"{head}Content-Type: video/mp4\r\n\r\n".encode() + film.read_bytes()
    request = Request(
        f"{server.address}gradio_api/upload",
        form + b"\r\n--mark--\r\n",
        {"Content-Type": "multipart/form-data; boundary=mark"},
    )
    with urlopen(request) as found:
        (path,) = json.load(found)
    uploads = next((server.folder / "temporary").glob("flex-coach-*")) / "uploads"
    assert Path(path).resolve().is_relative_to(uploads.resolve())
    assert Path(path).read_bytes() == film.read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_machine_are_not_served(server: Server) -> None:
    for path in (ROOT / "pyproject.toml", "/etc/hostname", server.log, server.feedback):
        assert status(f"{server.address}gradio_api/file={path}") == 403


def test_login_is_asked_for(tmp_path: Path) -> None:
    users = tmp_path / "users.txt"
    add_account(users, "ada", "correct horse")
    options = ("--auth-file", str(users), "--endpoint", "http://127.0.0.1:9/v1", "--model", "m")
    with served(tmp_path / "page", *options) as page:
        assert status(f"{page.address}config") == 401
        for password, code in (("wrong horse", 400), ("correct horse", 200)):
            form = urlencode({"username": "ada", "password": password}).encode()
            assert status(f"{page.address}login", form) == code


@pytest.mark.slow
def test_a_phone_shows_all_without_scrolling_sideways(
    chromium: Any, server: Server, film: Path
) -> None:
    with visit(chromium, server, width=390) as seen:
        take(seen.page, film)
        seen.page.click("#assess")
        answered(seen.page, 4)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
