"""`python -m sim`: a simulated FLEX data set.

python -m sim --out data/flex-sim                    # skeletons, sEMG, breathing, video
python -m sim labels --out data/flex --size full     # labels only, 7,512 clips as FLEX has
python -m sim raw --out data/raw --subjects 1        # whole sets, uncut, for `flex prepare`
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import track

from flex import cli
from flex.graph_file import GRAPH_FILE, load_graph
from flex.problems import InputError, Problem
from flex.processors import processors
from flex.sample import Annotation
from sim.choreography import load_choreography
from sim.film import Media, Video
from sim.lift import Stage
from sim.options import actions_of, views_of
from sim.presets import PRESETS, PresetName
from sim.produce import make_plan, produce
from sim.raw_command import raw
from sim.selection import Selection
from sim.settings import SETTINGS_FILE, load_settings
from sim.sheets import first_places, write_sheets
from sim.study import Study
from sim.summary import Tally, report
from sim.trials import kept_count
from sim.write import write_labels

HELP = """FLEX-Sim: writes a simulated data set in FLEX's layout.

Nobody lifted anything for it; every record says `"source": "simulated"`. The options change
what the preset says. The same seed gives the same labels, skeletons and sEMG; a larger data
set contains the smaller one; an interrupted run goes on where it was, and one with more people,
actions, repetitions or views adds to what is there.

    python -m sim --out data/flex-sim

    python -m sim --out data/squats --subjects 6 --actions A16 --reps 10 --views 1,2,5 --fps 60
"""
app = cli.new_app(HELP)


@app.callback(invoke_without_command=True, no_args_is_help=True)
def record(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write. It must not hold other data.")
    ] = None,
    preset: Annotated[
        PresetName,
        typer.Option(help="tiny: 3 people, 3 actions. default: 20 people. study: all, as FLEX."),
    ] = "default",
    subjects: Annotated[int | None, typer.Option(help="How many people, 1 to 38.")] = None,
    actions: Annotated[
        str | None, typer.Option(help="all, or ids or names such as A01,squat.")
    ] = None,
    reps: Annotated[int | None, typer.Option(help="Repetitions of each, 1 to 10.")] = None,
    views: Annotated[
        str | None,
        typer.Option(help="Cameras such as 1,2 (1 to 4: corners, 5: phone); none: no video."),
    ] = None,
    size: Annotated[int, typer.Option(help="Width and height of the video, even.")] = 224,
    fps: Annotated[float, typer.Option(help="Frames a second of the video.")] = 30,
    media: Annotated[
        Media, typer.Option(help="jpeg: 103 frames a clip, as the authors' loader wants them.")
    ] = "mp4",
    plain: Annotated[
        bool, typer.Option("--plain", help="The same clothes and a bare room for everybody.")
    ] = False,
    jobs: Annotated[str, typer.Option(help="Processes: a number, or auto.")] = "auto",
    seed: Annotated[int, typer.Option(help="Another seed gives other people and errors.")] = 0,
) -> None:
    """Write labels, recordings and video, unless another command is named."""
    if context.invoked_subcommand:
        return
    if out is None:
        raise InputError([Problem("--out", "name the folder to write")])
    chosen = PRESETS[preset]
    selection = Selection(
        subjects=chosen.subjects if subjects is None else subjects,
        repetitions=chosen.repetitions if reps is None else reps,
        actions=chosen.actions if actions is None else actions_of(actions),
    )
    numbers = chosen.views if views is None else views_of(views)
    video = Video(numbers, size, fps, media, plain) if numbers else None
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    plan = make_plan(stage, out, selection, video)
    workers = processors() if jobs == "auto" else _count(jobs)
    tally = Tally()
    list(tally.counting(plan.records))
    filmed = f"video of views {', '.join(map(str, numbers))}" if video else "no video"
    cli.err.print(
        f"{len(plan.records):,} clips, {filmed}: about {plan.bytes / 2**20:,.0f} MiB, "
        f"{workers} processes"
    )
    written, total = produce(plan, workers), len(plan.records)
    for _ in track(written, "clips", total, console=cli.err, transient=True):
        pass
    console = Console(highlight=False)
    console.print(report(tally))
    console.print(f"Wrote {len(plan.records):,} simulated clips to {out}", soft_wrap=True)


app.command("raw")(raw)


@app.command()
def sheets(
    out: Annotated[Path, typer.Option(help="Folder for the pictures and their page.")],
    seed: Annotated[int, typer.Option(help="Another seed shows other people.")] = 0,
) -> None:
    """Draw a contact sheet of every action, and right beside faulty for every error type."""
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    total = len(stage.study.graph.actions) + len(first_places(stage))
    for _ in track(write_sheets(stage, out), "pictures", total, console=cli.err, transient=True):
        pass
    typer.echo(f"wrote {out / 'README.md'}")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise InputError([Problem("--jobs", f"expected 1 or more, or auto, found {text!r}")])
    return int(text)


@app.command()
def labels(
    out: Annotated[Path, typer.Option(help="Folder to write. It must not hold other data.")],
    size: Annotated[
        Literal["small", "full"],
        typer.Option(help="small: 400 clips of all actions and subjects. full: all 7,512."),
    ] = "small",
    clips: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Any other number. Beyond 7,512 further groups of 38 people join: P01.2, …",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other people and errors.")] = 0,
    votes: Annotated[
        bool, typer.Option("--votes", help="Also write the votes of annotators and reviewers.")
    ] = False,
    graph: Annotated[
        Path, typer.Option(help="Knowledge graph file.", show_default="FLEX's")
    ] = GRAPH_FILE,
    settings: Annotated[
        Path,
        typer.Option(
            help="The numbers of the simulation: a changed copy of sim/labels.yaml.",
            show_default="sim/labels.yaml",
        ),
    ] = SETTINGS_FILE,
) -> None:
    """Write labels only: who lifts what, which errors show, the phases and the score.

    Novices make more errors than amateurs and experts, people repeat their errors from one
    repetition to the next, and make more as they tire. The mean score is that of FLEX. The same
    seed gives the same bytes, and a smaller data set is a part of a larger one.

        python -m sim labels --out data/sample

        python -m sim labels --out data/flex --size full --votes
    """
    study = Study(load_graph(graph), load_settings(settings), seed)
    whole = kept_count(study)
    wanted = clips or (whole if size == "full" else min(whole, study.settings.trials.small))

    def watch(records: Iterable[Annotation], what: str) -> Iterable[Annotation]:
        return track(records, what, total=wanted, console=cli.err, transient=True)

    tally = write_labels(study, out, wanted, votes=votes, watch=watch)
    console = Console(highlight=False)
    console.print(report(tally))
    console.print(f"Wrote {wanted:,} simulated clips to {out}", soft_wrap=True)


if __name__ == "__main__":
    cli.run(app)
