"""Video2EMG: what the feature cache saves in an epoch, and how fast the small model streams.

An epoch of the paper's recipe (103 frames of 224 pixels, ResNet-50 with random weights, which cost
what trained ones cost): once the clips are decoded and encoded in every epoch, once their features
come from the cache on disk. The training behind it is the same and counted in both. Then the small
model answers skeletons frame by frame, normalising and speeds included, on one thread.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from flex.config import load_config

if TYPE_CHECKING:
    from emg.features import Features
    from emg.recipe import Recipe
    from learn.sample import Sample

SETTINGS = ["--subjects", "3", "--actions", "A16", "--reps", "1", "--views", "1"]
TARGET_RATIO, TARGET_FPS = 20.0, 30.0
CONFIGS = Path("configs/emg")
STREAMED = 600


def run(console: Console, *, streamed: int = STREAMED, **settings: Any) -> dict[str, Any]:
    """Measure both.

    Args:
        console: prints the table.
        streamed: frames that the small model answers.
        settings: of the recipe, for tests.
    """
    import torch

    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        epochs = _epochs(Path(folder), settings)
    torch.set_num_threads(1)
    try:
        rate = _stream_rate(streamed)
    finally:
        torch.set_num_threads(threads)
    ratio = epochs["decoded_s"] / epochs["cached_s"]
    table = Table("Video2EMG", "", title=f"{epochs['clips']} clips of {epochs['frames']} frames")
    table.add_row("epoch, decoded and encoded each time", f"{epochs['decoded_s']:.2f} s")
    table.add_row("epoch, features from the cache", f"{epochs['cached_s']:.3f} s")
    table.add_row("ratio", f"× {ratio:.0f}")
    table.add_row("small model streaming, one thread", f"{rate:.0f} frames/s")
    console.print(table)
    return {
        **epochs,
        "ratio": round(ratio, 1),
        "target_ratio": TARGET_RATIO,
        "stream_fps": round(rate, 1),
        "target_fps": TARGET_FPS,
    }


def _epochs(root: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return seconds of an epoch both ways, the better of two for the cache."""
    import torch

    from emg.backbone import ResNet50, build_backbone
    from emg.clips import fit_scales, read_trials, ready_clips
    from emg.features import Features
    from emg.recipe import Recipe
    from emg.samples import load_samples
    from emg.store import ClipStore
    from emg.task import EmgTask
    from flex.graph_file import load_graph

    command = [sys.executable, "-m", "sim", "--out", str(root / "data"), *SETTINGS]
    subprocess.run(command, check=True, capture_output=True)
    paper = load_config(Recipe, CONFIGS / "paper.yaml")
    changes = {"split": "subject", "cache": root / "cache", "keep_streams": False, **settings}
    recipe = Recipe.model_validate({**paper.model_dump(), **changes})
    graph = load_graph()
    samples = load_samples(root / "data", recipe, graph)
    store = ClipStore(recipe, graph)
    device = torch.device("cpu")
    backbone = build_backbone(recipe)
    if isinstance(backbone, ResNet50):
        backbone.drop_classifier()
    features = Features(store, backbone, device)
    clips = ready_clips(samples, store, features, fit_scales(read_trials(samples, store), recipe))
    task = EmgTask(recipe, clips, [], device)
    optimizer = torch.optim.Adam(task.groups())

    def epoch(read: Callable[[], object]) -> float:
        start = time.perf_counter()
        read()
        for batch in task.batches(0):
            optimizer.zero_grad()
            task.loss(batch).backward()
            optimizer.step()
        return time.perf_counter() - start

    epoch(lambda: None)  # warms up
    cached_s = min(epoch(lambda: [features.of(sample) for sample in samples]) for _ in range(2))
    decoded_s = epoch(lambda: _encode(features, samples, recipe))
    return {
        "clips": len(samples),
        "frames": len(clips[0].times_s),
        "decoded_s": round(decoded_s, 3),
        "cached_s": round(cached_s, 4),
    }


def _encode(features: "Features", samples: Sequence["Sample"], recipe: "Recipe") -> None:
    for sample in samples:
        for view in recipe.views:
            features.encode(features.store.frames(sample, view))


def _stream_rate(frames: int) -> float:
    """Return how many frames a second the small recipe's network answers, from raw joints."""
    import numpy as np
    import torch

    from emg.inputs import POSE_WIDTH, pose_features
    from emg.network import Stream
    from emg.recipe import Recipe
    from emg.task import build_network
    from flex.skeleton import JOINTS, normalise

    recipe = load_config(Recipe, CONFIGS / "small.yaml")
    width = POSE_WIDTH * (2 if recipe.motion else 1)
    stream = Stream(build_network(recipe, width, 0).eval())
    joints = np.random.default_rng(0).normal(size=(frames + 1, len(JOINTS), 3))
    assert recipe.rate_hz is not None
    times_s = np.arange(2) / recipe.rate_hz

    def answer(number: int) -> None:
        pair = normalise(joints[number - 1 : number + 1]).astype(np.float32)
        row = pose_features(pair, times_s, motion=recipe.motion)[1:]
        stream.push(torch.from_numpy(row))

    for number in range(1, min(frames, 20)):
        answer(number)
    start = time.perf_counter()
    for number in range(1, frames + 1):
        answer(number)
    return frames / (time.perf_counter() - start)
