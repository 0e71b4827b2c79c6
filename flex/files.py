"""Reading and writing plain files: atomic writes, JSON Lines with exact places, content hashes."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel

from flex.problems import InputError, Problem


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[str]]:
    """Open a temporary file beside `path` for text; it replaces `path` only if the block succeeds.

    On any error, a full disk or Ctrl-C included, the temporary file is removed and `path` keeps
    its old content.
    """
    with atomic_path(path) as name, name.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give the name of a temporary file beside `path`, which replaces it if the block succeeds.

    For writers that take a name; the temporary file is empty and keeps the ending of `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with atomic_write(path) as stream:
        stream.write(text)


def write_jsonl(path: Path, rows: Iterable[BaseModel]) -> int:
    """Write one JSON object a line, atomically and without holding them all; return the count."""
    count = 0
    with atomic_write(path) as stream:
        for row in rows:
            stream.write(row.model_dump_json(exclude_none=True) + "\n")
            count += 1
    return count


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
    """Yield (line number, object) for each line; a line that is not an object yields a `Problem`.

    A byte order mark, CRLF line ends and blank lines are accepted.

    Raises:
        InputError: the file cannot be opened, or is not UTF-8.
    """
    for number, line in _lines(path):
        place = f"{path}:{number}"
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            cut = "" if line.endswith("\n") else "; the file ends in the middle of this line"
            yield number, Problem(place, f"not valid JSON ({error.msg}, column {error.colno}){cut}")
            continue
        if isinstance(value, dict):
            yield number, value
        else:
            yield number, Problem(place, f"expected a JSON object, found {type(value).__name__}")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), f"not UTF-8 text: {error.reason}")]) from error


def hash_text(*parts: str) -> str:
    """Return a 16-digit SHA-256 of the parts, which are kept apart (("ab", "c") ≠ ("a", "bc"))."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:16]


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
