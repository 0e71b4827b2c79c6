"""The benchmark of this room, at a size of seconds."""

import pytest
from rich.console import Console

from benchmarks import emg_rate


@pytest.mark.slow
def test_the_cache_and_the_stream_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ["--subjects", "3", "--actions", "A16", "--reps", "1", "--views", "1"]
    monkeypatch.setattr(emg_rate, "SETTINGS", [*settings, "--size", "64"])
    small = {"backbone": "small_cnn", "size": 32, "framing": "whole", "frames": 8, "hidden": 8}
    found = emg_rate.run(Console(quiet=True), streamed=5, **small)
    assert (found["clips"], found["frames"]) == (3, 8)
    assert found["ratio"] == pytest.approx(found["decoded_s"] / found["cached_s"], rel=0.1)
    assert found["stream_fps"] > 0
