"""Which clips of different parts are the same bytes: a copied video, a clip under two ids.

Views, skeletons and sEMG are compared. Only those whose files have the same sizes are hashed, so a
clean data set costs a directory listing and not a reading of everything.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flex.dataset import frame_files, semg_path, skeleton_path, view_paths
from flex.files import hash_file
from flex.problems import Problem
from flex.sample import Annotation

Sizes = tuple[int, ...]


def shared_recordings(
    root: Path, records: Iterable[Annotation], parts: Mapping[str, str]
) -> list[Problem]:
    """Return a problem for each pair of clips in different parts that share bytes."""
    by_sizes: dict[Sizes, list[tuple[str, Path]]] = {}
    by_id = {record.clip: record for record in records}
    for clip in sorted(parts):
        for path in _recordings(root, clip, by_id.get(clip)):
            by_sizes.setdefault(_sizes(path), []).append((clip, path))
    groups = (found for sizes, found in by_sizes.items() if sum(sizes))
    return [problem for found in groups for problem in _same(found, parts)]


def hash_recording(path: Path) -> str:
    """Return the SHA-256 of a file, or of all the frames in a folder in order."""
    if path.is_file():
        return hash_file(path)
    return hashlib.sha256("".join(map(hash_file, frame_files(path))).encode()).hexdigest()


def _recordings(root: Path, clip: str, record: Annotation | None) -> list[Path]:
    paths = [*view_paths(root, clip, record).values()]
    paths += [skeleton_path(root, clip), semg_path(root, clip)]
    return [path for path in paths if path.exists()]


def _same(found: list[tuple[str, Path]], parts: Mapping[str, str]) -> Iterator[Problem]:
    if len({parts[clip] for clip, _ in found}) < 2:
        return
    first: dict[str, tuple[str, Path]] = {}
    for clip, path in found:
        other, other_path = first.setdefault(hash_recording(path), (clip, path))
        if parts[other] != parts[clip]:
            message = f"in {parts[clip]} has the same bytes as {other_path} in {parts[other]}"
            yield Problem(str(path), message)


def _sizes(path: Path) -> Sizes:
    files = frame_files(path) if path.is_dir() else [path]
    return tuple(file.stat().st_size for file in files)
