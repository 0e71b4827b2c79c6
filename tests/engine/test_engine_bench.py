"""The benchmark of the engine, at a size of seconds."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from benchmarks import engine_rate
from engine.where import Engine


@contextmanager
def _no_ray() -> Iterator[Engine]:
    yield Engine(jobs=2)


@pytest.mark.slow
def test_workers_are_timed_and_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ITEMS": 2, "ROUNDS": 1, "SIZES": (2, 20), "_ray": _no_ray}.items():
        monkeypatch.setattr(engine_rate, name, value)
    found = engine_rate.run(Console(quiet=True))
    assert set(found["seconds"]) >= {"one process", "two processes", "two on Ray"}
    assert found["speedup"] == pytest.approx(
        found["seconds"]["one process"] / found["seconds"]["two processes"], abs=0.05
    )
    assert found["peak_mib"]["2"] > 10
