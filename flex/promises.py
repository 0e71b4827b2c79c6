"""Files that ought to be there: those that a record names, and those that neighbours have.

    list(broken_promises(root, clips, stated))

A folder with part of the actions is fine; a clip that lacks what the other clips of its action
have is not, nor is an action without skeletons where other actions have them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from flex.dataset import SEMG_FOLDER, SKELETON_FOLDER, Clip, semg_path, skeleton_path
from flex.problems import Problem


def broken_promises(
    root: Path, clips: Iterable[Clip], stated: Collection[str]
) -> Iterator[Problem]:
    """Yield what is missing.

    Args:
        root: the data folder.
        clips: all clips, in order of their ids.
        stated: ids of the clips that have a record; empty if there are no records at all.
    """
    clips = list(clips)
    # Labels alone, without any recordings, are a data set too.
    recorded = any(map(has_files, clips))
    for clip in clips:
        if stated and clip.clip not in stated:
            yield Problem(str(root / clip.clip), "has files and no record in annotations.jsonl")
        if recorded and _states_semg(clip) and clip.semg is None:
            message = "is missing; the record states its channels"
            yield Problem(str(semg_path(root, clip.clip)), message)
    in_layout = [clip for clip in clips if clip.clip.partition("/")[0] == clip.action]
    for _, group in groupby(in_layout, key=lambda clip: clip.action):
        yield from _by_neighbours(root, list(group))


def has_files(clip: Clip) -> bool:
    """Say whether anything of a clip was recorded, as far as the folder shows."""
    return bool(clip.views or clip.skeleton or clip.semg)


def _by_neighbours(root: Path, clips: list[Clip]) -> Iterator[Problem]:
    present = [clip for clip in clips if has_files(clip)]
    if not present:
        return
    action = clips[0].action
    for clip in clips:
        if not has_files(clip):
            message = f"is missing; it has a record, and other clips of {action} have files"
            yield Problem(str(root / clip.clip), message)
    in_folder = [clip for clip in present if not (clip.annotation and clip.annotation.views)]
    views = {view for clip in in_folder for view in clip.views}
    for clip in in_folder:
        for view in sorted(views - set(clip.views)):
            message = f"is missing; other clips of {action} have it"
            yield Problem(str(root / clip.clip / view), message)
    without_skeleton = [clip for clip in present if clip.skeleton is None]
    yield from _files(root, SKELETON_FOLDER, skeleton_path, without_skeleton)
    # Where a record states sEMG, its absence has been named already.
    without_semg = [clip for clip in present if clip.semg is None and not _states_semg(clip)]
    yield from _files(root, SEMG_FOLDER, semg_path, without_semg)


def _files(
    root: Path,
    folder: str,
    path_of: Callable[[Path, str], Path],
    lacking: list[Clip],
) -> Iterator[Problem]:
    if not lacking or not (root / folder).is_dir():
        return
    action = lacking[0].action
    if not (root / folder / action).is_dir():
        message = f"is missing; {folder} holds other actions (clips without: {len(lacking)})"
        yield Problem(str(root / folder / action), message)
        return
    for clip in lacking:
        message = f"is missing; {folder} holds other clips of {action}"
        yield Problem(str(path_of(root, clip.clip)), message)


def _states_semg(clip: Clip) -> bool:
    return clip.annotation is not None and clip.annotation.semg is not None
