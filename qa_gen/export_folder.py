"""Replaces a folder as a whole: readers see the old export or the new one, never a half.

The new folder is built beside the old one and takes its place by renaming. Whatever stops the
work — an error, Ctrl-C, a full disk, kill −9 — the old export stays, and the next call clears away
what was left.

    with replaced_folder(Path("runs/qa/export"), marker="croissant.json") as new:
        (new / "README.md").write_text(...)
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from flex.problems import InputError, Problem


@contextmanager
def replaced_folder(out: Path, *, marker: str) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `out` if the block succeeds.

    Args:
        out: the folder to replace; it need not exist.
        marker: a file that every finished folder has. A folder with other content is never
            replaced, so that a mistyped path costs nobody their files.

    Raises:
        InputError: `out` is a file or holds something else, or another run is writing it.
    """
    new, old = _beside(out, "new"), _beside(out, "old")
    out.parent.mkdir(parents=True, exist_ok=True)
    with _sole_writer(out):
        _mend(out, new, old)
        _require_replaceable(out, marker)
        new.mkdir()
        try:
            yield new
            _swap(out, new, old)
        finally:
            shutil.rmtree(new, ignore_errors=True)


def _beside(out: Path, role: str) -> Path:
    return out.with_name(f".{out.name}.{role}")


@contextmanager
def _sole_writer(out: Path) -> Iterator[None]:
    lock = FileLock(_beside(out, "lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError([Problem(str(out), "another export is being written here")]) from error
    try:
        yield
    finally:
        lock.release()


def _mend(out: Path, new: Path, old: Path) -> None:
    """Clear away what a killed run left; if it died between the two renames, undo the first."""
    if old.exists() and not out.exists():
        old.rename(out)
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _require_replaceable(out: Path, marker: str) -> None:
    if out.is_dir():
        if (out / marker).is_file() or not any(out.iterdir()):
            return
        message = f"holds files that are not an export (no {marker}); choose an empty folder"
    elif out.exists():
        message = "is a file; choose a folder"
    else:
        return
    raise InputError([Problem(str(out), message)])


def _swap(out: Path, new: Path, old: Path) -> None:
    if out.exists():
        out.rename(old)
    try:
        new.rename(out)
    except BaseException:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
