"""`python -m coach demo`: what it refuses before anything is served."""

import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from coach.choice import choose_model
from coach.coaching import Coaching
from coach.demo import serve
from coach.desk import Desk
from coach.intake import Intake
from coach.limits import Limits
from coach.log import Log
from coach.page import build_page
from coach.page_events import Events
from coach.settings import Settings
from coach.talk_loading import Loading
from flex.accounts import add_account
from flex.graph_file import load_graph
from flex.problems import InputError
from flex.video import Sampler
from vlm.card import CoachCard
from vlm.generate import Decoding


def served_by(folder: Path) -> Settings:
    """Settings of an endpoint where nobody listens, with the card of an adapter in a folder."""
    if folder.exists():
        CoachCard().write(folder)
    return Settings(endpoint="http://127.0.0.1:9/v1", model="coach-3b", adapter=folder)


def test_another_host_needs_accounts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--auth-file"):
        serve(Settings(host="0.0.0.0", endpoint="http://127.0.0.1:9/v1", model="m"))
    open_to_all = tmp_path / "users.txt"
    add_account(open_to_all, "ada", "correct horse")
    open_to_all.chmod(0o666)
    with pytest.raises(InputError, match="others may write it"):
        serve(Settings(host="0.0.0.0", auth_file=open_to_all, endpoint="x", model="m"))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match="choose another --port"):
            serve(Settings(port=port, endpoint="http://127.0.0.1:9/v1", model="m"))


def test_without_gradio_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_port: int
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    for name in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_TEMP_DIR", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "")
    settings = Settings(
        port=free_port,
        endpoint="http://127.0.0.1:9/v1",
        model="m",
        log=tmp_path / "log.jsonl",
        adapter=served_by(tmp_path).adapter,
    )
    with pytest.raises(InputError, match=r"\[coach\]"):
        serve(settings)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else real(name)
    )
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"needs torch.*\[coach,train\]"):
        choose_model(Settings(model=str(tmp_path)))


def test_an_endpoint_needs_a_name_and_a_card(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--model"):
        choose_model(Settings(endpoint="http://127.0.0.1:9/v1"))
    with pytest.raises(InputError, match=r"--adapter.*its card says what it saw"):
        choose_model(Settings(endpoint="http://127.0.0.1:9/v1", model="coach-3b"))
    with pytest.raises(InputError, match=r"holds no flex_coach\.json"):
        choose_model(served_by(tmp_path / "none"))
    chosen = choose_model(served_by(tmp_path))
    assert chosen.names == {"tuned": "coach-3b"}
    assert list(chosen.left_out) == ["base", "prompted"]
    assert "--base-endpoint-model" in chosen.left_out["base"]
    assert chosen.local is None


def test_an_endpoint_may_serve_the_base_too(tmp_path: Path) -> None:
    served = replace(served_by(tmp_path), base_endpoint_model="qwen-3b")
    chosen = choose_model(served)
    assert list(chosen.names) == ["base", "prompted", "tuned"]
    assert chosen.names["prompted"] == "qwen-3b told the rules"
    assert chosen.left_out == {}
    assert chosen.opener().modes == ("base", "prompted", "tuned")
    with pytest.raises(InputError, match="goes with --endpoint"):
        choose_model(Settings(base_endpoint_model="qwen-3b"))


@pytest.mark.slow
def test_the_compare_tab_says_what_it_leaves_out(tmp_path: Path) -> None:
    chosen = choose_model(served_by(tmp_path))
    loading = Loading(chosen.opener)
    intake = Intake(Limits(), Sampler(), tmp_path)
    log = Log(tmp_path / "log.jsonl")
    coaching = Coaching(load_graph(), loading, Desk(1, 1), intake, log, Decoding())
    events = Events(coaching, chosen.names, False, list, tmp_path / "f.jsonl", chosen.left_out)
    page = build_page(events)
    shown = [part["props"].get("value") for part in page.get_config_file()["components"]]
    shown = [html for html in shown if isinstance(html, str) and "coach-answer" in html]
    assert ["left-out" in html for html in shown] == [False, True, True]
    assert "--base-endpoint-model" in shown[1]
    assert events.best == "tuned"
