"""The steps from raw sEMG to its envelope, drawn: a row per channel, a column per step.

    save_chain(signal, ["Biceps.EMG4"], SignalSettings(), Path("chain.png"), unit="mV")

Drawn without pyplot, so that nothing global changes and no window system is asked for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emg.signal import SignalSettings
from emg.signal_words import words
from flex.dataset import SemgSignal
from flex.files import atomic_path
from flex.number_table import Floats
from flex.problems import InputError, Problem
from flex.semg import envelope, filtered_semg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, SOFT, LINE, RAW, WAVE = "#1c2326", "#5d6a6e", "#e2e0d8", "#8fb8a6", "#176b72"
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "agg.path.chunksize": 10_000,
}
_DPI = 150
_ROW_HEIGHT, _WIDTH = 1.75, 11.0


def save_chain(
    signal: SemgSignal,
    channels: Sequence[str],
    settings: SignalSettings,
    path: Path,
    *,
    unit: str,
    excluded: Mapping[str, str] | None = None,
) -> None:
    """Draw raw signal, filtered signal and envelope of some channels to a PNG, atomically.

    Args:
        signal: the recording.
        channels: names of the channels to draw, one a row.
        settings: of the envelope.
        path: file to write.
        unit: of the values.
        excluded: channel → why it is left out, shown with it.

    Raises:
        InputError: matplotlib is not installed.
        ValueError: what `flex.semg.envelope` refuses.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "is not installed, figures need it: pip install matplotlib"
        raise InputError([Problem("matplotlib", message)]) from error
    said = words()
    with matplotlib.rc_context(_STYLE):
        figure = Figure(
            figsize=(_WIDTH, _ROW_HEIGHT * len(channels) + 0.6),
            layout="constrained",
            facecolor="white",
        )
        grid = figure.subplots(len(channels), 3, sharex=True, squeeze=False)
        for row, name in zip(grid, channels, strict=True):
            _draw(row, signal, signal.channels.index(name), settings)
            row[0].set_ylabel(name)
            if excluded and name in excluded:
                reason, where = f"{said['excluded']}: {excluded[name]}", row[1].transAxes
                row[1].text(0.5, 1.0, reason, transform=where, ha="center", va="top", fontsize=7)
        for axes, title in zip(grid[0], _titles(settings, unit), strict=True):
            axes.set_title(title, fontsize=10, loc="left")
        figure.align_ylabels(grid[:, 0])
        for axes in grid[-1]:
            axes.set_xlabel(said["time"])
        with atomic_path(path) as unfinished:
            figure.savefig(unfinished, format="png", dpi=_DPI, metadata={"Software": None})


def _draw(row: "Sequence[Axes]", signal: SemgSignal, column: int, settings: SignalSettings) -> None:
    values, rate_hz = signal.values[:, column], signal.sample_rate_hz
    times_s = np.arange(len(values)) / rate_hz
    filtered = filtered_semg(
        values, rate_hz, band_pass=settings.band_pass, notch_hz=settings.notch_hz
    )
    course = envelope(
        values,
        rate_hz,
        settings.window_s,
        average=settings.average,
        band_pass=settings.band_pass,
        notch_hz=settings.notch_hz,
    )
    _line(row[0], times_s, values, SOFT)
    _line(row[1], times_s, filtered, WAVE)
    _line(row[2], times_s, np.abs(filtered), RAW)
    row[2].plot(times_s, course, color=INK, linewidth=1.5)
    row[2].set_ylim(bottom=0)
    row[0].set_xlim(0, times_s[-1])


def _line(axes: "Axes", times_s: Floats, values: Floats, colour: str) -> None:
    axes.plot(times_s, values, color=colour, linewidth=0.4)


def _titles(settings: SignalSettings, unit: str) -> tuple[str, str, str]:
    said = words()
    panels = said["panels"]
    notch = "" if settings.notch_hz is None else panels["notch"].format(hz=settings.notch_hz)
    middle = panels["filtered" if settings.band_pass else "unfiltered"].format(notch=notch)
    average = said["averages"][settings.average]
    last = panels["envelope"].format(average=average, window=1000 * settings.window_s)
    return panels["raw"].format(unit=unit), middle, last
