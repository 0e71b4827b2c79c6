"""Does simulated sEMG look like real sEMG? One figure, and the median frequencies.

    python -m benchmarks.semg_figure --real markers_analogs.c3d

The real file is a C3D recording of a moving arm with surface sensors, whose analog channels carry
muscle names (`Delt_med`, `Biceps`, …); it is not ours to pass on. Beside it stand first repetitions
of simulated people in actions that use the same muscles. People, task and strength of the effort
differ, so shapes are to be compared and not sizes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from scipy.signal import welch

from flex import cli
from flex.graph_file import load_graph
from flex.problems import InputError, Problem
from flex.semg import envelope
from flex.semg_c3d import read_c3d
from sim.bodies import build_body
from sim.choreography import load_choreography
from sim.clips import simulate
from sim.lift import Stage, lift
from sim.semg import simulate_semg
from sim.settings import load_settings
from sim.study import Floats, Study

app = cli.new_app(__doc__ or "")
OUT = Path("docs/semg.png")
# Muscle → the start of the real channel's name, and the action in which it is simulated.
MUSCLES = {
    "anterior deltoid": ("Delt_ant", "A04"),
    "medial deltoid": ("Delt_med", "A06"),
    "posterior deltoid": ("Delt_post", "A07"),
    "biceps brachii": ("Biceps", "A02"),
    "triceps brachii": ("Triceps", "A20"),
}
SHOWN = "medial deltoid"
PEOPLE = 12
BAND_HZ = (20.0, 450.0)
REAL, SIMULATED = "#0072B2", "#D55E00"  # Okabe and Ito


@dataclass(frozen=True)
class Recorded:
    """Raw sEMG of one muscle: (samples,) in mV."""

    values: Floats
    rate_hz: float


@app.command()
def main(
    real: Annotated[Path, typer.Option(help="C3D file with surface sEMG in its analog channels.")],
    out: Annotated[Path, typer.Option(help="Where the figure goes.")] = OUT,
) -> None:
    """Draw simulated sEMG beside real sEMG and print the median frequencies."""
    measured = real_muscles(real)
    made = {muscle: simulated(muscle) for muscle in MUSCLES}
    table = Table("muscle", "real Hz", "simulated Hz", "difference", title="Median frequency")
    for muscle, recorded in measured.items():
        ours = float(np.mean([median_hz(one) for one in made[muscle]]))
        truth = median_hz(recorded)
        table.add_row(muscle, f"{truth:.0f}", f"{ours:.0f}", f"{ours / truth - 1:+.0%}")
    Console().print(table)
    draw(measured, made, out)
    Console().print(f"written: {out}")


def real_muscles(path: Path) -> Mapping[str, Recorded]:
    """Return muscle → what a C3D file holds of it, in mV.

    Raises:
        InputError: the file cannot be read, or a muscle is missing.
    """
    signal = read_c3d(path)
    found, problems = {}, []
    for muscle, (start, _) in MUSCLES.items():
        columns = [n for n, name in enumerate(signal.channels) if name.startswith(start)]
        if not columns:
            problems.append(Problem(str(path), f"no channel {start}… in volts"))
            continue
        found[muscle] = Recorded(signal.values[:, columns[0]], signal.sample_rate_hz)
    if problems:
        raise InputError(problems)
    return found


def simulated(muscle: str) -> list[Recorded]:
    """Return the left muscle of some people, each the first repetitions that were kept."""
    study = Study(load_graph(), load_settings(), seed=0)
    stage, action = Stage(study, load_choreography()), MUSCLES[muscle][1]
    sets: dict[str | None, list[Floats]] = {}
    for record in simulate(study):
        early = sets.setdefault(record.subject, []) if record.action == action else []
        full = len(sets) > PEOPLE or len(early) == 3
        if record.action != action or full or record.semg is None or record.duration_s is None:
            continue
        subject = stage.subject(record)
        motion = lift(stage, subject, record, np.arange(0, record.duration_s, 1 / 60))
        values = simulate_semg(study, subject, build_body(study, subject), record, motion)
        early.append(values[:, record.semg.channels.index(f"left {muscle}")])
    rate_hz = study.settings.recording.semg_sample_rate_hz
    return [Recorded(np.concatenate(early), rate_hz) for early in sets.values() if early]


def spectrum(recorded: Recorded) -> tuple[Floats, Floats]:
    """Return frequencies in Hz and Welch's power density at an area of 1 in the band."""
    values = recorded.values - recorded.values.mean()
    hertz, power = welch(values, fs=recorded.rate_hz, nperseg=1024)
    inside = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    return hertz, power / (power[inside].sum() * hertz[1])


def median_hz(recorded: Recorded) -> float:
    """Return the frequency that halves the power between 20 and 450 Hz."""
    hertz, power = spectrum(recorded)
    inside = (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])
    summed = np.cumsum(power[inside])
    return float(np.interp(summed[-1] / 2, summed, hertz[inside]))


