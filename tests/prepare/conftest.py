"""Fixtures of the prepare room."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from small_raw import Run

import engine.run
from engine.one_item import End, Lost, do_item
from engine.where import Engine
from flex.graph_file import load_graph
from prepare.cut import CutSettings
from prepare.run import Options, Prepared, prepare


class _Inline:
    """A pool without processes, whose start would take most of the time of these tests."""

    def __init__(self, work: Any, scratch: Path) -> None:
        self.work, self.scratch = work, scratch
        self.ended: list[tuple[int, End | Lost]] = []

    def free(self) -> int:
        return 1 - len(self.ended)

    def give(self, ticket: int, item: Any) -> None:
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        self.ended.append((ticket, do_item(self.work, item, folder)))

    def wait(self) -> list[tuple[int, End | Lost]]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        pass


@contextmanager
def _open_inline(work: Any, where: Engine, count: int, scratch: Path, gpus: float) -> Iterator[Any]:
    yield _Inline(work, scratch)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what prepares tmp_path/raw into tmp_path/root, in this process."""
    monkeypatch.setattr(engine.run, "_open_pool", _open_inline)

    def once(root: str = "root", retry: bool = False, **settings: Any) -> Prepared:
        options = Options(CutSettings(**{"lines": 64, **settings}))
        where = Engine(jobs=1, retry=retry)
        return prepare(tmp_path / "raw", tmp_path / root, load_graph(), options, where)

    return once
