"""Everything that is wrong with a data folder, at once: `python -m flex data check ROOT`.

    report = check_data(root, graph)
    report.problems        # each with its file and the reason

Records are checked one by one and against each other, recordings are opened, and what the records
or the neighbouring clips promise must be there. `flex.promises` holds that last part.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flex.annotation_checks import SCORE_TOLERANCE
from flex.annotations import ANNOTATIONS_FILE, read_placed
from flex.cameras import find_cameras, read_cameras
from flex.dataset import (
    FRAMES_PER_CLIP,
    SEMG_FOLDER,
    SKELETON_FOLDER,
    Clip,
    find_clips,
    load_skeleton,
)
from flex.files import read_jsonl
from flex.graph import Graph
from flex.media_check import view_problems
from flex.number_table import read_numbers
from flex.problems import InputError, Problem
from flex.promises import broken_promises, has_files
from flex.released_lists import LISTED_PARTS, list_path, read_released_lists
from flex.sample import Annotation
from flex.semg_columns import column_count
from flex.skeleton import spine_length

Track = Callable[[list[Clip]], Iterable[Clip]]
# sEMG is cut at the key frames of the video, so both last equally long; a wrong rate is far off.
_SEMG_LENGTH_TOLERANCE = 0.1


@dataclass(frozen=True)
class DataReport:
    """What a data folder holds, and what is wrong with it."""

    clips: int
    records: int
    subjects: int
    actions: int
    views: tuple[str, ...]
    problems: tuple[Problem, ...]


def check_data(
    root: Path, graph: Graph, *, open_files: bool = True, track: Track = iter
) -> DataReport:
    """Check records, files and split lists under `root`.

    Args:
        root: the data folder.
        graph: what the records are held against.
        open_files: whether recordings are opened; without it only their presence is checked.
        track: wraps the list of clips while their files are opened, for a progress bar.
    """
    problems: list[Problem] = []
    records = list(_records(root, graph, problems))
    clips = find_clips(root, graph, records)
    stated = _stated_clips(root / ANNOTATIONS_FILE)
    if not clips and not stated:
        message = f"holds neither {ANNOTATIONS_FILE} nor clip folders such as A01/001"
        problems.append(Problem(str(root), message))
    problems += _foreign_folders(root, graph)
    problems += broken_promises(root, clips, stated)
    problems += _camera_problems(root, clips)
    for clip in track(clips) if open_files else ():
        problems += _file_problems(clip)
    problems += _listed(root, clips)
    return DataReport(
        clips=len(clips),
        records=len(records),
        subjects=len({record.subject for record in records} - {None}),
        actions=len({clip.action for clip in clips}),
        views=tuple(sorted({view for clip in clips for view in clip.views})),
        problems=tuple(problems),
    )


def _camera_problems(root: Path, clips: Iterable[Clip]) -> Iterator[Problem]:
    for path in sorted({p for clip in clips if (p := find_cameras(root, clip.clip))}):
        try:
            read_cameras(path)
        except InputError as error:
            yield from error.problems


def _records(root: Path, graph: Graph, problems: list[Problem]) -> Iterator[Annotation]:
    path = root / ANNOTATIONS_FILE
    if not path.exists():
        return
    skills: dict[str, str] = {}
    for line, record in read_placed(path, graph, problems.append):
        place = f"{path}:{line}"
        if record.subject is None:
            message = f"{record.clip} has no subject; the split by subject needs one"
            problems.append(Problem(place, message))
        elif record.skill and skills.setdefault(record.subject, record.skill) != record.skill:
            message = f"subject {record.subject} is {record.skill} here"
            problems.append(Problem(place, f"{message} and {skills[record.subject]} before"))
        yield record


def _stated_clips(path: Path) -> frozenset[str]:
    """Return every clip that has a record, valid or not, so that no fault is reported twice."""
    if not path.exists():
        return frozenset()
    try:
        rows = [row for _, row in read_jsonl(path) if isinstance(row, dict)]
    except InputError:  # already reported with the records
        return frozenset()
    return frozenset(str(row.get("clip")) for row in rows)


def _foreign_folders(root: Path, graph: Graph) -> Iterator[Problem]:
    for parent in (root, root / SKELETON_FOLDER, root / SEMG_FOLDER):
        for folder in sorted(parent.glob("A[0-9][0-9]")):
            if folder.is_dir() and folder.name not in graph.actions:
                yield Problem(str(folder), f"the graph has no action {folder.name!r}")


def _file_problems(clip: Clip) -> Iterator[Problem]:
    for path in clip.views.values():
        yield from view_problems(path, FRAMES_PER_CLIP, video_frames=_video_frames(clip))
    if clip.skeleton:
        yield from _skeleton_problems(clip.skeleton)
    if clip.semg:
        yield from _semg_problems(clip, clip.semg)


def _skeleton_problems(path: Path) -> Iterator[Problem]:
    try:
        points = load_skeleton(path)
    except InputError as error:
        yield from error.problems
        return
    if len(points) != FRAMES_PER_CLIP:
        yield Problem(str(path), f"has {len(points)} rows, expected {FRAMES_PER_CLIP}")
    lost = np.flatnonzero(spine_length(points) == 0)
    if len(lost):
        # The header is row 1.
        message = f"the hips and the upper spine are one point in {len(lost)} frames"
        yield Problem(f"{path}, row {lost[0] + 2}", f"{message}; was the person lost?")


def _semg_problems(clip: Clip, path: Path) -> Iterator[Problem]:
    record = clip.annotation
    stated = record.semg if record else None
    columns = len(stated.channels) if stated else column_count(clip.action)
    try:
        samples = len(read_numbers(path, columns=columns, header=False))
    except InputError as error:
        yield from error.problems
        return
    if record and stated and record.duration_s:
        lasts_s = samples / stated.sample_rate_hz
        if abs(lasts_s - record.duration_s) > _SEMG_LENGTH_TOLERANCE * record.duration_s:
            message = f"{samples} samples at {stated.sample_rate_hz:g} Hz last {lasts_s:.2f} s"
            yield Problem(str(path), f"{message}, the clip {record.duration_s:g} s")


def _video_frames(clip: Clip) -> tuple[int, ...]:
    """Return the lengths that a video may have, in frames; none if any will do.

    A video in the place of a frame folder holds its 103 frames; one that a record describes may
    be as long as it says.
    """
    record = clip.annotation
    if record and record.duration_s and record.frame_rate_hz:
        frames = round(record.duration_s * record.frame_rate_hz)
        return (FRAMES_PER_CLIP, frames - 1, frames, frames + 1)
    return () if record and record.views else (FRAMES_PER_CLIP,)


def _listed(root: Path, clips: Iterable[Clip]) -> Iterator[Problem]:
    if not any(list_path(root, part).parent.is_dir() for part in LISTED_PARTS):
        return
    try:
        lists = read_released_lists(root)
    except InputError as error:
        yield from error.problems
        return
    by_id = {clip.clip: clip for clip in clips}
    any_files = any(map(has_files, by_id.values()))
    for part, rows in lists.items():
        place = str(list_path(root, part))
        for row in rows:
            clip = by_id.get(row.clip)
            if clip is None or (any_files and not has_files(clip)):
                yield Problem(place, f"lists {row.clip}, which has no folder")
            elif clip.annotation and clip.annotation.score is not None:
                stated = clip.annotation.score
                if abs(stated - row.score) > SCORE_TOLERANCE + 1e-9:
                    message = f"gives {row.clip} the score {row.score:.2f}, its record {stated}"
                    yield Problem(place, message)
