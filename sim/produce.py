"""Writes a simulated data set: labels first, then the recordings of every clip, several at once.

    plan = make_plan(stage, root, selection, video)
    plan.bytes                       # about how much it will be
    for clip in produce(plan, jobs=2): ...

An interrupted run goes on where it was: a file that is there is complete. A folder that holds
something else, or a data set made from other numbers, is left alone.
"""

import importlib.metadata
import itertools
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from flex.annotations import ANNOTATIONS_FILE, read_annotations
from flex.dataset import FRAMES_PER_CLIP
from flex.files import hash_text, write_jsonl, write_text
from flex.problems import InputError, Problem
from flex.sample import Annotation
from sim.clips import SOURCE, simulate_selection
from sim.files import write_clip
from sim.film import Video
from sim.lift import Stage
from sim.released import write_lists
from sim.segments import write_segments
from sim.selection import Selection
from sim.signal_settings import load_signals
from sim.write import MARK_FILE, refuse_others

_SKELETON_BYTES = 50_000
_PHYSIOLOGY_BYTES = 1_700
_NUMBER_BYTES = 8
_PIXEL_BYTES = {"mp4": 0.028, "jpeg": 0.14}
_SPARE = 1.1
_ADVICE = "choose another folder, or delete this one"
_AHEAD = 4  # tasks waiting for each process


@dataclass(frozen=True)
class Plan:
    """What a run will write.

    Attributes:
        records: the labels, without views.
        bytes: about how many bytes the recordings take.
    """

    stage: Stage
    root: Path
    records: tuple[Annotation, ...]
    video: Video | None
    bytes: int


def make_plan(stage: Stage, root: Path, selection: Selection, video: Video | None) -> Plan:
    """Work out what there is to write, and refuse what cannot be; nothing is written yet.

    Raises:
        InputError: a selection that holds nothing, a view or size that there is not, a folder
            with something else in it, not enough room on the disk.
    """
    if video is not None:
        require_filmable(video)
    records = tuple(simulate_selection(stage.study, selection))
    if not records:
        raise InputError([Problem("selection", "no trial of these was kept; take more")])
    refuse_others(root)
    before = _mark(root)
    if before.get("recordings"):  # labels alone are cheap, and are written again
        _refuse_another_set(stage, root, records, before)
        video = _added(root, before.get("video"), video)
    plan = Plan(stage, root, records, video, _bytes(records, video))
    room = shutil.disk_usage(_existing(root)).free
    if room < plan.bytes * _SPARE:
        message = f"about {_mib(plan.bytes)} are needed, {_mib(room)} are free"
        raise InputError([Problem(str(root), message)])
    return plan


def require_filmable(video: Video) -> None:
    """Raise an `InputError` for views, a size or a rate that cannot be filmed."""
    from sim.cameras import VIEWS

    problems = [
        Problem("--views", f"there is no camera {view}; expected some of {_listed(VIEWS)}")
        for view in video.views
        if view not in VIEWS
    ]
    if video.size % 2 or not 32 <= video.size <= 2160:
        message = f"expected an even number from 32 to 2160, found {video.size}"
        problems.append(Problem("--size", f"{message}; H.264 needs even sizes"))
    if not 1 <= video.fps <= 240:
        problems.append(Problem("--fps", f"expected 1 to 240, found {video.fps:g}"))
    if problems:
        raise InputError(problems)


