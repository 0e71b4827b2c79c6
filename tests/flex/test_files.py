"""Files are written whole or not at all, and read with exact places."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flex.files import atomic_write, hash_file, hash_text, read_jsonl, write_text
from flex.problems import InputError, Problem


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as stream:  # noqa: PT012
        stream.write("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a tiny disk takes root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_leaves_the_old_file(tiny_disk: Path) -> None:
    path = tiny_disk / "file.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "x" * 200_000)
    assert path.read_text() == "old"
    assert [p.name for p in tiny_disk.iterdir()] == ["file.txt"]


def test_a_bom_crlf_and_blank_lines_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (3, {"a": 2})]


def test_a_truncated_last_line_and_other_values_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('[1]\n{"a": 1}\n{"a": ')
    first, second, third = (value for _, value in read_jsonl(path))
    assert isinstance(first, Problem)
    assert "expected a JSON object, found list" in first.message
    assert second == {"a": 1}
    assert isinstance(third, Problem)
    assert third.place == f"{path}:3"
    assert "ends in the middle" in third.message


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        list(read_jsonl(tmp_path / "none.jsonl"))
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"a": "\xe9"}\n')
    with pytest.raises(InputError, match="not UTF-8"):
        list(read_jsonl(path))


def test_hashes_keep_parts_apart(tmp_path: Path) -> None:
    assert hash_text("ab", "c") != hash_text("a", "bc")
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert hash_file(path).startswith("ba7816bf")
