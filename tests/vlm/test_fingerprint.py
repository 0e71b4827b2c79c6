"""The fingerprint of weights: every byte counts, and large files are read once for each state."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from vlm import fingerprint
from vlm.fingerprint import notes_folder, weights_fingerprint

CONTENT = b"x" * 5000


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The files that were read whole; all files count as large."""
    files: list[Path] = []

    def hash_file(file: Path) -> str:
        files.append(file)
        return hashlib.sha256(file.read_bytes()).hexdigest()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(fingerprint, "NOTED_BYTES", 1)
    monkeypatch.setattr(fingerprint, "hash_file", hash_file)
    return files


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"model-{number}.safetensors").write_bytes(CONTENT + bytes([number]))
    return folder


def by_hand(folder: Path) -> str:
    """The fingerprint as it always was: of each file's name and SHA-256."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def test_large_files_are_read_once_and_the_value_is_what_it_was(
    model: Path, read: list[Path]
) -> None:
    first = weights_fingerprint(model)
    assert [file.name for file in read] == ["model-1.safetensors", "model-2.safetensors"]
    assert weights_fingerprint(model) == first == by_hand(model)
    assert len(read) == 2


def test_a_file_that_changed_is_read_again(model: Path, read: list[Path]) -> None:
    before = weights_fingerprint(model)
    file = model / "model-2.safetensors"
    times = file.stat()
    file.write_bytes(CONTENT[:-1] + b"yz")  # the same size, and the time put back
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert weights_fingerprint(model) == by_hand(model) != before
    assert [file.name for file in read[2:]] == ["model-2.safetensors"]


def test_another_file_in_its_place_is_read_again(model: Path, read: list[Path]) -> None:
    weights_fingerprint(model)
    other = model.parent / "other"
    other.write_bytes(CONTENT + b"z")
    other.replace(model / "model-1.safetensors")
    assert weights_fingerprint(model) == by_hand(model)
    assert len(read) == 3


@pytest.mark.parametrize("content", ["{", "[]", '{"state": [], "sha256": "0"}'])
def test_a_broken_note_is_not_believed(model: Path, read: list[Path], content: str) -> None:
    weights_fingerprint(model)
    for note in notes_folder().iterdir():
        note.write_text(content)
    assert weights_fingerprint(model) == by_hand(model)
    assert len(read) == 4


def test_without_a_place_for_notes_it_is_computed(
    model: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert weights_fingerprint(model) == weights_fingerprint(model) == by_hand(model)
    assert len(read) == 4


def test_the_hubs_cache_says_it_itself(model: Path, read: list[Path], tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    for file in model.iterdir():
        blob = blobs / hashlib.sha256(file.read_bytes()).hexdigest()
        blob.write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(blob)
    assert weights_fingerprint(snapshot) == by_hand(model)
    assert not read


def test_small_files_leave_no_note(
    model: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "NOTED_BYTES", 10_000)
    weights_fingerprint(model)
    assert not notes_folder().exists()


def test_an_adapter_is_what_it_is_wherever_its_base_lies(model: Path, read: list[Path]) -> None:
    settings = {"r": 8, "base_model_name_or_path": "a"}
    (model / "adapter_config.json").write_text(json.dumps(settings))
    before = weights_fingerprint(model)
    (model / "adapter_config.json").write_text(
        json.dumps(settings | {"base_model_name_or_path": "b"})
    )
    assert weights_fingerprint(model) == before != by_hand(model)
