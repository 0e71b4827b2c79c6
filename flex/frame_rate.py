"""How many frames a second a folder of JPEG frames has, which no picture in it tells.

    stated_rate(Path("ROOT/A01/001/View-1"), frames=103)      # None where nobody says

Said by, in this order: a file `fps` that holds one number, in the folder or above it up to the data
folder; the clip's record in `annotations.jsonl`, by `frame_rate_hz` if as many frames last for
`duration_s`, else by `duration_s`: the 103 of FLEX are spread evenly from the first moment to the
last, however fast the camera was.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from flex.annotations import ANNOTATIONS_FILE
from flex.files import read_jsonl
from flex.problems import InputError, Problem

RATE_FILE = "fps"
# A view's folder, the clip's, the action's, and the data folder.
_LEVELS = 4


class _Stated(NamedTuple):
    duration_s: float | None
    rate_hz: float | None


def folder_rate(folder: Path, frames: int, otherwise: float | None = None) -> float:
    """Return the frames a second of a folder.

    Args:
        folder: of JPEG frames.
        frames: how many it holds.
        otherwise: the rate where nobody states it.

    Raises:
        InputError: the rate is not known, or the file `fps` does not hold a number above 0.
    """
    rate = stated_rate(folder, frames) or otherwise
    if rate is None:
        message = (
            "is a folder of frames whose rate is not known: state duration_s or frame_rate_hz in "
            f"{ANNOTATIONS_FILE}, or write the frames a second into a file {RATE_FILE} in the data "
            "folder, or set folder_fps"
        )
        raise InputError([Problem(str(folder), message)])
    return rate


def stated_rate(folder: Path, frames: int) -> float | None:
    """Return the frames a second that the data folder states, or `None`.

    Raises:
        InputError: the file `fps` does not hold a number above 0.
    """
    for level in _upwards(folder):
        if (level / RATE_FILE).is_file():
            return _read_rate(level / RATE_FILE)
    for root in _upwards(folder):
        path = root / ANNOTATIONS_FILE
        if path.is_file():
            found = path.stat()
            stated = _read_records(path, found.st_mtime_ns, found.st_size)
            return _rate(
                stated.get(folder.absolute()) or stated.get(folder.absolute().parent), frames
            )
    return None


def _upwards(folder: Path) -> Iterator[Path]:
    """Yield a folder and those above it, up to the one with the annotations."""
    for level in (folder.absolute(), *folder.absolute().parents[: _LEVELS - 1]):
        yield level
        if (level / ANNOTATIONS_FILE).is_file():
            return


def _rate(stated: _Stated | None, frames: int) -> float | None:
    if stated is None:
        return None
    lasts_s, rate_hz = stated
    if lasts_s is None or frames < 2:
        return rate_hz
    if rate_hz is not None and abs(lasts_s * rate_hz - frames) <= 1:
        return rate_hz
    return (frames - 1) / lasts_s


def _read_rate(path: Path) -> float:
    text = path.read_text("utf-8", errors="replace").strip()
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        message = f"expected the frames a second, a number above 0, found {text[:40]!r}"
        raise InputError([Problem(str(path), message)])
    return rate


@lru_cache(maxsize=4)
def _read_records(path: Path, _mtime_ns: int, _size: int) -> dict[Path, _Stated]:
    """Return what is said of each clip's folder and of each view that a record names.

    What is wrong with a record, `python -m flex data check` says.
    """
    found: dict[Path, _Stated] = {}
    for _, row in read_jsonl(path):
        if isinstance(row, dict):
            stated = _Stated(_positive(row.get("duration_s")), _positive(row.get("frame_rate_hz")))
            views = row.get("views")
            named = views.values() if isinstance(views, dict) else ()
            for place in (row.get("clip"), *named):
                found[path.parent / str(place)] = stated
    return found


def _positive(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value > 0 else None
