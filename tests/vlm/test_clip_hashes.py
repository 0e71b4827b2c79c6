"""The hash of a clip: read once, kept on disk, and made anew when a file of the clip changes."""

import os
from pathlib import Path

import pytest

from flex.files import hash_file
from flex.problems import InputError
from flex.video import Sampler
from vlm.cache import FrameCache
from vlm.clip_hashes import ClipHashes

LONG_AGO = 10**18  # ns: 2001


def write(path: Path, content: bytes, at: int = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(at, at))
    return path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes were read."""
    names: list[str] = []

    def watched(path: Path) -> str:
        names.append(path.name)
        return hash_file(path)

    monkeypatch.setattr("vlm.clip_hashes.hash_file", watched)
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        write(tmp_path / f"View-1/img_{number:05d}.JPG", bytes([number]))
    return tmp_path / "View-1"


def test_m9_no_byte_is_read_again_by_another_process(
    folder: Path, tmp_path: Path, read: list[str]
) -> None:
    film = write(tmp_path / "View-2.mp4", b"film")
    kept = tmp_path / "cache"
    first = [ClipHashes(kept).of(path) for path in (folder, film)]
    assert len(read) == 4
    assert [ClipHashes(kept).of(path) for path in (folder, film)] == first
    assert len(read) == 4
    assert first[1] == hash_file(film)


def test_m9_the_frame_cache_keeps_them_beside_its_entries(
    folder: Path, tmp_path: Path, read: list[str]
) -> None:
    sampler = Sampler(folder_fps=30)
    key = FrameCache(tmp_path / "cache").key(folder, sampler)
    assert FrameCache(tmp_path / "cache").key(folder, sampler) == key
    assert len(read) == 3


@pytest.mark.parametrize("change", ["bytes", "time", "name", "more"])
def test_a_clip_that_changes_is_read_again(
    folder: Path, tmp_path: Path, read: list[str], change: str
) -> None:
    kept = ClipHashes(tmp_path / "cache")
    before = kept.of(folder)
    last = folder / "img_00002.JPG"
    if change == "bytes":
        write(last, b"longer")
    elif change == "time":
        write(last, b"x", LONG_AGO + 1)
    elif change == "name":
        last.rename(folder / "img_00009.JPG")
    else:
        write(folder / "img_00003.JPG", b"")
    assert kept.of(folder) != before
    assert ClipHashes(tmp_path / "cache").of(folder) == kept.of(folder)


def test_a_file_that_may_still_be_written_is_read_again(tmp_path: Path, read: list[str]) -> None:
    film = write(tmp_path / "film.mp4", b"film", at=2**62)
    for _ in range(2):
        ClipHashes(tmp_path / "cache").of(film)
    assert len(read) == 2


@pytest.mark.parametrize("row", ["", "[", "[1]", "{}", '["elsewhere", "a", "b"]'])
def test_a_broken_row_is_made_again(
    folder: Path, tmp_path: Path, read: list[str], row: str
) -> None:
    before = ClipHashes(tmp_path / "cache").of(folder)
    [kept] = (tmp_path / "cache").rglob("*.json")
    whole = kept.read_text("utf-8")
    kept.write_text(row, encoding="utf-8")
    assert ClipHashes(tmp_path / "cache").of(folder) == before
    assert kept.read_text("utf-8") == whole


def test_a_clip_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.mp4: cannot be read"):
        ClipHashes(tmp_path).of(tmp_path / "gone.mp4")