def produce(plan: Plan, jobs: int) -> Iterator[str]:
    """Write the data set and yield the id of each clip when its recordings are complete."""
    root, stage = plan.root, plan.stage
    write_text(root / MARK_FILE, json.dumps(provenance(plan), indent=2) + "\n")
    write_jsonl(root / ANNOTATIONS_FILE, (with_views(r, plan.video) for r in plan.records))
    write_lists(root, plan.records, stage.study.seed)
    write_segments(stage, root, plan.records)
    if jobs == 1:
        for record in plan.records:
            write_clip(stage, root, record, plan.video)
            yield record.clip
        return
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(stage,)
    )
    try:
        yield from _in_turn(pool, plan, jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def with_views(record: Annotation, video: Video | None) -> Annotation:
    """Return a record that names its views, and the rate of their frames."""
    if video is None:
        return record
    rate = video.fps
    if video.media == "jpeg":
        rate = round(FRAMES_PER_CLIP / (record.duration_s or 1.0), 4)
    views = {f"View-{view}": video.path(record.clip, view) for view in video.views}
    return record.model_copy(update={"views": views, "frame_rate_hz": rate})


def provenance(plan: Plan) -> dict[str, Any]:
    """Return what a data set was made from."""
    return {
        **recipe(plan.stage),
        "clips": len(plan.records),
        "recordings": True,
        "video": asdict(plan.video) if plan.video else None,
        "flex_coach": importlib.metadata.version("flex-coach"),
        "numpy": np.__version__,
    }


def recipe(stage: Stage) -> dict[str, Any]:
    """Return what decides the content of a clip."""
    study, choreography = stage.study, stage.choreography
    return {
        "source": SOURCE,
        "seed": study.seed,
        "graph": study.graph.version,
        "settings": hash_text(study.settings.model_dump_json()),
        "choreography": hash_text(choreography.model_dump_json()),
        "signals": hash_text(load_signals().model_dump_json()),
    }


def _mark(root: Path) -> dict[str, Any]:
    """Return what the mark of a folder says it was made from."""
    path = root / MARK_FILE
    if not path.exists():
        return {}
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError([Problem(str(path), f"is not JSON: {error}")]) from error
    return before if isinstance(before, dict) else {}


def _refuse_another_set(
    stage: Stage, root: Path, records: tuple[Annotation, ...], before: dict[str, Any]
) -> None:
    for name, now in recipe(stage).items():
        if before.get(name) != now:
            message = f"holds a data set made with another {name} ({before.get(name)}, not {now})"
            raise InputError([Problem(str(root), f"{message}; {_ADVICE}")])
    there = {r.clip for r in read_annotations(root / ANNOTATIONS_FILE, stage.study.graph)}
    if left_out := sorted(there - {record.clip for record in records}):
        message = f"holds {len(left_out)} clips that this leaves out ({left_out[0]}, …)"
        raise InputError([Problem(str(root), f"{message}; {_ADVICE}")])


def _added(root: Path, before: dict[str, Any] | None, video: Video | None) -> Video | None:
    """Return how to film, so that what is filmed already stays and fits what is added."""
    if not before:
        return video
    filmed = Video(**{**before, "views": tuple(before["views"])})
    if video is None:
        return filmed
    wanted = asdict(video)
    changed = [name for name in before if name != "views" and before[name] != wanted[name]]
    if changed:
        message = f"is filmed with another {' and '.join(changed)}"
        raise InputError([Problem(str(root), f"{message}; {_ADVICE}")])
    return replace(video, views=tuple(sorted({*filmed.views, *video.views})))


_stage: Stage | None = None


def _start(stage: Stage) -> None:
    global _stage
    _stage = stage


def _write(root: Path, record: Annotation, video: Video | None) -> str:
    assert _stage is not None
    write_clip(_stage, root, record, video)
    return record.clip


def _in_turn(pool: ProcessPoolExecutor, plan: Plan, jobs: int) -> Iterator[str]:
    left = iter(plan.records)
    running: set[Future[str]] = set()
    while True:
        for record in itertools.islice(left, _AHEAD * jobs - len(running)):
            running.add(pool.submit(_write, plan.root, record, plan.video))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _bytes(records: tuple[Annotation, ...], video: Video | None) -> int:
    total = len(records) * (_SKELETON_BYTES + _PHYSIOLOGY_BYTES)
    for record in records:
        if record.semg:
            samples = (record.duration_s or 0) * record.semg.sample_rate_hz
            total += int(samples * len(record.semg.channels) * _NUMBER_BYTES)
        if video:
            pixels = video.frames(record) * len(video.views) * video.size**2
            total += int(pixels * _PIXEL_BYTES[video.media])
    return total


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


def _listed(items: Any) -> str:
    return ", ".join(map(str, items))
