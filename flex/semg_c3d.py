"""sEMG from a C3D file, the usual format of motion laboratories: analog channels with their labels.

    signal = read_c3d(Path("trial.c3d"))        # values in mV, all channels in volts or millivolts

The reader, `ezc3d`, is an optional package: FLEX itself comes as CSV.
"""

from pathlib import Path
from typing import Any

import numpy as np

from flex.dataset import SemgSignal
from flex.problems import InputError, Problem

# Unit in the file → factor to millivolts.
_TO_MV = {"V": 1e3, "mV": 1.0, "uV": 1e-3, "µV": 1e-3}


def read_c3d(path: Path) -> SemgSignal:
    """Return the sEMG channels of a C3D file: (samples, channels) in mV, named as in the file.

    Only names tell sEMG from force plates: channels called "…EMG…" are read, and where none is
    called so, all that hold voltages.

    Raises:
        InputError: no such file, not C3D, no voltages in it, or `ezc3d` is not installed.
    """
    if not path.is_file():
        raise InputError([Problem(str(path), "no such file; expected a C3D recording")])
    try:
        import ezc3d
    except ImportError as error:
        message = "is not installed, C3D files need it: pip install ezc3d"
        raise InputError([Problem("ezc3d", message)]) from error
    try:
        content: Any = ezc3d.c3d(str(path))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError([Problem(str(path), f"is not a C3D file: {error}")]) from error
    analog = content["parameters"]["ANALOG"]
    names, units = analog["LABELS"]["value"], analog["UNITS"]["value"]
    chosen = [row for row, unit in enumerate(units) if unit in _TO_MV]
    if not chosen:
        message = f"holds no analog channel in {', '.join(_TO_MV)}"
        raise InputError([Problem(str(path), message)])
    chosen = [row for row in chosen if "emg" in names[row].lower()] or chosen
    factors = np.array([_TO_MV[units[row]] for row in chosen])
    values = np.asarray(content["data"]["analogs"][0, chosen], dtype=np.float64).T * factors
    rate_hz = float(analog["RATE"]["value"][0])
    return SemgSignal(values, tuple(names[row] for row in chosen), rate_hz)
