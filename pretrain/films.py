"""Draws the clips that the base learns from: pictures, body, errors; shard by shard, for ever more.

    draw(Path("runs/base/films"), shards=64, seed=1000)

Every shard is a cohort of its own: 38 people who are in no data set of this project, since its seed
is another. Frames lie where `flex.video.Sampler` takes them. A finished shard is not drawn again.
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from flex import cli
from flex.files import atomic_path
from flex.graph_file import load_graph
from flex.sample import Annotation
from flex.skeleton import INDEX
from sim.cameras import place_camera
from sim.choreography import load_choreography
from sim.clips import simulate
from sim.film import Video, session, shots
from sim.lift import Stage, frame_times, lift
from sim.settings import load_settings
from sim.study import Study

SIZE = 112
FRAMES = 16
GROUPS = FRAMES // 2  # the model joins two frames into one step of time
CLIPS = 250
VIEW = 1
_HIPS = [INDEX["right_hip"], INDEX["left_hip"]]


@dataclass(frozen=True)
class Shard:
    """Clips of one cohort.

    Attributes:
        films: (N, 16, 112, 112, 3) uint8, mapped from disk.
        records: their annotations.
        poses: (N, 8, 21, 3) joints at every step of time, seen from the camera: right, down and
            forward of the middle of the hips, metres.
    """

    films: npt.NDArray[np.uint8]
    records: list[Annotation]
    poses: npt.NDArray[np.float32]


def draw(folder: Path, *, shards: int, seed: int, jobs: int = 1) -> None:
    """Draw shards that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed + n for n in range(shards) if not (folder / f"{seed + n}.npz").exists()]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        done = pool.map(_draw_shard, itertools.repeat(folder), missing)
        list(track(done, "clips to learn from", len(missing), console=cli.err, transient=True))


def shards_in(folder: Path) -> list[Path]:
    """Return the finished shards of a folder."""
    return sorted(folder.glob("*.npz"))


def load_shard(path: Path) -> Shard:
    """Return a shard; its films stay on disk."""
    with np.load(path) as stored:
        records = [Annotation.model_validate_json(line) for line in stored["records"]]
        poses = stored["poses"]
    return Shard(np.load(path.with_suffix(".npy"), mmap_mode="r"), records, poses)


def _draw_shard(folder: Path, seed: int) -> None:
    stage = Stage(Study(load_graph(), load_settings(), seed), load_choreography())
    chosen = np.random.default_rng(seed)
    films = np.empty((CLIPS, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
    poses = np.empty((CLIPS, GROUPS, 21, 3), dtype=np.float32)
    records = list(simulate(stage.study))
    picked = [records[n] for n in chosen.choice(len(records), CLIPS, replace=False)]
    for row, (film, pose) in enumerate(_watch(stage, picked)):
        films[row], poses[row] = film, pose
    with atomic_path(folder / f"{seed}.npy") as path, path.open("wb") as stream:
        np.save(stream, films)
    lines = np.array([record.model_dump_json() for record in picked])
    with atomic_path(folder / f"{seed}.npz") as path, path.open("wb") as stream:
        np.savez(stream, records=lines, poses=poses)


def _watch(
    stage: Stage, records: list[Annotation]
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]]:
    video = Video(size=SIZE)
    for record in records:
        total = video.frames(record)
        index = np.floor((np.arange(FRAMES) + 0.5) * total / FRAMES).astype(int)
        times_s = frame_times(record, total)[index]
        film = np.stack(list(shots(stage, record, video, VIEW, times_s)))
        camera = place_camera(stage.study, VIEW, session(stage, record))
        joints = lift(stage, stage.subject(record), record, times_s[::2]).joints
        hips = joints[:, _HIPS].mean(axis=1, keepdims=True)
        yield film, ((joints - hips) @ camera.axes.T).astype(np.float32)
