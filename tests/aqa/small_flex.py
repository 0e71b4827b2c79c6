"""A data folder in FLEX's layout that is made in a second: two actions, six people, two views."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from aqa.recipe import Recipe
from flex.annotations import write_annotations
from flex.dataset import semg_path, skeleton_path
from flex.graph import Graph
from flex.sample import Annotation, ErrorLabel, Semg
from flex.semg_columns import channel_names
from flex.skeleton import JOINTS

ACTIONS = ("A01", "A16")
SUBJECTS = ("P01", "P02", "A01", "N01", "N02", "N03")
FRAMES = 16
SIDE = 32


def build(root: Path, graph: Graph, *, repetitions: int = 2) -> list[Annotation]:
    """Write clips whose errors show: the picture is brighter, the arms are lower."""
    random = np.random.default_rng(0)
    records = []
    for action in ACTIONS:
        number = 0
        for subject in SUBJECTS:
            for repetition in range(1, repetitions + 1):
                number += 1
                clip = f"{action}/{number:03d}"
                records.append(_clip(root, graph, clip, action, subject, repetition, random))
    write_annotations(root / "annotations.jsonl", records)
    return records


def recipe(cache: Path, **settings: Any) -> Recipe:
    """Return a recipe that trains on it in seconds."""
    return Recipe.model_validate(
        {
            "backbone": "small_cnn",
            "frames": FRAMES,
            "starts": (0,),
            "size": SIDE,
            "pose_frames": FRAMES,
            "hidden": 16,
            "depth": 3,
            "epochs": 2,
            "batch": 4,
            "backbone_epochs": 1,
            "backbone_batch": 8,
            "validate_every": 1,
            "save_every": 1,
            "workers": 1,
            "cache": cache,
            **settings,
        }
    )


def change(root: Path, clip: str, **fields: Any) -> None:
    """Change fields of one record."""
    path = root / "annotations.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["clip"] == clip:
            row.update(fields)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def release(root: Path, records: list[Annotation]) -> list[str]:
    """Put the authors' lists in place of the annotations; return the clips to train on."""
    (root / "annotations.jsonl").unlink()
    (root / "Split_4").mkdir()
    for part, some in (("train", records[::2]), ("test", records[1::2])):
        rows = [(int(r.action[1:]), int(r.clip[4:]), r.score) for r in some]
        path = root / "Split_4" / f"split_4_{part}_list.mat"
        scipy.io.savemat(path, {f"consolidated_{part}_list": np.array(rows, dtype=float)})
    return [record.clip for record in records[::2]]


def skeleton(random: np.random.Generator, drop: float = 0.0) -> NDArray[np.float64]:
    """Return a body that stands along the axes: (FRAMES, 21, 3)."""
    body = np.zeros((len(JOINTS), 3))
    for index, name in enumerate(JOINTS):
        side = {"left": 0.3, "right": -0.3}.get(name.split("_")[0], 0.0)
        body[index] = (0.1 * (index % 3), side, 2.0 - 0.08 * index)
    points = body + random.normal(0, 0.02, (FRAMES, len(JOINTS), 3))
    points[:, 4:7, 2] -= drop
    return points


def _clip(
    root: Path,
    graph: Graph,
    clip: str,
    action: str,
    subject: str,
    repetition: int,
    random: np.random.Generator,
) -> Annotation:
    every = graph.occurrences(action)
    errors = [
        every[n] for n in np.flatnonzero(random.random(len(every)) < random.uniform(0.1, 0.5))
    ]
    share = len(errors) / len(every)
    for view in ("View-1", "View-2"):
        shade = int(40 + 200 * share)
        frames = random.integers(shade // 2, shade, (FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
        write_video(root / clip / f"{view}.mp4", frames)
    table = skeleton(random, share).reshape(FRAMES, -1)
    names = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
    write_table(skeleton_path(root, clip), table, names)
    channels = channel_names(graph, action)
    write_table(semg_path(root, clip), random.normal(0, 0.1, (700, len(channels))))
    return Annotation(
        clip=clip,
        action=action,
        subject=subject,
        skill="expert" if subject.startswith("P") else "novice",
        repetition=repetition,
        errors=tuple(ErrorLabel(key_step=o.key_step, error_type=o.error_type) for o in errors),
        views={view: f"{clip}/{view}.mp4" for view in ("View-1", "View-2")},
        semg=Semg(sample_rate_hz=2000, channels=channels),
        source="simulated",
    )


def write_table(path: Path, values: NDArray[np.float64], header: str = "") -> None:
    """Write a CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, values, delimiter=",", fmt="%.5f", header=header, comments="")


def write_video(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write frames (T, H, W, 3) as a video of 30 frames a second."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
