"""`python -m coach demo`: what it refuses before anything is served."""

import socket
import sys
from pathlib import Path

import pytest

from coach.demo import Settings, choose_model, serve
from flex.accounts import add_account
from flex.problems import InputError


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


def test_without_gradio_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    for name in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_TEMP_DIR", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    settings = Settings(
        port=port, endpoint="http://127.0.0.1:9/v1", model="m", log=tmp_path / "log.jsonl"
    )
    with pytest.raises(InputError, match=r"\[coach,train\]"):
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


def test_an_endpoint_needs_a_name() -> None:
    with pytest.raises(InputError, match="--model"):
        choose_model(Settings(endpoint="http://127.0.0.1:9/v1"))
    chosen = choose_model(Settings(endpoint="http://127.0.0.1:9/v1", model="coach-3b"))
    assert chosen.names == {"prompted": "coach-3b told the rules", "base": "coach-3b"}
    assert chosen.local is None