def standard(recorded: Recorded) -> Floats:
    """Return the signal over its own envelope, where the muscle is active: no unit."""
    size = envelope(recorded.values, recorded.rate_hz)
    return np.asarray((recorded.values / size)[size > 0.4 * size.max()])


def draw(measured: Mapping[str, Recorded], made: Mapping[str, list[Recorded]], path: Path) -> None:
    """Write the figure."""
    import matplotlib.pyplot as plt

    style: dict[Any, Any] = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with plt.rc_context(style):
        figure = plt.figure(figsize=(10.5, 6.4), layout="constrained")
        grid = figure.add_gridspec(2, 6)
        most = 1.05 * max(np.abs(one.values).max() for one in (measured[SHOWN], made[SHOWN][0]))
        for place, one, name, colour in (
            (grid[0, :3], measured[SHOWN], "real", REAL),
            (grid[0, 3:], made[SHOWN][0], "simulated", SIMULATED),
        ):
            _draw_trace(figure.add_subplot(place), one, name, colour, most)
        _draw_spectrum(figure.add_subplot(grid[1, :2]), measured[SHOWN], made[SHOWN])
        _draw_amplitudes(figure.add_subplot(grid[1, 2:4]), measured[SHOWN], made[SHOWN])
        _draw_medians(figure.add_subplot(grid[1, 4:]), measured, made)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)
        plt.close(figure)


def _draw_trace(axes: Any, one: Recorded, name: str, colour: str, most: float) -> None:
    times_s = np.arange(len(one.values)) / one.rate_hz
    axes.plot(times_s, one.values, color=colour, linewidth=0.4, alpha=0.6, label="raw")
    size = envelope(one.values, one.rate_hz)
    axes.plot(times_s, size, color="black", linewidth=1.4, label="envelope, 20–450 Hz, RMS")
    task = "an arm movement" if name == "real" else "three lateral raises in turn"
    axes.set(title=f"{name}: {SHOWN}, {task}", xlabel="time (s)", ylabel="sEMG (mV)")
    axes.set_ylim(-most, most)
    axes.legend(loc="lower right", frameon=False, fontsize=8)


def _draw_spectrum(axes: Any, real: Recorded, ours: list[Recorded]) -> None:
    hertz, power = spectrum(real)
    axes.plot(hertz, power, color=REAL, label="real")
    mean = np.mean([spectrum(one)[1] for one in ours], axis=0)
    axes.plot(hertz, mean, color=SIMULATED, linestyle="--", label=f"simulated, {len(ours)} people")
    axes.set(title=f"Spectrum (Welch), {SHOWN}", xlabel="frequency (Hz)", xlim=(0, 450))
    axes.set_ylabel("share of power (1/Hz)")
    axes.legend(frameon=False)


def _draw_amplitudes(axes: Any, real: Recorded, ours: list[Recorded]) -> None:
    bins = np.linspace(-5, 5, 61)
    middle = (bins[1:] + bins[:-1]) / 2
    pooled = np.concatenate([standard(one) for one in ours])
    for values, colour, line, name in (
        (standard(real), REAL, "-", "real"),
        (pooled, SIMULATED, "--", "simulated"),
    ):
        share = np.histogram(values, bins, density=True)[0]
        axes.semilogy(
            middle, np.where(share > 0, share, np.nan), color=colour, linestyle=line, label=name
        )
    normal = np.exp(-(middle**2) / 2) / np.sqrt(2 * np.pi)
    axes.semilogy(middle, normal, color="gray", linestyle=":", label="normal")
    axes.set(title="Amplitude in bursts", xlabel="sEMG over its envelope", ylabel="density")
    axes.set_ylim(1e-4, 1)
    axes.legend(frameon=False, fontsize=8)


def _draw_medians(
    axes: Any, measured: Mapping[str, Recorded], made: Mapping[str, list[Recorded]]
) -> None:
    for row, (muscle, real) in enumerate(measured.items()):
        people = [median_hz(one) for one in made[muscle]]
        named = row == 0
        axes.plot(
            people, [row + 0.12] * len(people), "|", color=SIMULATED, markersize=9,
            label="simulated, each person" if named else None,
        )  # fmt: skip
        axes.plot(
            np.mean(people), row + 0.12, "D", color=SIMULATED,
            label="simulated, mean" if named else None,
        )  # fmt: skip
        axes.plot(median_hz(real), row - 0.12, "o", color=REAL, label="real" if named else None)
    axes.set_yticks(range(len(measured)), [name.replace(" ", "\n") for name in measured])
    axes.set(title="Median frequency", xlabel="Hz", xlim=(40, 130))
    axes.set_ylim(len(measured) + 1.2, -0.5)  # room for the legend
    axes.legend(frameon=False, fontsize=8, loc="lower right")


if __name__ == "__main__":
    cli.run(app)
