"""The authors' folder layout, read as it is: clips with their views, skeletons and sEMG.

for clip in find_clips(root, graph, records):
    points = load_skeleton(clip.skeleton)          # (103, 21, 3)
    semg = clip_semg(clip, graph)                  # values, channel names, sample rate

ROOT/A01/001/View-1/img_00001.JPG … img_00103.JPG  (or ROOT/A01/001/View-1.mp4)
ROOT/Skeleton/A01/001/skeleton_points.csv
ROOT/EMG/A01/001/EMG.csv
ROOT/annotations.jsonl                             ours; what the clips are labelled with
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flex.graph import Graph
from flex.number_table import Floats, read_numbers
from flex.problems import InputError, Problem
from flex.sample import Annotation, Semg
from flex.semg_columns import channel_names
from flex.skeleton import JOINTS

FRAMES_PER_CLIP = 103
SKELETON_FOLDER = "Skeleton"
SEMG_FOLDER = "EMG"
_JPEG_ENDINGS = (".jpg", ".jpeg")
_VIDEO_ENDINGS = (".mp4",)


@dataclass(frozen=True)
class Clip:
    """One clip: what is known of it and where its files lie.

    Attributes:
        clip: `A01/001`, or the record's own id.
        action: id of the action.
        views: view name → folder of JPEG frames or video file.
        skeleton: the joint positions, or `None` where there is no such file.
        semg: the sEMG, or `None` where there is no such file.
        annotation: the record, or `None` for a clip without one.
    """

    clip: str
    action: str
    views: Mapping[str, Path]
    skeleton: Path | None = None
    semg: Path | None = None
    annotation: Annotation | None = None


@dataclass(frozen=True)
class SemgSignal:
    """sEMG of one clip.

    Attributes:
        values: (samples, channels) float, in the unit of the file.
        channels: a name for every column of `values`.
        sample_rate_hz: stated by the record or the caller, never guessed.
    """

    values: Floats
    channels: tuple[str, ...]
    sample_rate_hz: float


def find_clips(root: Path, graph: Graph, records: Iterable[Annotation] = ()) -> list[Clip]:
    """Return every clip that has a record or files under `root`, sorted by id.

    Views come from the record where it names them, else from the clip's folder; a view that is
    there both as frames and as a video is read as frames.
    """
    by_id = {record.clip: record for record in records}
    on_disk = {
        f"{action}/{folder.name}"
        for action in graph.actions
        for parent in (root, root / SKELETON_FOLDER, root / SEMG_FOLDER)
        for folder in subfolders(parent / action)
    }
    return [_clip(root, name, by_id.get(name)) for name in sorted(on_disk | set(by_id))]


def skeleton_path(root: Path, clip: str) -> Path:
    """Return where the layout keeps the skeleton of a clip."""
    return root / SKELETON_FOLDER / clip / "skeleton_points.csv"


def semg_path(root: Path, clip: str) -> Path:
    """Return where the layout keeps the sEMG of a clip."""
    return root / SEMG_FOLDER / clip / "EMG.csv"


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; none if it is not there."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    return [folder / name for name in sorted(names)]


def frame_files(folder: Path) -> list[Path]:
    """Return the JPEG frames in a folder, in order of their names."""
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if e.name.lower().endswith(_JPEG_ENDINGS)]
    return [folder / name for name in sorted(names)]


def load_skeleton(path: Path) -> Floats:
    """Return the joint positions: (T, 21, 3) float; a header row, then 63 columns.

    Raises:
        InputError: every cell and row that is not as it should be.
    """
    return read_numbers(path, columns=len(JOINTS) * 3, header=True).reshape(-1, len(JOINTS), 3)


def load_semg(path: Path, channels: tuple[str, ...], sample_rate_hz: float) -> SemgSignal:
    """Return the sEMG in a file without a header, one column per channel.

    Raises:
        InputError: every cell and row that is not as it should be.
    """
    values = read_numbers(path, columns=len(channels), header=False)
    return SemgSignal(values, channels, sample_rate_hz)


def clip_semg(clip: Clip, graph: Graph, sample_rate_hz: float | None = None) -> SemgSignal:
    """Return a clip's sEMG; its record names channels and rate, else the released order holds.

    Args:
        clip: a clip with an sEMG file.
        graph: says which muscles were recorded.
        sample_rate_hz: the rate of a file whose record does not state it.

    Raises:
        InputError: no file, an unreadable one, or a rate that nobody states.
    """
    if clip.semg is None:
        raise InputError([Problem(clip.clip, "has no sEMG file")])
    stated = clip.annotation.semg if clip.annotation else None
    if stated is None and sample_rate_hz is None:
        message = "the sample rate is not known: state it in the record (semg) or pass it"
        raise InputError([Problem(str(clip.semg), message)])
    if stated is None and sample_rate_hz is not None:
        stated = Semg(sample_rate_hz=sample_rate_hz, channels=channel_names(graph, clip.action))
    assert stated is not None
    return load_semg(clip.semg, stated.channels, stated.sample_rate_hz)


def _clip(root: Path, name: str, record: Annotation | None) -> Clip:
    skeleton, semg = skeleton_path(root, name), semg_path(root, name)
    return Clip(
        clip=name,
        action=record.action if record else name.partition("/")[0],
        views=view_paths(root, name, record),
        skeleton=skeleton if skeleton.exists() else None,
        semg=semg if semg.exists() else None,
        annotation=record,
    )


def view_paths(root: Path, name: str, record: Annotation | None) -> dict[str, Path]:
    """Return view name → path: those that the record names, else those in the clip's folder."""
    if record and record.views:
        return {view: root / path for view, path in record.views.items()}
    folder = root / name
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        found = sorted((e.is_dir(), e.name) for e in entries if not e.name.startswith("."))
    # Folders sort last, so that frames win over a video of the same view.
    return {
        Path(entry).stem if not is_folder else entry: folder / entry
        for is_folder, entry in found
        if is_folder or entry.lower().endswith(_VIDEO_ENDINGS)
    }
