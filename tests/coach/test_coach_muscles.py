"""The coach's muscles: a film of a body that lights up, or one line on why there is none.

The models have random weights: what is tested is what the page shows, not what it says.
"""

import dataclasses
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import av
import numpy as np
import pytest
import torch
from coach_browser import CHROMIUM, WHY_NOT, browser, chat_server, served, visit
from coach_clips import GRAPH, write_film
from coach_hostile import page_events

from coach import muscles as module
from coach.chat import Chat
from coach.gallery import Example
from coach.muscles import Muscles, Shown, find_muscles
from coach.page_events import Events
from coach.page_view import muscles_html
from emg.backbone import build_backbone
from emg.inputs import POSE_WIDTH
from emg.model import MODEL_FILE, Model, load_model, save_model
from emg.normalise import Scales
from emg.recipe import Recipe
from emg.task import build_network
from flex.annotations import write_annotations
from flex.dataset import skeleton_path
from flex.problems import InputError
from flex.sample import Annotation
from flex.semg_columns import MUSCLE_NAMES
from flex.skeleton import INDEX, JOINTS


def save_run(folder: Path, *, views: tuple[str, ...] = (), source: str = "simulated") -> Path:
    """Write a model of views, or of the pose where there are none."""
    recipe = Recipe(
        views=views, pose=not views, frames=None, rate_hz=12, size=32, backbone="small_cnn",
        hidden=8, motion=False, workers=1, cache=folder / "no-such-cache",
    )  # fmt: skip
    torch.manual_seed(0)
    backbone = build_backbone(recipe)
    width = backbone.features * len(views) if backbone else POSE_WIDTH
    model = Model(
        name="random",
        recipe=recipe,
        network=build_network(recipe, width, 0),
        backbone=backbone,
        scales=Scales(subjects={}, typical=(1.0,) * len(MUSCLE_NAMES), fitted_on=()),
        people=(),
        taught=MUSCLE_NAMES,
        facts={"sources": [source]},
    )
    save_model(folder, model)
    return folder


def add_example(data: Path) -> Example:
    """Write a clip with a skeleton whose arms move."""
    view = data / "A02/001/View-1.mp4"
    view.parent.mkdir(parents=True)
    write_film(view, frames=24)
    points = np.random.default_rng(0).normal(size=(1, len(JOINTS), 3)).repeat(24, axis=0)
    points[:, INDEX["left_wrist"], 2] += np.linspace(0, 1, 24)
    rows = [",".join(f"j{column}" for column in range(len(JOINTS) * 3))]
    rows += [",".join(f"{value:.4f}" for value in frame.ravel()) for frame in points]
    path = skeleton_path(data, "A02/001")
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(rows) + "\n")
    record = Annotation(clip="A02/001", action="A02", duration_s=1, source="simulated")
    write_annotations(data / "annotations.jsonl", [record])
    return Example("A02/001", view, "A02", "novice", "Curl, novice", view, None, True)


def events_with(folder: Path, run: Path, **changes: Any) -> Events:
    muscles = find_muscles(run, folder / "data", GRAPH, folder / "page")
    return dataclasses.replace(page_events(folder), muscles=muscles, **changes)


def ask(events: Events, chat: Chat, *, action: str | None = "A02") -> None:
    """Have something said about the newest clip."""
    assert chat.lift is not None
    chat.lift.user_action = action
    for _ in events.ask(chat, "What is it?", "tuned"):
        pass


def worked(events: Events, chat: Chat) -> str:
    """Return what the page shows in the end."""
    *before, last = events.work(chat)
    assert all("Working out" in html for html in before)
    assert len(before) == 1
    return last


@pytest.fixture
def upload(tmp_path: Path) -> str:
    return str(write_film(tmp_path / "curl.mp4", frames=24))


def test_no_run_no_muscles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.MODEL_FILE == MODEL_FILE
    monkeypatch.setattr(module, "DEFAULT_RUN", tmp_path / "none")
    assert find_muscles(None, tmp_path, GRAPH, tmp_path) is None
    with pytest.raises(InputError, match=r"empty: holds no model\.json: expected a finished run"):
        find_muscles(tmp_path / "empty", tmp_path, GRAPH, tmp_path)
    monkeypatch.setattr(module, "DEFAULT_RUN", save_run(tmp_path / "small"))
    assert find_muscles(None, tmp_path, GRAPH, tmp_path) is not None


def test_a_page_without_a_run_shows_nothing(tmp_path: Path, upload: str) -> None:
    events, chat = page_events(tmp_path), Chat()
    events.clip(chat, upload, "")
    ask(events, chat)
    assert list(events.work(chat)) == [""]


