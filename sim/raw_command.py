"""`python -m sim raw`: whole sets, uncut."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from flex import cli
from flex.graph_file import load_graph
from flex.problems import InputError, Problem
from flex.sample import Annotation
from sim.choreography import load_choreography
from sim.clips import simulate_selection
from sim.film import Video
from sim.lift import Stage
from sim.options import actions_of, views_of
from sim.produce import require_filmable
from sim.raw import make_take
from sim.raw_files import RawTake, write_lists, write_take
from sim.selection import Selection
from sim.settings import load_settings
from sim.study import Study


def raw(
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    subjects: Annotated[int, typer.Option(help="How many people, 1 to 38.")] = 2,
    actions: Annotated[str, typer.Option(help="all, or ids or names such as A01,squat.")] = "all",
    reps: Annotated[int, typer.Option(help="Repetitions of each set, 1 to 10.")] = 10,
    views: Annotated[str, typer.Option(help="Cameras such as 1,5; none: no video.")] = "none",
    size: Annotated[int, typer.Option(help="Width and height of the video, even.")] = 224,
    fps: Annotated[float, typer.Option(help="Frames a second of the video.")] = 30,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed gives other people and errors.")] = 0,
) -> None:
    """Write whole sets as recorded, for `python -m flex prepare`: rests, and cameras out of step.

        python -m sim raw --out data/raw --subjects 1 --actions A16 --views 1,5

        python -m sim raw --out data/raw-skeletons --subjects 4

    Beside the recordings lie the truth of when repetitions and phases begin (truth.csv), when
    each camera started (offsets.csv), and the labels. What is there already is kept.
    """
    if (out / "annotations.jsonl").exists() and not (out / "truth.csv").exists():
        raise InputError([Problem(str(out), "holds records that no simulation wrote")])
    numbers = views_of(views)
    video = Video(numbers, size, fps) if numbers else None
    if video:
        require_filmable(video)
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    takes = list(_takes(stage, Selection(subjects, reps, actions_of(actions)), video))
    write_lists(stage, out, takes)
    work = partial(write_take, stage, out)
    if jobs == 1:
        _count(map(work, takes), len(takes))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        _count(pool.map(work, takes), len(takes))


def _takes(stage: Stage, selection: Selection, video: Video | None) -> Iterator[RawTake]:
    sets: dict[tuple[str, str], list[Annotation]] = {}
    for record in simulate_selection(stage.study, selection):
        sets.setdefault((record.subject or "", record.action), []).append(record)
    for records in sets.values():
        yield RawTake(make_take(stage, records), video)


def _count(written: Iterator[str], total: int) -> None:
    for _ in track(written, "recordings", total, console=cli.err, transient=True):
        pass
