"""A data folder in FLEX's layout whose sEMG follows the wrists: two lifts, six people."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emg.recipe import Recipe
from emg.samples import load_samples
from emg.store import ClipStore
from flex.annotations import write_annotations
from flex.dataset import semg_path, skeleton_path
from flex.graph import Graph
from flex.graph_file import load_graph
from flex.sample import Annotation, PhaseSpan, Semg
from flex.semg_columns import channel_names
from flex.skeleton import INDEX, JOINTS

ACTIONS = ("A16", "A18")
SUBJECTS = ("P01", "P02", "A01", "N01", "N02", "N03")
ROWS, SIDE = 20, 32
LASTS_S, RATE_HZ = 0.8, 2000


def build(root: Path, graph: Graph, *, repetitions: int = 2) -> list[Annotation]:
    """Write clips: the higher a wrist, the stronger the muscles of its side, and the brighter."""
    random = np.random.default_rng(0)
    records = []
    for action in ACTIONS:
        for number in range(len(SUBJECTS) * repetitions):
            subject = SUBJECTS[number // repetitions]
            clip = f"{action}/{number + 1:03d}"
            repetition = number % repetitions + 1
            records.append(_clip(root, graph, clip, action, subject, repetition, random))
    write_annotations(root / "annotations.jsonl", records)
    return records


def recipe(cache: Path, **settings: Any) -> Recipe:
    """Return a recipe that trains on it in seconds."""
    return Recipe.model_validate(
        {
            "views": (),
            "pose": True,
            "frames": None,
            "rate_hz": 20,
            "size": SIDE,
            "hidden": 8,
            "epochs": 2,
            "batch": 4,
            "backbone": "small_cnn",
            "backbone_epochs": 1,
            "validate_every": 1,
            "save_every": 1,
            "workers": 1,
            "cache": cache,
            **settings,
        }
    )


def store(root: Path, **settings: Any) -> tuple[ClipStore, list[Any]]:
    """Return a store and the samples of the data folder below `root`."""
    made = recipe(root / "cache", **settings)
    graph = load_graph()
    return ClipStore(made, graph), load_samples(root / "data", made, graph)


def change(root: Path, clip: str, **fields: Any) -> None:
    """Change fields of one record; `None` takes a field away."""
    path = root / "annotations.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["clip"] == clip:
            row.update(fields)
            for name in [name for name, value in fields.items() if value is None]:
                del row[name]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _clip(
    root: Path,
    graph: Graph,
    clip: str,
    action: str,
    subject: str,
    repetition: int,
    random: np.random.Generator,
) -> Annotation:
    rows_s = np.linspace(0, LASTS_S, ROWS)
    middle = random.uniform(0.3, 0.5)
    # A lift: both wrists go up and down, one side higher than the other.
    height = np.exp(-(((rows_s - middle) / 0.12) ** 2))[:, None] * random.uniform(0.6, 1.0, 2)
    _write_skeleton(skeleton_path(root, clip), height, random)
    channels = channel_names(graph, action)
    sides = np.array([0 if name.startswith("left") else 1 for name in channels])
    times_s = np.arange(round(LASTS_S * RATE_HZ)) / RATE_HZ
    strong = np.stack([np.interp(times_s, rows_s, side) for side in height.T], axis=-1)
    signal = (0.05 + strong[:, sides]) * random.normal(0, 0.2, (len(times_s), len(channels)))
    # White noise has half of its power too high for a muscle.
    smooth = np.apply_along_axis(lambda v: np.convolve(v, np.ones(8) / 8, "same"), 0, signal)
    _write_table(semg_path(root, clip), smooth)
    for view in ("View-1", "View-2"):
        _write_video(root / clip / f"{view}.mp4", height, random)
    return Annotation(
        clip=clip,
        action=action,
        subject=subject,
        skill="expert" if subject.startswith("P") else "novice",
        repetition=repetition,
        duration_s=LASTS_S,
        phases=(
            PhaseSpan(phase=graph.action(action).phases[0], start_s=0, end_s=0.2),
            PhaseSpan(phase=graph.action(action).phases[1], start_s=0.2, end_s=middle),
            PhaseSpan(phase=graph.action(action).phases[2], start_s=middle, end_s=LASTS_S),
        ),
        views={view: f"{clip}/{view}.mp4" for view in ("View-1", "View-2")},
        semg=Semg(sample_rate_hz=RATE_HZ, channels=channels),
        source="simulated",
    )


def _write_skeleton(path: Path, height: NDArray[np.float64], random: np.random.Generator) -> None:
    body = np.zeros((len(JOINTS), 3))
    for index, name in enumerate(JOINTS):
        side = {"left": 0.3, "right": -0.3}.get(name.split("_")[0], 0.0)
        body[index] = (0.1 * (index % 3), side, 2.0 - 0.08 * index)
    points = body + random.normal(0, 0.01, (len(height), len(JOINTS), 3))
    for side, name in enumerate(("left", "right")):
        for joint in ("wrist", "hand"):
            points[:, INDEX[f"{name}_{joint}"], 2] += height[:, side]
    names = ",".join(f"{joint}_{axis}" for joint in JOINTS for axis in "xyz")
    _write_table(path, points.reshape(len(points), -1), names)


def _write_table(path: Path, values: NDArray[np.float64], header: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, values, delimiter=",", fmt="%.5f", header=header, comments="")


def _write_video(path: Path, height: NDArray[np.float64], random: np.random.Generator) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for left, right in height:
            frame = random.integers(0, 30, (SIDE, SIDE, 3), dtype=np.uint8)
            frame[:, : SIDE // 2] += np.uint8(200 * left)
            frame[:, SIDE // 2 :] += np.uint8(200 * right)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
