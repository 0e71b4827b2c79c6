"""What a run shows while it trains."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from sft import watch

LOGS = {
    "loss": 0.5,
    "loss_score": 0.25,
    "learning_rate": 1e-4,
    "samples_per_s": 2.0,
    "video_tokens_per_s": 128.0,
    "data_wait_percent": 3.0,
    "memory_gib": 1.5,
}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(watch, "err", console)
    monkeypatch.setattr(watch, "find_spec", lambda _: None)
    return stream


def at(step: int, *, main: bool = True) -> SimpleNamespace:
    return SimpleNamespace(global_step=step, max_steps=40, is_world_process_zero=main)


def test_the_bar_tells_how_many_steps_are_done(shown: io.StringIO, tmp_path: Path) -> None:
    seen = watch.Watch(tmp_path)
    seen.on_train_begin(None, at(5), None)
    seen.on_step_end(None, at(17), None)
    seen.on_train_end(None, at(17), None)
    assert "17/40" in shown.getvalue()


def test_the_main_rank_alone_writes_a_line_for_each_loss(
    shown: io.StringIO, tmp_path: Path
) -> None:
    seen = watch.Watch(tmp_path)
    seen.on_log(None, at(3), None, LOGS)
    seen.on_log(None, at(4, main=False), None, LOGS)
    seen.on_log(None, at(5), None, {"train_runtime": 1.0})
    rows = [json.loads(row) for row in (tmp_path / watch.METRICS_FILE).read_text().splitlines()]
    assert rows == [{"step": 3, **LOGS}]
    assert shown.getvalue().count("loss 0.5000 (score 0.250)") == 1
