"""The page with the model as it is in the repository, untuned, on films that show no lift."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coach_browser import CHROMIUM, ROOT, WHY_NOT, Server, browser, served, visit
from coach_clips import animation, noise, write_film

from coach.questions import stage_questions

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT),
]
DONE = "!document.querySelector('#talk .caret, #talk .dots')"
# All that is shown of answers, as text and as labels, but not the questions nor the clip's seconds.
SHOWN = """() => {
  const parts = document.querySelectorAll('.coach-head, #talk .turn, #panel, #note, #compared');
  return [...parts].map((part) => {
    const copy = part.cloneNode(true);
    copy.querySelectorAll('.asked').forEach((asked) => asked.remove());
    const labels = [...copy.querySelectorAll('[aria-label], [title]')].map(
      (one) => [one.ariaLabel, one.title].join(' '));
    return [copy.textContent, ...labels].join(' ');
  }).join(' ');
}"""
FILMS = ("noise", "square", "animation", "person")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Films of no person, and of one who lifts."""
    from typer.testing import CliRunner

    from sim.__main__ import app

    folder = tmp_path_factory.mktemp("films")
    simulated = ["--out", str(folder / "sim"), "--subjects", "1", "--actions", "A16"]
    done = CliRunner().invoke(app, [*simulated, "--views", "1"])
    assert done.exit_code == 0, done.output
    size = (160, 160)
    return {
        "noise": write_film(folder / "noise.mp4", size=size, drawn=noise(24, 160)),
        "square": write_film(folder / "square.mp4", size=size),
        "animation": write_film(folder / "animation.mp4", size=size, drawn=animation(24, 160)),
        "person": next((folder / "sim").rglob("*.mp4")),
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    nothing = ("--data", str(folder / "none"), "--dialogues", str(folder / "none.jsonl"))
    model = ("--model", str(ROOT / "models" / "tiny-coach-base"))
    with served(folder, *model, *nothing) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as found:
        yield found


def pick(page: Any, dropdown: str, name: str) -> None:
    page.click(f"#{dropdown} input")
    page.get_by_role("option", name=name, exact=True).click()


def over(page: Any, turns: int) -> None:
    page.wait_for_function(
        f"document.querySelectorAll('#talk .status.doubted').length == {turns} && {DONE}"
    )


def reports(page: Any) -> Iterator[str]:
    for kind in ("html", "json"):
        with page.expect_download() as found:
            page.click(f"#report-{kind}")
        yield Path(found.value.path()).read_text()


def check(page: Any) -> None:
    shown = page.evaluate(SHOWN)
    assert "No score and no errors are shown." in shown
    assert [word for word in shown.split() if any(map(str.isdigit, word))] == []
    assert page.locator(".gauge, .errors, .chip, #panel [data-seek]").count() == 0


@pytest.mark.parametrize("film", FILMS)
@pytest.mark.parametrize("mode", ["Base", "Told the rules"])
def test_nothing_is_judged_whatever_is_pressed(
    chromium: Any, server: Server, films: dict[str, Path], film: str, mode: str
) -> None:
    with visit(chromium, server) as seen:
        page = seen.page
        page.wait_for_selector(".coach-head .badge.good")
        assert page.inner_text(".coach-head .badge.untuned") == "Untuned model"
        page.set_input_files("#clip input[type=file]", str(films[film]))
        page.wait_for_selector("#frames img")
        if mode != "Base":
            pick(page, "mode", mode)
        page.click("#assess")
        over(page, 1)
        check(page)
        questions = [*stage_questions().values(), "How many points would you give?"]
        for turns, question in enumerate(questions, 2):
            page.fill("#question textarea, #question input", question)
            page.click("#ask")
            over(page, turns)
            check(page)
        pick(page, "exercise", "Deadlift")
        page.click("#assess")
        over(page, len(questions) + 2)
        check(page)
        page_text, data = reports(page)
        assert "No score and no errors are shown." in page_text
        assert 'gauge"' not in page_text
        assessment = json.loads(data)["assessment"]
        assert (assessment["doubt"], assessment["score"]) == ("untuned", None)
        assert assessment["errors"] == []
        page.get_by_role("tab", name="Compare").click()
        page.click("#compare")
        page.wait_for_function("document.querySelectorAll('#compared .status.doubted').length == 2")
        check(page)


def test_the_console_says_that_the_model_is_untuned(server: Server) -> None:
    said = " ".join((server.folder / "output.txt").read_text().split())
    assert "untuned This model is untuned" in said
    assert "Run `make sft` first" in said
