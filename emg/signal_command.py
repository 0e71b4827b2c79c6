"""`python -m emg signal FILE`: what a recording of sEMG is worth, in a table and a figure."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from emg.recording import C3D, read_recording
from emg.signal import SignalSettings
from emg.signal_words import words
from flex.dataset import SemgSignal
from flex.graph_file import load_graph
from flex.problems import InputError, Problem, nearest
from flex.semg import LOWEST_RATE_HZ, WINDOW_S, Average, envelope
from flex.semg_flags import MAINS_HZ, flags, hum_share, median_hz

console = Console(highlight=False, soft_wrap=True)
_DRAWN = 3


def signal(
    file: Annotated[Path, typer.Argument(help="EMG.csv of FLEX, another CSV, or a C3D file.")],
    channel: Annotated[
        list[str] | None,
        typer.Option(help="Name or number from 1; may be repeated.", show_default="the first 3"),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="PNG to write: raw, filtered, envelope.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Sample rate in Hz of a CSV whose record has none.")
    ] = None,
    average: Annotated[Average, typer.Option(help="What the envelope is.")] = "rms",
    window: Annotated[float, typer.Option(help="Seconds that the envelope averages over.")] = (
        WINDOW_S
    ),
    band_pass: Annotated[
        bool, typer.Option(help="20–450 Hz first; without it any sample rate will do.")
    ] = True,
    notch: Annotated[
        float | None, typer.Option(help="Mains in Hz to take out, 50 or 60; none by default.")
    ] = None,
) -> None:
    """Check the channels of an sEMG recording, and draw how the envelope is made.

    Channels that are clipped, flat, full of hum or lost are named with the reason; training and
    evaluation leave them out. Without --channel the first three usable ones are drawn.

        python -m emg signal data/flex-sim/EMG/A16/001/EMG.csv --figure squat.png

        python -m emg signal trial.c3d --channel Delt_med.EMG2 --channel 9 --figure arm.png

        python -m emg signal other.csv --rate 200 --no-band-pass --average mean
    """
    recording = read_recording(file, load_graph(), rate)
    settings = SignalSettings(
        average=average, window_s=window, band_pass=band_pass, notch_hz=notch, sample_rate_hz=rate
    )
    try:
        found = flags(recording.values, recording.sample_rate_hz)
        reasons = {recording.channels[flag.channel]: flag.message for flag in reversed(found)}
        console.print(_table(file, recording, settings, reasons))
        if figure is None:
            return
        from emg.signal_figure import save_chain

        usable = [name for name in recording.channels if name not in reasons]
        drawn = _chosen(file, recording, channel) if channel else usable[:_DRAWN]
        if not drawn:
            raise InputError([Problem(str(file), "no channel is usable; name one with --channel")])
        unit = "mV" if file.suffix.lower() == C3D else words()["unit"]
        save_chain(recording, drawn, settings, figure, unit=unit, excluded=reasons)
    except InputError:
        raise
    except ValueError as error:
        raise InputError([Problem(str(file), str(error))]) from error
    console.print(str(figure))


def _chosen(file: Path, recording: SemgSignal, wanted: list[str]) -> list[str]:
    names = recording.channels
    numbered = {str(number): name for number, name in enumerate(names, 1)}
    problems = [
        Problem(str(file), f"has no channel {one!r}{nearest(one, names)}, only {', '.join(names)}")
        for one in wanted
        if one not in names and one not in numbered
    ]
    if problems:
        raise InputError(problems)
    return [one if one in names else numbered[one] for one in wanted]


def _table(
    file: Path, recording: SemgSignal, settings: SignalSettings, reasons: dict[str, str]
) -> Table:
    said, rate_hz = words()["table"], recording.sample_rate_hz
    seconds = len(recording.values) / rate_hz
    title = said["title"].format(file=file, seconds=seconds, rate=rate_hz)
    table = Table(*(said[key] for key in ("channel", "peak", "hum", "median", "state")))
    table.title = title
    courses = envelope(
        recording.values,
        rate_hz,
        settings.window_s,
        average=settings.average,
        band_pass=settings.band_pass,
        notch_hz=settings.notch_hz,
    )
    for number, name in enumerate(recording.channels):
        column = recording.values[:, number]
        spectral = rate_hz > LOWEST_RATE_HZ and column.min() < column.max()
        table.add_row(
            name,
            f"{courses[:, number].max():.4g}",
            f"{max(hum_share(column, rate_hz, hz) for hz in MAINS_HZ):.0%}" if spectral else "",
            f"{median_hz(column, rate_hz):.0f}" if spectral else "",
            reasons.get(name, said["usable"]),
        )
    return table
