"""Files elsewhere, tried with fsspec's memory:// store."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine import remote
from engine.__main__ import app
from engine.options import DataFolder
from engine.remote import copy_tree, local_copy
from flex.problems import InputError, Problem


@pytest.fixture
def store() -> Iterator[Any]:
    import fsspec

    made = fsspec.filesystem("memory")
    made.pipe("/lab/raw/S01/View-1.mp4", b"film")
    made.pipe("/lab/raw/S01/pose.csv", b"1,2")
    made.pipe("/lab/raw/list.csv", b"")
    yield made
    made.store.clear()
    made.pseudo_dirs[:] = [""]


def test_a_file_is_fetched_once_and_again_when_it_changes(store: Any, tmp_path: Path) -> None:
    address = "memory://lab/raw/S01/View-1.mp4"
    first = local_copy(address, tmp_path)
    assert (first.name, first.read_bytes()) == ("View-1.mp4", b"film")
    first.write_bytes(b"here")  # same size: seen if it were fetched anew
    assert local_copy(address, tmp_path) == first
    assert first.read_bytes() == b"here"
    store.pipe("/lab/raw/S01/View-1.mp4", b"FILM")
    second = local_copy(address, tmp_path)
    assert second != first
    assert second.read_bytes() == b"FILM"


def test_a_folder_is_a_folder_and_a_cut_file_is_mended(store: Any, tmp_path: Path) -> None:
    place = local_copy("memory://lab/raw/", tmp_path)
    found = {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*.*")}
    assert found == {"S01/View-1.mp4": b"film", "S01/pose.csv": b"1,2", "list.csv": b""}
    (place / "S01/pose.csv").write_bytes(b"1")
    assert (local_copy("memory://lab/raw", tmp_path) / "S01/pose.csv").read_bytes() == b"1,2"


def test_a_path_here_stays_as_it_is(tmp_path: Path) -> None:
    assert local_copy("data/flex", tmp_path) == Path("data/flex")
    assert not list(tmp_path.iterdir())


def test_the_option_data_takes_addresses_and_folders(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = typer.Typer()
    seen: list[Path] = []

    @one.command()
    def command(data: DataFolder = Path("data/flex-sim")) -> None:
        seen.append(data)

    for arguments in ([], ["--data", "elsewhere"], ["--data", "memory://lab/raw"]):
        assert CliRunner().invoke(one, arguments).exit_code == 0
    assert seen[:2] == [Path("data/flex-sim"), Path("elsewhere")]
    assert (seen[2] / "S01/View-1.mp4").read_bytes() == b"film"
    assert seen[2].is_relative_to("runs/cache/remote")


def test_what_cannot_be_fetched_is_named(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(InputError, match=r"memory://lab/none: cannot be read"):
        local_copy("memory://lab/none", tmp_path)
    with pytest.raises(InputError, match=r"zz://lab: .*Protocol not known: zz"):
        local_copy("zz://lab", tmp_path)
    with pytest.raises(InputError, match=r"s3://lab/x: .*Install s3fs"):
        local_copy("s3://lab/x", tmp_path)
    assert not list(tmp_path.rglob("*.*"))


def test_checkpoints_go_to_the_store_and_come_back(store: Any, tmp_path: Path) -> None:
    run, back = tmp_path / "run", tmp_path / "back"
    (run / "checkpoint-2").mkdir(parents=True)
    (run / "checkpoint-2" / "weights").write_bytes(b"w2")
    (run / "log").write_text("1")
    assert copy_tree(run, "memory://lab/run") == 2
    assert copy_tree(run, "memory://lab/run") == 0
    (run / "log").write_text("2")  # the same size, but newer
    later = store.modified("/lab/run/log").timestamp() + 5
    os.utime(run / "log", (later, later))
    assert copy_tree(run, "memory://lab/run") == 1
    assert CliRunner().invoke(app, ["copy", "memory://lab/run", str(back)]).exit_code == 0
    assert (back / "checkpoint-2" / "weights").read_bytes() == b"w2"
    assert (back / "log").read_text() == "2"
    assert copy_tree("memory://lab/run", back) == 0


def test_a_checkpoint_that_goes_away_meanwhile_is_passed_over(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = remote._listing

    def with_a_ghost(*arguments: Any) -> dict[str, dict[str, Any]]:
        ghost = {"checkpoint-2/weights": {"name": "/lab/raw/checkpoint-2/weights", "size": 2}}
        return ghost | listing(*arguments)

    monkeypatch.setattr(remote, "_listing", with_a_ghost)
    assert copy_tree("memory://lab/raw", tmp_path / "back") == 3


def test_copying_nothing_or_between_stores_is_refused(store: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no file"):
        copy_tree(tmp_path, "memory://lab/run")
    with pytest.raises(InputError, match="source or target has to be on this machine"):
        copy_tree("memory://lab/raw", "memory://lab/other")


def test_a_copy_that_fails_later_is_tried_again_and_its_reason_is_told_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reasons = iter([None, "s3://lab/x: denied [/lab]", None])
    waited: list[float] = []

    def copied(source: str, target: str) -> int:
        if reason := next(reasons):
            raise InputError([Problem("copy", reason)])
        return 3

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(remote, "copy_tree", copied)
    monkeypatch.setattr("engine.commands.time.sleep", wait)
    done = CliRunner().invoke(app, ["copy", "a", "b", "--every", "5"])
    assert waited == [5, 5, 5]
    assert done.output.count("3 files copied") == 2
    assert "tried again in 5 s: copy: s3://lab/x: denied [/lab]" in done.output
