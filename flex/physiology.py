"""Heart rate and breathing of one clip: where the file lies, and what it holds.

    signal = load_physiology(physiology_path(root, "A01/001"))

ROOT/Physiology/A01/001/physiology.csv     a header row, then one row per instant:
time_s,heart_rate_bpm,breathing_rate_per_min,chest_volume
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flex.number_table import Floats, read_numbers
from flex.problems import InputError, Problem, nearest

PHYSIOLOGY_FOLDER = "Physiology"
COLUMNS = ("time_s", "heart_rate_bpm", "breathing_rate_per_min", "chest_volume")


@dataclass(frozen=True)
class Physiology:
    """Heart rate and breathing over T instants.

    Attributes:
        times_s: (T,) seconds from the start of the clip, rising.
        heart_rate_bpm: (T,) beats per minute.
        breathing_rate_per_min: (T,) breaths per minute.
        chest_volume: (T,) how full the chest is, in the unit of the file; it rises as the person
            breathes in.
    """

    times_s: Floats
    heart_rate_bpm: Floats
    breathing_rate_per_min: Floats
    chest_volume: Floats


def physiology_path(root: Path, clip: str) -> Path:
    """Return where a data folder keeps the heart rate and breathing of a clip."""
    return root / PHYSIOLOGY_FOLDER / clip / "physiology.csv"


def load_physiology(path: Path) -> Physiology:
    """Return what a physiology file holds.

    Raises:
        InputError: a header other than `COLUMNS`, a wrong cell or row, times that do not rise.
    """
    _require_header(path)
    values = read_numbers(path, columns=len(COLUMNS), header=True)
    back = np.flatnonzero(np.diff(values[:, 0]) <= 0)
    if len(back):
        # The header is row 1, and the second of the two instants is the one at fault.
        place = f"{path}, row {back[0] + 3}, column 1"
        raise InputError([Problem(place, "time_s must rise from row to row")])
    return Physiology(*values.T)


def _require_header(path: Path) -> None:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found = tuple(cell.strip() for cell in next(csv.reader(stream), []))
    except OSError as error:
        raise InputError([Problem(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(str(path), f"not UTF-8 text: {error.reason}")]) from error
    if found == COLUMNS:
        return
    odd = next((name for name in found if name not in COLUMNS), "")
    message = f"the header must be {','.join(COLUMNS)}, found {','.join(found) or 'nothing'}"
    raise InputError([Problem(f"{path}, row 1", message + nearest(odd, COLUMNS))])
