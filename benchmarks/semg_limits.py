"""What healthy sEMG looks like to the quality flags, and how well one repetition tells a scale.

    python -m benchmarks.semg_limits DATA

DATA is a FLEX data folder, simulated or real. The first table sets the extremes of all channels
beside the limits of `flex.semg_flags`. The second holds scales from somebody's first repetitions
and the typical scale of all others against that person's scale from all repetitions
(`emg.normalise`), as ratios.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emg.normalise import Scales, Trial, calibration_trials
from emg.signal import SignalSettings, muscle_envelopes
from flex import cli
from flex.annotations import ANNOTATIONS_FILE, load_annotations
from flex.dataset import FRAMES_PER_CLIP, SemgSignal, clip_semg, find_clips
from flex.graph_file import load_graph
from flex.number_table import Floats
from flex.semg_flags import (
    HIGHEST_MEDIAN_HZ,
    LARGEST_DROP,
    MAINS_HZ,
    MOST_CLIPPED,
    MOST_HUM,
    clipped_share,
    drop,
    flags,
    hum_share,
    median_hz,
)

app = cli.new_app(__doc__ or "")
LIMITS = {
    "clipped samples": MOST_CLIPPED,
    "hum": MOST_HUM,
    "median frequency (Hz)": HIGHEST_MEDIAN_HZ,
    "sharpest drop": LARGEST_DROP,
}


@app.command()
def main(data: Annotated[Path, typer.Argument(help="Data folder with sEMG.")]) -> None:
    """Print the extremes of the channels beside the limits, and how scales compare."""
    graph = load_graph()
    records = load_annotations(data / ANNOTATIONS_FILE, graph)
    figures: list[list[float]] = []
    trials: list[Trial] = []
    flagged = 0
    for clip in track(find_clips(data, graph, records), "sEMG", console=cli.err, transient=True):
        if clip.semg is None or clip.annotation is None:
            continue
        signal, record = clip_semg(clip, graph), clip.annotation
        figures += [_figures(column, signal) for column in signal.values.T]
        flagged += len({flag.channel for flag in flags(signal.values, signal.sample_rate_hz)})
        seen = muscle_envelopes(signal, FRAMES_PER_CLIP, SignalSettings())
        trials.append(
            Trial(
                clip=clip.clip,
                subject=record.subject,
                action=record.action,
                part="train",
                repetition=record.repetition,
                values=seen.values,
                recorded=seen.recorded,
            )
        )
    out = Console(highlight=False)
    out.print(_limits(np.array(figures), flagged))
    out.print(_scales(trials))


def _figures(values: Floats, signal: SemgSignal) -> list[float]:
    rate_hz = signal.sample_rate_hz
    hum = max(hum_share(values, rate_hz, mains) for mains in MAINS_HZ)
    return [clipped_share(values), hum, median_hz(values, rate_hz), drop(values, rate_hz)[0]]


def _limits(figures: Floats, flagged: int) -> Table:
    title = f"{len(figures)} channels of clips, {flagged} flagged"
    table = Table("figure", "median", "99th percentile", "highest", "limit", title=title)
    for (name, limit), column in zip(LIMITS.items(), figures.T, strict=True):
        shown = [*np.percentile(column, [50, 99, 100]), limit]
        table.add_row(name, *(f"{value:.3g}" for value in shown))
    return table


def _scales(trials: list[Trial]) -> Table:
    everything = Scales.fit(trials)
    first = calibration_trials([replace(trial, part="test") for trial in trials])
    early = Scales.fit([replace(trial, part="train") for trial in first])
    own, typical = [], []
    for subject in everything.subjects:
        others = Scales.fit([trial for trial in trials if trial.subject != subject])
        own.append(early.of(subject) / everything.of(subject))
        typical.append(others.of() / everything.of(subject))
    title = f"Scale over the one of all repetitions, {len(own)} people"
    table = Table("scale", "median", "5–95 %", "RMS of the logarithm", title=title)
    for name, ratios in (("own: first repetitions", own), ("typical: of all others", typical)):
        found = np.concatenate(ratios)
        found = found[np.isfinite(found)]
        low, middle, high = np.percentile(found, [5, 50, 95])
        spread = np.sqrt((np.log(found) ** 2).mean())
        table.add_row(name, f"{middle:.2f}", f"{low:.2f}–{high:.2f}", f"{spread:.2f}")
    return table


if __name__ == "__main__":
    cli.run(app)
