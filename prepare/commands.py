"""What `python -m prepare` does; each docstring is the command's help. No heavy imports."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from engine.options import Jobs, Ray, Retry
from flex import cli
from flex.graph_file import load_graph
from flex.problems import InputError, Problem

if TYPE_CHECKING:
    from prepare.measure import Measured
    from prepare.run import Prepared

console = Console(highlight=False, soft_wrap=True)
_SHOWN = 10
Raw = Annotated[Path, typer.Argument(help="Folder of raw recordings (docs/prepare.md).")]


def prepare_command(
    raw: Raw,
    out: Annotated[Path, typer.Option(help="Data folder to write, in FLEX's own layout.")],
    segments: Annotated[
        Path | None,
        typer.Option(
            help="Table of repetitions.", show_default="RAW/segments.csv, else OUT/segments.csv"
        ),
    ] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Stop once repetitions are proposed, cut nothing.")
    ] = False,
    lines: Annotated[
        int, typer.Option(min=32, help="The most lines of a picture; never more than it has.")
    ] = 540,
    fps: Annotated[
        float | None,
        typer.Option(min=1, help="The most frames a second.", show_default="all there are"),
    ] = None,
    crf: Annotated[
        int, typer.Option(min=0, max=51, help="Quality of H.264, lower is better.")
    ] = 22,
    form: Annotated[
        Literal["both", "mp4", "jpeg"],
        typer.Option(help="A video at true times, the 103 frames of the layout, or both."),
    ] = "both",
    blur_faces: Annotated[
        bool,
        typer.Option("--blur-faces", help="Hide heads; every recording needs its calibration."),
    ] = False,
    jobs: Jobs = None,
    ray: Ray = None,
    retry: Retry = False,
) -> None:
    """Cut raw recordings of whole sets into clips of the data folder.

    Each camera is aligned with the skeleton, unless recording.yaml says when it started. Where no
    table says when repetitions and phases begin, they are proposed from the skeleton and written
    to OUT/segments.csv: correct it and run the same command again. What cannot be used goes to a
    quarantine list with all reasons, and a run that was stopped goes on where it was.

        python -m flex prepare RAW --out data/mine --propose

        python -m flex prepare RAW --out data/mine --fps 30 --blur-faces

        python -m flex data check data/mine
    """
    from engine.where import Engine
    from prepare.cut import CutSettings
    from prepare.run import Options, prepare

    where = Engine(jobs=jobs, ray=ray, retry=retry)
    settings = CutSettings(lines=lines, crf=crf, fps=fps, form=form, blur_faces=blur_faces)
    done = prepare(raw, out, load_graph(), Options(settings, segments, propose), where)
    _say(done, out, propose)


def measure_command(
    raw: Raw,
    truth: Annotated[
        Path | None, typer.Option(help="Table of true times.", show_default="RAW/truth.csv")
    ] = None,
) -> None:
    """Hold proposed repetitions and phases against a table of true times.

    python -m sim raw --out data/raw-skeletons --subjects 6 --seed 2

    python -m prepare measure data/raw-skeletons
    """
    from rich.progress import track

    from prepare.measure import Measured, measure
    from prepare.movements import load_movements
    from prepare.recording import read_recordings
    from prepare.table import read_segments

    recordings = read_recordings(raw, load_graph())
    rates_hz = {recording.name: recording.card.skeleton.rate_hz for recording in recordings}
    table = truth or raw / "truth.csv"
    rows = read_segments(table, rates_hz)
    watched = track(recordings, "sets", console=cli.err, transient=True)
    measured = Measured(tuple(measure(watched, rows, load_movements())))
    if not measured.sets:
        raise InputError([Problem(str(table), "names no recording that is there")])
    if any(recording.card.source == "simulated" for recording in recordings):
        console.print("Simulated sets.")
    _show(measured)


def _say(done: "Prepared", out: Path, propose: bool) -> None:
    if done.proposed:
        console.print(f"Repetitions were proposed: look at {done.proposed}, correct it, run again.")
    if not propose:
        console.print(
            f"{done.clips} clips from {done.recordings} recordings in {out}, "
            f"{done.made} of them made now, {done.labelled} labelled; {out}/prepare/report.md"
        )
    _list_quarantined(done.quarantined)


def _list_quarantined(rows: Iterable[Any]) -> None:
    rows = list(rows)
    for row in rows[:_SHOWN]:
        cli.err.print(f"[yellow]quarantine[/] {row.key}", end=": ", markup=True)
        cli.err.print(row.reason, markup=False)
    if len(rows) > _SHOWN:
        cli.err.print(f"… and {len(rows) - _SHOWN} more")


def _show(measured: "Measured") -> None:
    import numpy as np

    from prepare.measure import BOUNDARIES

    sets = measured.sets
    exact = sum(one.found == one.true for one in sets)
    console.print(
        f"Repetitions counted exactly in {exact} of {len(sets)} sets ({exact / len(sets):.1%})"
    )
    for one in sets:
        if one.found != one.true:
            console.print(f"  {one.recording}: {one.found} proposed, {one.true} true")
    sizes = np.abs(measured.errors_s) * 1000
    if not len(sizes):
        return
    console.print(f"Boundaries: median error {np.median(sizes):.0f} ms over all")
    table = Table("boundary", "median error (ms)", "90 % within (ms)", "median early or late (ms)")
    for name, column, way in zip(BOUNDARIES, sizes.T, measured.errors_s.T, strict=True):
        late = f"{np.median(way) * 1000:+.0f}"
        table.add_row(name, f"{np.median(column):.0f}", f"{np.percentile(column, 90):.0f}", late)
    console.print(table)