def test_an_upload_lights_up_from_its_frames(tmp_path: Path, upload: str) -> None:
    events, chat = events_with(tmp_path, save_run(tmp_path / "run", views=("View-1",))), Chat()
    assert list(events.work(chat)) == [""]
    events.clip(chat, upload, "")
    assert list(events.work(chat)) == [""]
    ask(events, chat)
    html = worked(events, chat)
    assert '<video class="muscles" src="data:video/mp4;base64,AAAA' in html
    assert "nothing was measured" in html
    assert "simulated clips only" in html
    (film,) = (tmp_path / "page" / "muscles").iterdir()
    with av.open(str(film)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert 22 <= sum(1 for _ in container.decode(video=0)) <= 24
    # What was read of the upload lies in the page's own folder, which goes with it.
    assert any((tmp_path / "page" / "emg").rglob("*.*"))
    assert not (tmp_path / "run" / "no-such-cache").exists()
    made = film.stat().st_mtime_ns
    assert worked(events, chat) == html
    assert film.stat().st_mtime_ns == made
    # Another exercise has other muscles.
    ask(events, chat, action="A16")
    assert worked(events, chat) != html


def test_real_data_are_not_called_simulated(tmp_path: Path, upload: str) -> None:
    run = save_run(tmp_path / "run", views=("View-1",), source="FLEX")
    events, chat = events_with(tmp_path, run), Chat()
    events.clip(chat, upload, "")
    ask(events, chat)
    html = worked(events, chat)
    assert "<video" in html
    assert "simulated" not in html


def test_a_model_of_skeletons_shows_examples_and_says_why_not_uploads(
    tmp_path: Path, upload: str
) -> None:
    example = add_example(tmp_path / "data")
    events = events_with(tmp_path, save_run(tmp_path / "run"), examples=lambda: [example])
    chat = Chat()
    events.clip(chat, upload, "")
    ask(events, chat)
    html = worked(events, chat)
    assert "reads a skeleton, and an uploaded video has none" in html
    assert "<video" not in html
    events.example(chat, 0)
    ask(events, chat, action=None)
    assert "<video" in worked(events, chat)
    skeleton_path(tmp_path / "data", "A02/001").unlink()
    for film in (tmp_path / "page" / "muscles").iterdir():
        film.unlink()
    assert "No muscles are shown: has no skeleton file" in worked(events, chat)


@pytest.mark.parametrize(
    ("views", "action", "longest_s", "said"),
    [
        (("View-1", "View-2"), "A02", 30.0, "reads 2 cameras at once"),
        (("View-1",), None, 30.0, "was not recognised"),
        (("View-1",), "A02", 0.5, "longer than 0 s"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(
    tmp_path: Path,
    upload: str,
    monkeypatch: pytest.MonkeyPatch,
    views: tuple[str, ...],
    action: str | None,
    longest_s: float,
    said: str,
) -> None:
    monkeypatch.setattr(module, "LONGEST_S", longest_s)
    events, chat = events_with(tmp_path, save_run(tmp_path / "run", views=views)), Chat()
    events.clip(chat, upload, "")
    ask(events, chat, action=action)
    html = worked(events, chat)
    assert said in html
    assert "<video" not in html


def test_a_broken_model_is_told_and_a_surprise_gets_a_mark(tmp_path: Path, upload: str) -> None:
    run = save_run(tmp_path / "run", views=("View-1",))
    (run / MODEL_FILE).write_text("{}")
    events, chat = events_with(tmp_path, run), Chat()
    events.clip(chat, upload, "")
    ask(events, chat)
    assert "No muscles are shown: lacks inputs" in worked(events, chat)
    failing = Muscles(run, tmp_path, GRAPH, tmp_path, opener=MagicMock(side_effect=OSError))
    html = worked(dataclasses.replace(events, muscles=failing), chat)
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert log[-1]["event"] == "failure"
    assert log[-1]["mark"] in html


def test_the_model_is_opened_once_and_when_it_is_needed(tmp_path: Path, upload: str) -> None:
    run = save_run(tmp_path / "run", views=("View-1",))
    opener = MagicMock(side_effect=load_model)
    muscles = Muscles(run, tmp_path, GRAPH, tmp_path / "page", opener=opener)
    events, chat = dataclasses.replace(page_events(tmp_path), muscles=muscles), Chat()
    events.clip(chat, upload, "")
    ask(events, chat)
    assert opener.call_count == 0
    for action in ("A02", "A16"):
        chat.lifts[-1].user_action = action
        assert "<video" in worked(events, chat)
    assert opener.call_count == 1


def test_what_files_say_is_shown_as_text() -> None:
    html = muscles_html(Shown(why_not="<img src=x onerror=alert(1)>"))
    assert "<img" not in html
    assert "&lt;img" in html


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason=WHY_NOT)
def test_a_browser_plays_the_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "squat.mp4", frames=24, size=(112, 112))
    run = save_run(tmp_path / "run", views=("View-1",))
    nothing = ("--data", str(tmp_path / "none"), "--dialogues", str(tmp_path / "none.jsonl"))
    with ExitStack() as stack:
        address, _ = stack.enter_context(chat_server(lambda _: "This is the Squat."))
        options = ("--endpoint", address, "--model", "fake", "--emg", str(run), *nothing)
        server = stack.enter_context(served(tmp_path / "served", *options))
        page = stack.enter_context(visit(stack.enter_context(browser()), server)).page
        page.set_input_files("#clip input[type=file]", str(film))
        page.wait_for_selector("#frames img")
        page.click("#assess")
        page.wait_for_selector("#muscles video")
        page.wait_for_function("document.querySelector('#muscles video').currentTime > 0.1")
