"""One item in a worker: the work is done, and what became of it is said in a form that travels."""

import errno
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flex.problems import InputError

# The place is at fault, not the item: the run stops, and goes on once there is room.
NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Finished:
    """An item that is done.

    Attributes:
        result: what the work returned, as JSON.
        files: each file's name under `out`, with where it lies or what it holds.
    """

    result: str
    files: Mapping[str, Path | bytes]


@dataclass(frozen=True)
class Refused:
    """An item that cannot be done, and why."""

    reason: str


@dataclass(frozen=True)
class Stopped:
    """Nothing more can be done: the worker's disk is full or read-only."""

    errno: int


@dataclass(frozen=True)
class Lost:
    """The worker went away with the item: killed, out of memory, or its machine is gone."""

    reason: str


End = Finished | Refused | Stopped
ItemWork = Callable[[Any, Path], Any]


def do_item(work: ItemWork, item: Any, folder: Path) -> End:
    """Do the work for one item; its files are left in `folder`, which is empty and exists."""
    try:
        result = json.dumps(work(item, folder), ensure_ascii=False, allow_nan=False)
        names = sorted(path for path in folder.rglob("*") if not path.is_dir())
        return Finished(result, {path.relative_to(folder).as_posix(): path for path in names})
    except InputError as error:
        return Refused("; ".join(map(str, error.problems)))
    except OSError as error:
        if error.errno in NO_PLACE:
            return Stopped(error.errno)
        return Refused(_said(error))
    except Exception as error:
        return Refused(_said(error))


def _said(error: Exception) -> str:
    """Return an unforeseen error with the line of ours that raised it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
