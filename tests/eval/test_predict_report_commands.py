"""The options of `predict` and `report` reach the functions that do the work."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval import predict, report
from eval.predict_command import predict as predict_command
from eval.report_command import report as report_command
from flex.cli import new_app
from flex.video import Sampler

APP = new_app("Test.")
APP.command("predict")(predict_command)
APP.command("report")(report_command)


def called(monkeypatch: pytest.MonkeyPatch, module: Any, *words: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def run(**options: Any) -> Path:
        seen.update(options)
        return Path("report.html")

    monkeypatch.setattr(module, "run", run)
    done = CliRunner().invoke(APP, list(words))
    assert done.exit_code == 0, done.output
    return seen


def test_predict(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("predict", "--model", "m", "--mode", "tuned", "--mode", "prompted", "--frames", "8")
    seen = called(monkeypatch, predict, *words)
    assert seen["modes"] == ["tuned", "prompted"]
    assert seen["sampler"] == Sampler(frames=8)
    assert called(monkeypatch, predict, "predict", "--model", "m")["sampler"] is None


def test_report(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = called(monkeypatch, report, "report", "a.jsonl", "--worst", "2")
    assert seen["answers"] == [Path("a.jsonl")]
    assert seen["worst"] == 2
    assert not called(monkeypatch, report, "report")["answers"]
